import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Route book: gossip")
struct RouteGossipTests {
    @Test("peers that come again and again do not make us dial more than all of them may")
    func newcomers() {
        let driver = RouteBookDriver {
            $0.limits.newcomersAtOnce = 3
            $0.limits.newcomersPerSecond = 1
            $0.limits.dials = 100
            $0.limits.dialsPerPeer = 100
        }
        var dials = 0
        for round in 1...3 {
            let peer = driver.accept(RouteBookDriver.peer("N\(round)"))
            for host in 1...2 {
                dials +=
                    driver.inform(peer.id, RouteBookDriver.rumour("NX\(round)\(host)", "10.\(round).0.\(host)")).dials
                    .count
            }
            _ = driver.close(peer.id)
        }
        #expect(dials == 3)
    }

    @Test("all others are told of a newcomer, with the address where it was seen; it is told nothing")
    func newcomer() {
        let driver = RouteBookDriver()
        let first = driver.accept(RouteBookDriver.peer("N1"), from: "10.0.0.1")
        #expect(first.actions.gossip.isEmpty)
        let second = driver.accept(RouteBookDriver.peer("N2"), from: "10.0.0.2")
        #expect(second.actions.gossip.map(\.to) == [first.id])
        #expect(second.actions.gossip.map(\.info.ip) == ["nats-route://10.0.0.2:6222/"])
        let advertised = driver.accept(
            RouteBookDriver.peer("N3") { $0.ip = "nats-route://public:7/" },
            from: "10.0.0.3"
        )
        #expect(advertised.actions.gossip.map(\.to) == [first.id, second.id])
        #expect(advertised.actions.gossip.allSatisfy { $0.info.ip == "nats-route://public:7/" })
    }

    @Test("a further connection of a server is no news, but one for an account is")
    func furtherConnections() {
        let driver = RouteBookDriver {
            $0.poolSize = 2
            $0.accounts = ["$SYS"]
        }
        let other = driver.accept(RouteBookDriver.peer("N1") { $0.poolSize = 2 })
        let noPool = driver.accept(RouteBookDriver.peer("N2") { $0.poolSize = 0 })
        let peer = RouteBookDriver.peer("N3") { $0.poolSize = 2 }
        #expect(driver.accept(peer).actions.gossip.map(\.to) == [other.id, noPool.id])
        var slot = peer
        slot.poolIndex = 1
        #expect(driver.accept(slot).actions.gossip.isEmpty)
        var dedicated = peer
        dedicated.account = "$SYS"
        let gossip = driver.accept(dedicated).actions.gossip
        // Who has no pool could do nothing with it.
        #expect(gossip.map(\.to) == [other.id])
        #expect(gossip.map(\.info.account) == ["$SYS"])
    }

    @Test("what was heard by gossip is not passed on, unless that is wanted")
    func passedOn() throws {
        for (mode, told) in [(GossipMode.normal, 0), (.disabled, 0), (.override, 1)] {
            let driver = RouteBookDriver()
            let peer = driver.accept(RouteBookDriver.peer("N1"))
            var rumour = RouteBookDriver.rumour("N2", "10.0.0.2")
            rumour.gossipMode = mode
            let found = try driver.connect(driver.inform(peer.id, rumour), to: RouteBookDriver.peer("N2"))
            #expect(found.actions.gossip.count == told)
            #expect(found.actions.contains(.sendInfo(found.id, link: .slot(0), gossipMode: mode)))
        }
        let driver = RouteBookDriver()
        _ = driver.accept(RouteBookDriver.peer("N1"))
        #expect(driver.accept(RouteBookDriver.peer("N2") { $0.gossipMode = .disabled }).actions.gossip.isEmpty)
    }

    @Test("who is told by gossip tells nobody, but configured servers do")
    func modes() throws {
        let driver = RouteBookDriver { $0.routes = [RouteAddress(host: "10.0.0.1", port: 6222)].compactMap { $0 } }
        let start = driver.start()
        let first = driver.accept(RouteBookDriver.peer("N1"))
        let configured = try driver.connect(start, to: RouteBookDriver.peer("N2"))
        #expect(configured.actions.gossip.map(\.info.gossipMode) == [.override])
        let gossip = driver.accept(RouteBookDriver.peer("N3")).actions.gossip
        #expect(gossip.map(\.to) == [first.id, configured.id])
        #expect(gossip.map(\.info.gossipMode) == [.disabled, .override])
    }

    @Test("nobody is dialled who is known, configured, ourselves, or nowhere")
    func ignored() {
        let driver = RouteBookDriver { options in
            options.routes = [RouteAddress(host: "seed", port: 6222)].compactMap { $0 }
            options.ownAddresses = Set([RouteAddress(host: "10.0.0.5", port: 6222)].compactMap { $0 })
        }
        _ = driver.start()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        _ = driver.accept(RouteBookDriver.peer("N2"), from: "10.0.0.2")
        var configured = RouteBookDriver.rumour("N3", "10.0.0.3")
        configured.host = "SEED"
        for rumour in [
            RouteBookDriver.rumour("N2", "10.0.0.2"), RouteBookDriver.rumour("N5", "10.0.0.6"),
            RouteBookDriver.rumour("N6", "10.0.0.5"), RouteBookDriver.rumour("", "10.0.0.7"), configured,
            RouteBookDriver.rumour("N7", "seed"), RouteBookDriver.rumour("N8", "0.0.0.0"),
            RouteBookDriver.rumour("N9", "10.0.0.9", port: 0), RouteBookDriver.peer("N10"),
        ] {
            #expect(driver.inform(peer.id, rumour).dials.isEmpty, "\(rumour)")
        }
    }

