import NATSTestSupport
import Testing

@Suite("From nats-sub to nats-pub", .timeLimit(.minutes(3)))
struct RoundTripTests {
    /// A message as frames of the protocol, and as a line of text that tells all of it.
    private struct Sample {
        var frame: [UInt8]
        var line: String
    }

    private static func sample(_ number: Int, _ random: inout SeededGenerator) -> Sample {
        let subject = "a.\(number % 7).x\(number)"
        let reply = number % 3 == 0 ? "r.\(number)" : ""
        let payload = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
        }
        var fields: [(name: String, value: String)] = []
        if number % 2 == 0 {
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                fields.append(("K", "v\(Int.random(in: 0..<1000, using: &random)) é\"\\"))
            }
            fields.append(("k", ""))
        }
        let headers = fields.isEmpty ? "" : "NATS/1.0\r\n\(fields.map { "\($0.name): \($0.value)\r\n" }.joined())\r\n"
        let sizes = "\(headers.utf8.count) \(headers.utf8.count + payload.count)"
        let head =
            fields.isEmpty
            ? "PUB \(subject) \(reply) \(payload.count)\r\n" : "HPUB \(subject) \(reply) \(sizes)\r\n\(headers)"
        let hexadecimal = payload.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let shown = fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
        return Sample(
            frame: Array(head.utf8) + payload + [0x0D, 0x0A],
            line: "\(subject)|\(reply)|\(shown)|\(hexadecimal)\n"
        )
    }

    @Test("D13 ten thousand messages of random bytes with repeated headers", arguments: ServerUnderTest.both)
    func json(kind: ServerUnderTest) async throws {
        let count = 10_000
        var random = SeededGenerator(seed: 13)
        let samples = (0..<count).map { Self.sample($0, &random) }
        // Two servers: on one what is published again would come again.
        try await kind.withServer { first in
            try await kind.withServer { second in
                let format = "-v -n \(count) -F '%t|%r|%h|%x\\n' 'a.>'"
                let shell = try ToolShell(
                    """
                    nats-sub $U --json -v -n \(count) 'a.>' | nats-pub -s \(second.url) --json &
                    nats-sub $U \(format) | sha256sum >sent &
                    nats-sub -s \(second.url) \(format) | sha256sum >arrived &
                    sha256sum <made
                    wait
                    """,
                    url: first.url,
                    files: ["made": samples.map(\.line).joined()]
                )
                try await eventually("all of them listen, with errors \(shell.errors)") {
                    shell.errors.matches(of: #/Listening/#).count == 3
                }
                let publisher = try await first.connect(options: "{\"headers\":true,\"verbose\":false}")
                await publisher.send(samples.flatMap(\.frame))
                let result = try await shell.result(timeout: .seconds(120))
                #expect(result.output.utf8.count > 64)
                #expect(shell.file("sent") == result.output)
                #expect(shell.file("arrived") == result.output)
            }
        }
    }
}
