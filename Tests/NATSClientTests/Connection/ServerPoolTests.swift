import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

@Suite struct ServerPoolTests {
    private var random = SeededGenerator(seed: 7)

    private func address(_ host: String, _ port: Int = 4222) -> ServerAddress {
        ServerAddress(host: host, port: port)
    }

    private mutating func pool(
        _ hosts: [String],
        randomize: Bool = false,
        ignoreDiscovered: Bool = false,
        maxReconnects: Int? = nil
    ) -> ServerPool {
        ServerPool(
            addresses: hosts.map { self.address($0) },
            randomize: randomize,
            ignoreDiscovered: ignoreDiscovered,
            maxReconnects: maxReconnects,
            random: &self.random
        )
    }

    @Test("configured servers are shuffled unless that is off")
    mutating func shuffle() {
        let hosts = (0..<20).map { "s\($0)" }
        #expect(self.pool(hosts).servers.map(\.address.host) == hosts)
        let shuffled = self.pool(hosts, randomize: true).servers.map(\.address.host)
        #expect(shuffled != hosts && shuffled.sorted() == hosts.sorted())
    }

    @Test("a pass begins with the server that was not used last")
    mutating func rotation() {
        var pool = self.pool(["a", "b", "c"])
        #expect(pool.beginPass(now: .uptimeNanoseconds(0)).map(\.host) == ["a", "b", "c"])
        pool.connected(self.address("a"))
        #expect(pool.beginPass(now: .uptimeNanoseconds(0)).map(\.host) == ["b", "c", "a"])
    }

    @Test(
        "the names of this machine are one: a server announced by another of them is no news",
        arguments: ["127.0.0.1", "[::1]", "localhost"]
    )
    mutating func aliases(configured: String) throws {
        let address = try ServerAddress(parsing: "\(configured):4222")
        var pool = self.pool([])
        pool.replace([address], random: &self.random)
        pool.connected(address)
        for announced in ["localhost:4222", "127.0.0.1:4222", "[::1]:4222"] {
            #expect(pool.merge(connectURLs: [announced], random: &self.random) == nil)
        }
        #expect(pool.servers.map(\.address) == [address])
        #expect(pool.merge(connectURLs: ["127.0.0.1:4223"], random: &self.random) != nil)
        #expect(pool.merge(connectURLs: ["localhost:4223"], random: &self.random) == nil)
        #expect(pool.servers.count == 2)
    }

    @Test("discovered servers are added with the userinfo of the one in use, and go when no longer announced")
    mutating func merge() {
        var pool = ServerPool(
            addresses: [ServerAddress(host: "a", port: 1, user: "u", password: "p")],
            randomize: false,
            ignoreDiscovered: false,
            maxReconnects: nil,
            random: &self.random
        )
        pool.connected(self.address("a", 1))
        #expect(pool.merge(connectURLs: ["a:1", "b:2", "[::1]:3"], random: &self.random) == ["a:1", "b:2", "[::1]:3"])
        #expect(pool.servers.map(\.address.user) == ["u", "u", "u"])
        #expect(pool.servers.map(\.isImplicit) == [false, true, true])

        // Known already: no news, though one is gone.
        #expect(pool.merge(connectURLs: ["a:1", "b:2"], random: &self.random) == nil)
        #expect(pool.servers.map(\.address.host) == ["a", "b"])

        // An empty list changes nothing.
        #expect(pool.merge(connectURLs: [], random: &self.random) == nil)
        #expect(pool.servers.count == 2)

        // The discovered server in use stays although it is not announced; the configured one always does.
        pool.connected(self.address("b", 2))
        #expect(pool.merge(connectURLs: ["c:4"], random: &self.random) == ["a:1", "b:2", "c:4"])

        // Seen once, never news again.
        pool.connected(self.address("a", 1))
        #expect(pool.merge(connectURLs: ["b:2"], random: &self.random) == nil)
        #expect(pool.merge(connectURLs: ["c:4", "b:2"], random: &self.random) == nil)
        #expect(Set(pool.servers.map(\.address.host)) == ["a", "b", "c"])
    }