    @Test("the one with the least id is told of new servers once more, and tells all others")
    func secondRound() {
        let follower = RouteBookDriver()
        let least = follower.accept(RouteBookDriver.peer("N1"))
        _ = follower.pass(.seconds(10))
        _ = follower.accept(RouteBookDriver.peer("N6"))
        _ = follower.accept(RouteBookDriver.peer("N7"))
        let reports = follower.pass(.seconds(10)).gossip
        #expect(reports.map(\.info.id) == ["N6", "N7"])
        #expect(reports.allSatisfy { $0.to == least.id && $0.info.gossipMode == .disabled })
        #expect(follower.pass(.hours(1)).isEmpty)

        let leader = RouteBookDriver()
        let old = leader.accept(RouteBookDriver.peer("N6"))
        _ = leader.pass(.seconds(10))
        let first = leader.accept(RouteBookDriver.peer("N7"))
        _ = leader.accept(RouteBookDriver.peer("N8"))
        let news = leader.pass(.seconds(10)).gossip
        #expect(news.map(\.info.id) == ["N7", "N8", "N8"])
        #expect(news.map(\.to).sorted() == [old.id, old.id, first.id].sorted())
    }

    // MARK: Client URLs

    @Test("client URLs are there as long as any peer names them, and those of a lame duck are not")
    func clientURLs() {
        let driver = RouteBookDriver()
        let peer = { (id: String, urls: [String]) in RouteBookDriver.peer(id) { $0.clientURLs = urls } }
        let first = driver.accept(peer("N1", ["a:1", "b:1"]))
        #expect(first.actions.announced == [["a:1", "b:1"]])
        let second = driver.accept(peer("N2", ["b:1", "c:1"]))
        #expect(second.actions.announced == [["a:1", "b:1", "c:1"]])
        #expect(driver.accept(peer("N3", ["c:1"])).actions.announced.isEmpty)
        #expect(driver.close(first.id).announced == [["b:1", "c:1"]])
        var leaving = peer("N2", ["b:1", "c:1"])
        leaving.isLameDuck = true
        #expect(driver.inform(second.id, leaving).announced == [["c:1"]])
        #expect(driver.inform(second.id, leaving).announced.isEmpty)
        #expect(driver.close(second.id).announced.isEmpty)
    }

    @Test("with no_advertise nobody's client URLs are used; and nobody announces without end")
    func limitedURLs() {
        let urls = (0..<1000).map { "host:\($0)" } + [String(repeating: "a", count: 1000)]
        let silent = RouteBookDriver { $0.noAdvertise = true }
        #expect(silent.accept(RouteBookDriver.peer("N1") { $0.clientURLs = urls }).actions.announced.isEmpty)
        let driver = RouteBookDriver()
        let announced = driver.accept(RouteBookDriver.peer("N1") { $0.clientURLs = urls }).actions.announced
        #expect(announced.map(\.count) == [128])
    }

    // MARK: Hostile gossip

    @Test("thousands of addresses are dialled a few at a time, and not more than a peer may tell of")
    func manyAddresses() {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        _ = driver.pass(.seconds(10))
        var waiting: [RouteAction] = []
        for number in 0..<5000 {
            waiting += driver.inform(
                peer.id,
                RouteBookDriver.rumour("X\(number)", "10.1.\(number / 250).\(number % 250)")
            )
        }
        var dials = waiting.dials.count
        #expect(dials == 8)
        #expect(driver.book.dialler.count == 256)
        while !waiting.isEmpty {
            let failed = waiting.removeFirst()
            guard case .dial = failed else { continue }
            let next = driver.fail([failed])
            dials += next.dials.count
            #expect(driver.book.dialler.dialCount <= 8)
            waiting += next
        }
        #expect(dials == 256)
        #expect(driver.book.dialler.count == 0)
        #expect(driver.wait == nil)
        // Later it may tell of some more.
        driver.now = driver.now + .seconds(1)
        let more = (0..<10).flatMap { driver.inform(peer.id, RouteBookDriver.rumour("Y\($0)", "10.2.0.\($0)")) }
        #expect(more.dials.count == 4)
    }

    @Test("one peer's gossip does not keep another's from being heard")
    func fairness() {
        let driver = RouteBookDriver()
        let hostile = driver.accept(RouteBookDriver.peer("N1"))
        let honest = driver.accept(RouteBookDriver.peer("N2"))
        for number in 0..<1000 {
            _ = driver.inform(hostile.id, RouteBookDriver.rumour("X\(number)", "10.1.\(number / 250).\(number % 250)"))
        }
        #expect(driver.inform(honest.id, RouteBookDriver.rumour("N3", "10.0.0.3")).dials.count == 1)
    }

    @Test("ever new ids at one address are dialled once, and then ever more rarely")
    func flappingIDs() throws {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        _ = driver.accept(RouteBookDriver.peer("N2"), from: "10.0.0.2")
        var dials = 0
        for number in 0..<600 {
            var actions = driver.inform(peer.id, RouteBookDriver.rumour("X\(number)", "10.0.0.2"))
            actions += driver.pass(.milliseconds(500))
            guard !actions.dials.isEmpty else { continue }
            dials += 1
            // It is always the same server, which is connected.
            #expect(try driver.connect(actions, to: RouteBookDriver.peer("N2")).actions.reasons == [.duplicateRoute])
        }
        #expect((5...12).contains(dials))
    }
}
