import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// Names and subjects that Swift takes for equal, and that are not the same bytes.
@Suite("subjects of other accounts are compared by bytes", .timeLimit(.minutes(1)))
struct ByteIdentityTests {
    /// One letter, and a letter with an accent behind it; the Kelvin sign and a `K`.
    private static let pairs = [("caf\u{e9}", "cafe\u{301}"), ("K", "\u{212a}")]

    @Test("exports and imports with two forms of a letter are different ones", arguments: Self.pairs)
    func options(first: String, second: String) {
        #expect(first == second)
        #expect(ExportOptions(.stream, first) != ExportOptions(.stream, second))
        #expect(ExportOptions(.service, first) == ExportOptions(.service, first))
        #expect(
            ImportOptions(.stream, account: "A", subject: first)
                != ImportOptions(.stream, account: "A", subject: second)
        )
        var one = ExportOptions(.service, "a")
        var other = one
        one.accounts = [first]
        other.accounts = [second]
        #expect(one != other)
        other.accounts = one.accounts
        #expect(one == other)
        one.latency = ExportOptions.Latency(subject: first)
        other.latency = ExportOptions.Latency(subject: second)
        #expect(one != other)
        #expect(!SubjectGrammar.isSubset("a.\(first)", of: "a.\(second)"))
        #expect(SubjectGrammar.isSubset("a.\(first)", of: "*.\(first)"))
    }

    @Test("a full stop is one whatever follows it")
    func tokens() {
        // For Swift the stop and the accent are one character.
        #expect(SubjectGrammar.isSubset("a.\u{301}b", of: "a.*"))
        #expect(!SubjectGrammar.isSubset("a.\u{301}b", of: "*"))
    }

    @Test("a subscription gets what it names, not what looks like it", arguments: Self.pairs)
    func streams(pair: (first: String, second: String)) async throws {
        let text = """
            accounts {
              A { users: [{user: a, password: a}], exports: [{stream: "s.>"}] }
              B { users: [{user: b, password: b}], imports: [{stream: {account: A, subject: "s.\(pair.first)"}}] }
            }

            """
        var results: [ServerUnderTest: String] = [:]
        for server in ServerUnderTest.available {
            results[server] = try await ConfiguredServer.with(server, text) { server in
                let publisher = try await server.connect("a")
                let subscriber = try await server.connect("b")
                try await subscriber.flush("SUB s.\(pair.second) 1\r\nSUB s.\(pair.first) 2\r\n")
                for subject in [pair.second, pair.first] { await publisher.send("PUB s.\(subject) 1\r\nx\r\n") }
                await publisher.send("PUB s.\(pair.first) 3\r\nend\r\n")
                return String(decoding: try await subscriber.read(until: "end\r\n"), as: UTF8.self)
            }
        }
        for (server, result) in results {
            #expect(result.utf8.elementsEqual((results[.official] ?? result).utf8), "\(server)")
        }
    }
}