    @Test("a server that was connected to securely stays so, and so do those it announces")
    mutating func secure() {
        var pool = self.pool(["host", "b"])
        pool.connected(self.address("host"), isSecure: true)
        #expect(pool.servers.map(\.address.isSecure) == [true, false])
        pool.connected(self.address("host"))
        #expect(pool.servers[0].address.url == "tls://host:4222")
        pool.connected(pool.servers[0].address)
        _ = pool.merge(connectURLs: ["10.0.0.1:4222"], random: &self.random)
        #expect(pool.servers[2].address.isSecure && pool.servers[2].address.tlsName == "host")
        pool.replace([self.address("host"), self.address("c")], random: &self.random)
        #expect(pool.servers.map(\.address.isSecure) == [true, false])
    }

    @Test("a server first announced in clear is secured when a secured connection announces it")
    mutating func securedLater() {
        var pool = self.pool(["host"])
        pool.connected(self.address("host"))
        _ = pool.merge(connectURLs: ["10.0.0.1:4222", "b:4222"], random: &self.random)
        #expect(pool.servers.allSatisfy { !$0.address.isSecure })
        pool.connected(self.address("host"), isSecure: true)
        _ = pool.merge(connectURLs: ["10.0.0.1:4222", "b:4222"], random: &self.random)
        #expect(pool.servers.allSatisfy { $0.address.isSecure })
        #expect(pool.servers.map(\.address.tlsName) == [nil, "host", nil])
    }

    @Test("malformed announcements are passed over, and all of them if so configured")
    mutating func malformed() {
        var pool = self.pool(["a"])
        #expect(pool.merge(connectURLs: ["", ":", "x:99999", "y:z", "[::1", "b:5"], random: &self.random) != nil)
        #expect(pool.servers.map(\.address.host) == ["a", "b"])
        var deaf = self.pool(["a"], ignoreDiscovered: true)
        #expect(deaf.merge(connectURLs: ["b:5"], random: &self.random) == nil)
        #expect(deaf.servers.count == 1)
    }

    @Test("a server over its limit is left out, and a configured one comes back after its rest")
    mutating func limits() {
        var pool = self.pool(["a", "b"], maxReconnects: 2)
        let start = NIODeadline.uptimeNanoseconds(1)
        pool.failed(self.address("a"), isFatal: false, now: start)
        #expect(pool.beginPass(now: start).count == 2)
        pool.failed(self.address("a"), isFatal: false, now: start)
        #expect(pool.beginPass(now: start).map(\.host) == ["b"])
        pool.failed(self.address("b"), isFatal: true, now: start)
        #expect(pool.beginPass(now: start) == [])
        #expect(!pool.hasServerToTry)
        #expect(pool.beginPass(now: start + ServerPool.explicitServerRest).count == 2)
        #expect(pool.hasServerToTry)
    }

    @Test("success clears the count of failures")
    mutating func success() {
        var pool = self.pool(["a"], maxReconnects: 2)
        pool.failed(self.address("a"), isFatal: false, now: .uptimeNanoseconds(0))
        pool.connected(self.address("a"))
        pool.failed(self.address("a"), isFatal: false, now: .uptimeNanoseconds(0))
        #expect(pool.hasServerToTry)
    }

    @Test("the same authentication error twice in a row from one server ends the search")
    mutating func authenticationTwice() {
        var pool = self.pool(["a", "b"])
        #expect(pool.authenticationFailed(self.address("a"), code: .authorization) == .tryAgain)
        #expect(pool.authenticationFailed(self.address("b"), code: .authorization) == .tryAgain)
        #expect(pool.authenticationFailed(self.address("a"), code: .authExpired) == .tryAgain)
        pool.connected(self.address("a"))
        pool.connectionLasted(self.address("a"))
        #expect(pool.authenticationFailed(self.address("a"), code: .authExpired) == .tryAgain)
        // It accepts the client only to refuse it again.
        pool.connected(self.address("a"))
        #expect(pool.authenticationFailed(self.address("a"), code: .authExpired) == .giveUp)
    }

    @Test("a hostile INFO does not fill the pool")
    mutating func announcementFlood() {
        var pool = self.pool(["a"])
        pool.connected(self.address("a"))
        for round in 0..<3 {
            let urls = (0..<5000).map { "10.\(round).\($0 / 256).\($0 % 256):4222" }
            _ = pool.merge(connectURLs: urls, random: &self.random)
            #expect(pool.servers.count == 1 + ServerPool.maximumDiscovered)
        }
    }

