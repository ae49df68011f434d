import Testing

@testable import NATSClient

@Suite("whom a certificate is for")
struct ServerIdentityTests {
    @Test(
        "names, with wildcards only as the whole left-most label",
        arguments: [
            ("a.example", "a.example", true), ("A.Example.", "a.eXample", true), ("a.example", "b.example", false),
            ("a.example", "*.example", true), ("b.a.example", "*.example", false), ("b.a.example", "*.a.example", true),
            ("example", "*.example", false), (".example", "*.example", false), ("a.example", "a.*", false),
            ("a.example", "a*.example", false), ("ab.example", "a*.example", false),
            ("b.a.example", "*.*.example", false),
            ("a", "*", false), ("a", "a", true), ("a.example", "a.example.", false), ("a.example", "", false),
            ("a..b", "*..b", false), ("a.example", "a.example\0.evil", false), ("*.example", "*.example", true),
            ("10.1.2.3", "10.1.2.3", false), ("10.1.2.3", "*.1.2.3", false),
        ]
    )
    func names(host: String, name: String, matches: Bool) {
        #expect(ServerIdentity(host).matches(dnsName: Array(name.utf8)) == matches)
    }

    @Test("addresses, as bytes")
    func addresses() {
        let four = ServerIdentity("10.1.2.3")
        #expect(four.matches(address: [10, 1, 2, 3]))
        #expect(four.serverName == nil)
        for bytes in [[], [10, 1, 2], [10, 1, 2, 4], [10, 1, 2, 3, 0], Array(repeating: 0, count: 16)] as [[UInt8]] {
            #expect(!four.matches(address: bytes))
        }
        let six = ServerIdentity("::1")
        #expect(six.matches(address: Array(repeating: 0, count: 15) + [1]))
        #expect(!six.matches(address: Array(repeating: 0, count: 16)))
        #expect(!six.matches(address: [0, 0, 0, 1]))
        #expect(!ServerIdentity("localhost").matches(address: [127, 0, 0, 1]))
        #expect(ServerIdentity("localhost").serverName == "localhost")
    }
}
