import NATSClient

// The talking half of a pair; `listen` is the other, and has to be there first.

let url = CommandLine.arguments.dropFirst().first ?? "nats://127.0.0.1:4222"

try await NATSClient.withClient(.init(servers: [url])) { client in
    try await client.publish("hello", to: "test1")
    try await client.publish("hello, one of you", to: "test2")
    // The first reply wins, however many listen.
    let answer = try await client.request("a question", to: "test3", timeout: .seconds(3))
    print(answer.string)
    // Nobody listens there, and nobody minds.
    try await client.publish("hello, nobody", to: "test4")
    try await client.publish("hello, a", to: "test.aa.cc")
    try await client.publish("hello, b", to: "test.bb.cc")
}