    @Test("a discovered server that was given up is tried again when it is announced again")
    mutating func announcedAgain() {
        var pool = self.pool(["a"])
        pool.connected(self.address("a"))
        _ = pool.merge(connectURLs: ["a:4222", "b:4222"], random: &self.random)
        pool.failed(self.address("b"), isFatal: true, now: .uptimeNanoseconds(0))
        #expect(pool.beginPass(now: .uptimeNanoseconds(0) + .hours(1)).map(\.host) == ["a"])
        _ = pool.merge(connectURLs: ["a:4222", "b:4222"], random: &self.random)
        #expect(pool.beginPass(now: .uptimeNanoseconds(0)).map(\.host) == ["b", "a"])
    }

    @Test("whoever says so goes on when a server refuses the credentials again and again")
    mutating func authenticationForEver() {
        var pool = ServerPool(
            addresses: [self.address("a")],
            randomize: false,
            ignoreDiscovered: false,
            maxReconnects: nil,
            ignoreAuthErrorAbort: true,
            random: &self.random
        )
        for _ in 0..<5 {
            #expect(pool.authenticationFailed(self.address("a"), code: .authorization) == .tryAgain)
        }
    }

    @Test("a replaced pool has the new servers only, and knows what happened to those that stay")
    mutating func replaced() {
        var pool = self.pool(["a", "b"], maxReconnects: 3)
        pool.connected(self.address("a"))
        _ = pool.merge(connectURLs: ["a:4222", "b:4222", "c:4222"], random: &self.random)
        pool.failed(self.address("b"), isFatal: false, now: .uptimeNanoseconds(0))
        pool.failed(self.address("c"), isFatal: false, now: .uptimeNanoseconds(0))
        let credentials = ServerAddress(host: "b", port: 4222, user: "u", password: "p")
        pool.replace([self.address("d"), credentials, self.address("c")], random: &self.random)
        #expect(pool.servers.map(\.address.host) == ["d", "b", "c"])
        #expect(pool.servers.map(\.failures) == [0, 1, 1])
        #expect(pool.servers.allSatisfy { !$0.isImplicit })
        #expect(pool.servers[1].address.user == "u")
        // The one in use is not among them any more, and is nobody's turn.
        #expect(pool.beginPass(now: .uptimeNanoseconds(0)).map(\.host) == ["d", "b", "c"])
    }

    @Test("a server is chosen by its URL, unless it was given up")
    mutating func chosen() {
        var pool = ServerPool(
            addresses: [ServerAddress(host: "a", port: 1, user: "u", password: "p"), self.address("b", 2)],
            randomize: false,
            ignoreDiscovered: false,
            maxReconnects: nil,
            random: &self.random
        )
        #expect(pool.server(url: "nats://a:1")?.user == "u" && pool.server(url: "nats://a:1")?.isSecure == false)
        #expect(pool.server(url: "tls://a:1")?.user == "u" && pool.server(url: "tls://a:1")?.isSecure == true)
        #expect(pool.server(url: "a:2") == nil && pool.server(url: "://") == nil)
        pool.failed(self.address("b", 2), isFatal: true, now: .uptimeNanoseconds(0))
        #expect(pool.server(url: "nats://b:2") == nil)
    }

    @Test("announced servers are shuffled, but never to the first place, unless that is off")
    mutating func shuffledAnnouncements() {
        let announced = (1...20).map { "s\($0):4222" }
        let inOrder = ["a:4222"] + announced
        var kept = self.pool(["a"])
        kept.connected(self.address("a"))
        #expect(kept.merge(connectURLs: announced, random: &self.random) == inOrder)
        for _ in 0..<20 {
            var pool = self.pool(["a"], randomize: true)
            pool.connected(self.address("a"))
            let all = pool.merge(connectURLs: announced, random: &self.random) ?? []
            #expect(all.first == "a:4222" && all != inOrder && all.sorted() == inOrder.sorted())
            #expect(pool.servers.map(\.address.hostAndPort) == all)
            // What is known already changes nothing.
            #expect(pool.merge(connectURLs: announced, random: &self.random) == nil)
            #expect(pool.servers.map(\.address.hostAndPort) == all)
        }
    }
}
