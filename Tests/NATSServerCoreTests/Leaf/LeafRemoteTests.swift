import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Which hub is dialled next, and when")
struct LeafRemoteTests {
    private static func remote(_ hostPorts: [String], ignores: Bool = false) -> LeafRemote {
        var random = SeededGenerator(seed: 1)
        var options = LeafNodesOptions.Remote()
        options.urls = hostPorts.compactMap { LeafNodesOptions.Remote.URL(hostPort: $0) }
        options.urls[0].user = "joe"
        options.noRandomize = true
        options.ignoresDiscoveredServers = ignores
        return LeafRemote(options, interval: .seconds(1), using: &random)
    }

    private static func dialled(_ remote: inout LeafRemote, _ count: Int) -> [String] {
        (0..<count).map { _ in remote.next().map { "\($0.user)@\($0.address)" } ?? "" }
    }

    @Test("addresses take turns, those that the hub told of first, with the credentials that are configured")
    func turns() {
        var remote = Self.remote(["a:1", "b:2"])
        #expect(Self.dialled(&remote, 3) == ["joe@a:1", "joe@b:2", "joe@a:1"])
        remote.learned(["b:2", "c:3", "not an address", "c:3", ":0"])
        #expect(Self.dialled(&remote, 4) == ["joe@c:3", "joe@a:1", "joe@b:2", "joe@c:3"])
        remote.learned([])
        #expect(Self.dialled(&remote, 2) == ["joe@a:1", "joe@b:2"])
    }

    @Test("what the hub tells of is not dialled where that is not wanted")
    func ignored() {
        var remote = Self.remote(["a:1"], ignores: true)
        remote.learned(["c:3"])
        #expect(Self.dialled(&remote, 2) == ["joe@a:1", "joe@a:1"])
    }

    @Test("failures are a second or two apart, and the log hears of the first and then of few")
    func failures() {
        var random = SeededGenerator(seed: 2)
        var remote = Self.remote(["a:1"])
        var reported: [Int] = []
        for attempt in 1...20 {
            let wait = remote.failed(using: &random)
            #expect((.seconds(1)..<TimeAmount.seconds(2)).contains(wait))
            if remote.reportsFailure(first: 10, later: 1) { reported.append(attempt) }
        }
        #expect(reported == [1, 10, 20])
        remote.connected()
        #expect(remote.lost(delay: .zero) == .seconds(1))
        #expect(remote.lost(delay: .seconds(30)) == .seconds(31))
        _ = remote.failed(using: &random)
        #expect(remote.failures == 1)
    }

    @Test("TLS is wanted of every address if it is of one, or was there once")
    func encryption() {
        var remote = Self.remote(["a:1"])
        #expect(!remote.requiresTLS)
        remote.secured()
        remote.learned(["b:2"])
        #expect(remote.requiresTLS)
        var options = LeafNodesOptions.Remote()
        options.urls = ["a:1", "b:2"].compactMap { LeafNodesOptions.Remote.URL(hostPort: $0) }
        options.urls[1].isSecure = true
        var random = SeededGenerator(seed: 1)
        #expect(LeafRemote(options, interval: .seconds(1), using: &random).requiresTLS)
    }
}
