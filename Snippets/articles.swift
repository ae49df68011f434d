// The samples of the articles in Sources/NATSClient/Documentation.docc, each between two marks.
import Logging
import NATSClient
import NATSTestServer
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func everyEvent(of client: NATSClient, logger: Logger) async {
    // snippet.show
    for await event in client.events {
        switch event {
        case .disconnected(let error):
            logger.warning("connection lost", metadata: ["cause": "\(String(describing: error))"])
        case .reconnected:
            logger.info("connected again", metadata: ["server": "\(client.serverInfo?.name ?? "")"])
        case .slowConsumer(let subscription, let dropped):
            logger.warning("too slow", metadata: ["subject": "\(subscription.subject)", "dropped": "\(dropped)"])
        case .closed(let error):
            logger.error("closed for good", metadata: ["cause": "\(String(describing: error))"])
        default:
            logger.debug("\(event)")
        }
    }
    // snippet.hide
}

func start() async throws {
    // snippet.show
    var configuration = NATSClientConfiguration(servers: ["nats://a.example:4222", "nats://b.example:4222"])
    configuration.name = "billing"
    let client = try await NATSClient.connect(configuration)
    try await client.publish("hello", to: "greetings.en")
    try await client.drain()
    // snippet.hide
}

func receive(_ client: NATSClient) async throws {
    // snippet.show
    let messages = try await client.subscribe("orders.>")
    for try await message in messages {
        print(message.subject, message.string)
    }
    // snippet.hide
}

func handle(_ client: NATSClient) async throws {
    // snippet.show
    try await client.handle("orders.*", queue: "workers", concurrency: 8) { message in
        try await message.respond("done")
    }
    // snippet.hide
}

func reconnecting() {
    // snippet.show
    var configuration = NATSClientConfiguration(servers: ["nats://a.example", "nats://b.example"])
    configuration.reconnectWait = .milliseconds(50)
    configuration.maxReconnectWait = .seconds(2)
    configuration.disconnectedPublish = .wait
    configuration.retryOnFailedConnect = true
    // snippet.hide
    _ = configuration
}

func confirmed(_ client: NATSClient) async throws {
    // snippet.show
    for order in ["1", "2", "3"] {
        try await client.publish(order, to: "orders.new")
    }
    try await client.flush(timeout: .seconds(2))
    // snippet.hide
}

func limited(_ client: NATSClient) async throws {
    // snippet.show
    let sensors = try await client.subscribe(
        "sensors.>",
        limits: .init(messages: 10_000, bytes: 16 << 20, policy: .dropOldest)
    )
    try sensors.setPendingLimits(.init(messages: 512_000, bytes: 5_120_000))
    let now = sensors.statistics
    print(now.pendingMessages, now.pendingBytes, sensors.droppedCount)
    // snippet.hide
}

func noticed(_ messages: NATSSubscription) async throws {
    // snippet.show
    do {
        while let message = try await messages.next(timeout: .seconds(5)) {
            print(message.string)
        }
    } catch let error where error.code == .slowConsumer {
        print("some were lost; the next call goes on with what is there")
    }
    // snippet.hide
}

func requests(_ client: NATSClient) async throws {
    // snippet.show
    do {
        let answer = try await client.request("3 apples", to: "price", timeout: .seconds(1))
        print(answer.string)
    } catch let error where error.code == .noResponders {
        print("nobody answers there")
    } catch let error where error.code == .timeout {
        print("somebody does, but not in time")
    }
    // snippet.hide
}

func scatter(_ client: NATSClient) async throws {
    // snippet.show
    let offers = try await client.requestMany("3 apples", to: "offer", timeout: .seconds(2), stall: .milliseconds(300))
    for try await offer in offers {
        print(offer.string)
    }
    // snippet.hide
}

func secure() {
    // snippet.show
    var configuration = NATSClientConfiguration(servers: ["tls://nats.example:4222"])
    configuration.credentials = .credentialsFile("/run/secrets/billing.creds")
    configuration.tls.trustRoots = .file("/etc/nats/ca.pem")
    configuration.tls.certificate = .file("/etc/nats/client.pem")
    configuration.tls.privateKey = .file("/etc/nats/client-key.pem")
    // snippet.hide
    _ = configuration
}

func provided(fetch: @escaping @Sendable () async throws -> String) {
    // snippet.show
    var configuration = NATSClientConfiguration()
    configuration.credentials = .provider {
        .token(try await fetch())
    }
    // snippet.hide
    _ = configuration
}

func tested() async throws {
    // snippet.show
    try await NATSTestServer.withServer { server in
        try await NATSClient.withClient(.init(servers: [server.clientURL])) { client in
            let messages = try await client.subscribe("a")
            await server.stop()
            try await client.publish("kept until there is a server again", to: "a")
            try await server.restart()
            let message = try await messages.next(timeout: .seconds(10))
            print(message?.string ?? "nothing")
        }
    }
    // snippet.hide
}

func fromGo(_ client: NATSClient) async throws {
    // snippet.show
    let subscription = try await client.subscribe("updates", queue: "workers")
    let first = try await subscription.next(timeout: .seconds(1))
    print(first?.string ?? "the subscription has ended")
    try await subscription.drain()
    // snippet.hide
}

func fromSwift(_ client: NATSClient, bytes: ByteBuffer) async throws {
    // snippet.show
    try await client.publish(bytes, to: "events", headers: ["Trace": "7"])
    let answer = try await client.request("question", to: "answers", timeout: .seconds(5))
    print(answer.headers["Trace"] ?? "", answer.string)
    // snippet.hide
}

func upgraded() async throws {
    // snippet.show
    var configuration = NATSClientConfiguration(servers: ["nats://a.example:4222", "nats://b.example:4222"])
    configuration.lameDuck = .migrate
    let client = try await NATSClient.connect(configuration)
    for await case .migrated(let how) in client.events {
        print("from \(how.from) to \(how.to) in \(how.overlap); \(how.copies) messages came twice")
    }
    // snippet.hide
}

func shortLivedProgram() {
    // snippet.show
    MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
        Task.detached(executorPreference: NATSTaskExecutor(eventLoop: loop)) {
            do {
                var configuration = NATSClientConfiguration()
                configuration.eventLoopGroup = loop
                try await NATSClient.withClient(configuration) { client in
                    try await client.publish("hello", to: "greetings.en")
                }
                exit(0)
            } catch {
                print("\(error)")
                exit(1)
            }
        }
    }
    // snippet.hide
}
