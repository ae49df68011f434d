import NATSClient
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Our client with the command line that all client programs of the benchmarks share.
@main
struct ClientBench {
    struct Failure: Error {
        let text: String
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        func next() -> Int { self.value.add(1, ordering: .relaxed).newValue }
    }

    static func main() {
        let options: Options
        do {
            options = try Options(Array(CommandLine.arguments.dropFirst()))
        } catch {
            print("client-bench: \(error)")
            exit(2)
        }
        guard options.mode == "once" else {
            Task.detached { await Self.end { try await Self.run(options) } }
            while true { pause() }
        }
        // The main thread is the event loop, and the only thread.
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
            Task.detached(executorPreference: NATSTaskExecutor(eventLoop: loop)) {
                await Self.end {
                    var configuration = NATSClientConfiguration(servers: [options.url])
                    configuration.eventLoopGroup = loop
                    let client = try await NATSClient.connect(configuration)
                    try await client.publish("hello", to: options.subject)
                    try await client.flush()
                    await client.close()
                }
            }
        }
    }

    /// Ends the process after `body`.
    private static func end(_ body: () async throws -> Void) async -> Never {
        do {
            try await body()
        } catch {
            print("client-bench: \(error)")
            exit(1)
        }
        exit(0)
    }

    @concurrent
    private static func run(_ options: Options) async throws {
        var configuration = NATSClientConfiguration(servers: [options.url])
        configuration.pendingLimits = .init(messages: nil, bytes: nil)
        if let authority = options.authority {
            configuration.tls.trustRoots = .file(authority)
        }
        let client = try await NATSClient.connect(configuration)
        switch options.executor {
        case .global:
            try await Self.run(options, client)
        case .loop:
            try await withTaskExecutorPreference(client.taskExecutor) {
                try await Self.run(options, client)
            }
        }
        await client.close()
    }

    private static func run(_ options: Options, _ client: NATSClient) async throws {
        switch options.mode {
        case "publish-sync": try await Self.publishWithoutWaiting(options, client)
        case "publish-async": try await Self.publish(options, client)
        case "subscribe": try await Self.subscribe(options, client)
        case "pending": try await Self.pending(options, client)
        case "request": try await Self.request(options, client)
        default: throw Options.Invalid(argument: options.mode)
        }
    }

    // MARK: Publish

    static func publish(_ options: Options, _ client: NATSClient) async throws {
        let payload = [UInt8](repeating: UInt8(ascii: "x"), count: options.size)
        let from = Usage.now()
        for _ in 0..<options.count {
            try await client.publish(payload, to: options.subject)
        }
        try await client.flush(timeout: .seconds(30))
        Usage.report(from: from, to: .now(), messages: options.count)
    }

    /// The call that never suspends; only where its buffer is full the waiting one takes over.
    static func publishWithoutWaiting(_ options: Options, _ client: NATSClient) async throws {
        let payload = [UInt8](repeating: UInt8(ascii: "x"), count: options.size)
        let from = Usage.now()
        for _ in 0..<options.count {
            do throws(NATSError) {
                try client.tryPublish(payload, to: options.subject)
            } catch {
                guard error.code == .publishBufferFull else { throw error }
                try await client.publish(payload, to: options.subject)
            }
        }
        try await client.flush(timeout: .seconds(30))
        Usage.report(from: from, to: .now(), messages: options.count)
    }

    // MARK: Subscribe

    static func subscribe(_ options: Options, _ client: NATSClient) async throws {
        let before = Usage.now()
        let subscription = try await client.subscribe(options.subject)
        try await client.flush(timeout: .seconds(30))
        Usage.write("READY")
        var count = 0
        var bytes = 0
        var check: UInt8 = 0
        var first = 0.0
        for try await message in subscription {
            if count == 0 { first = Usage.now().wall }
            message.withPayloadBytes { payload in
                bytes += payload.count
                check ^= payload.first ?? 0
            }
            count += 1
            if count == options.count { break }
        }
        let to = Usage.now()
        guard bytes == options.count * options.size else {
            throw Failure(text: "\(bytes) bytes received, check \(check)")
        }
        Usage.report(
            from: Usage(user: before.user, system: before.system, wall: first),
            to: to,
            messages: count
        )
    }

    /// Memory of messages that nobody takes.
    static func pending(_ options: Options, _ client: NATSClient) async throws {
        let subscription = try await client.subscribe(options.subject)
        try await client.flush(timeout: .seconds(30))
        let before = Usage.resident()
        Usage.write("READY")
        while subscription.statistics.pendingMessages < options.count {
            try await Task.sleep(for: .milliseconds(2))
        }
        let after = Usage.resident()
        Usage.write(
            """
            {"messages":\(options.count),"rss_before":\(before),"rss":\(after),\
            "bytes_per_message":\(Double(after - before) / Double(options.count))}
            """
        )
        subscription.unsubscribe()
    }

    // MARK: Request

    static func request(_ options: Options, _ client: NATSClient) async throws {
        let payload = [UInt8](repeating: UInt8(ascii: "x"), count: options.size)
        let started = Counter()
        let from = Usage.now()
        let latencies = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<options.inFlight {
                group.addTask {
                    var latencies: [Int] = []
                    while started.next() <= options.count {
                        let start = Usage.clock()
                        let reply = try await client.request(payload, to: options.subject, timeout: .seconds(10))
                        latencies.append(Usage.clock() - start)
                        guard reply.payloadSize == options.size else { throw Failure(text: "wrong reply") }
                    }
                    return latencies
                }
            }
            var all: [Int] = []
            for try await latencies in group { all += latencies }
            return all
        }
        Usage.report(from: from, to: .now(), messages: latencies.count, latencies: latencies)
    }
}
