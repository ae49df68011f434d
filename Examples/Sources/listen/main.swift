import NATSClient

// The listening half of a pair; `talk` is the other. Ends when it has heard all that `talk` says.
//
//     listen [URL] & talk [URL]; wait

let url = CommandLine.arguments.dropFirst().first ?? "nats://127.0.0.1:4222"

try await NATSClient.withClient(.init(servers: [url])) { client in
    let plain = try await client.subscribe("test1")
    let queued = try await client.subscribe("test2", queue: "queue")
    // `*` stands for one token; `>` at the end would stand for all the rest.
    let wildcard = try await client.subscribe("test.*.cc")
    let requests = try await client.subscribe("test3")
    try await client.flush()
    print("listening")

    if let message = try await plain.next() {
        print("test1: \(message.string)")
    }
    if let message = try await queued.next() {
        print("test2, as a member of queue: \(message.string)")
    }
    if let request = try await requests.next() {
        print("test3 asks: \(request.string)")
        try await request.respond("an answer to \(request.string)")
    }
    for _ in 1...2 {
        if let message = try await wildcard.next() {
            print("\(message.subject): \(message.string)")
        }
    }
}
