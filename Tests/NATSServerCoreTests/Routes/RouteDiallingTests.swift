import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Route book: who is dialled when")
struct RouteDiallingTests {
    private let target = RouteAddress(host: "10.0.0.1", port: 6222)

    private func driver(_ change: (inout RouteBookOptions) -> Void = { _ in }) -> RouteBookDriver {
        RouteBookDriver { options in
            options.routes = [self.target].compactMap { $0 }
            change(&options)
        }
    }

    /// Milliseconds between failures until nobody dials any more, or so many times.
    private func waits(_ driver: RouteBookDriver, _ start: [RouteAction], most: Int) -> [Int64] {
        var waits: [Int64] = []
        var actions = start
        while !actions.dials.isEmpty, waits.count < most {
            _ = driver.fail(actions)
            guard let wait = driver.wait else { break }
            waits.append(wait)
            actions = driver.waitAndAsk()
        }
        return waits
    }

    @Test("a reload may add and remove servers, and have all connections made anew")
    func reload() throws {
        let first = try #require(RouteAddress(host: "10.0.0.1", port: 6222))
        let second = try #require(RouteAddress(host: "10.0.0.2", port: 6222))
        let driver = RouteBookDriver { $0.routes = [first] }
        let one = try driver.connect(driver.start(), to: RouteBookDriver.peer("N1"))
        let added = driver.book.changeRoutes(adding: [second], removing: [], now: driver.now)
        #expect(added.dials.map(\.address) == [second])
        let two = try driver.connect(added, to: RouteBookDriver.peer("N2"))
        var options = driver.book.options
        options.connectRetries = 7
        #expect(driver.book.reloaded(options, isRestarted: false, now: driver.now).isEmpty)
        options.cluster = "C2"
        let again = driver.book.reloaded(options, isRestarted: true, now: driver.now)
        #expect(again.contains(.adoptCluster("C2")))
        #expect(again.closed == [one.id, two.id] && again.reasons == [.routeRemoved, .routeRemoved])
        #expect(Set(driver.pass(.seconds(2)).dials.map(\.address)) == [first, second])
        let removed = driver.book.changeRoutes(adding: [], removing: [0], now: driver.now)
        #expect(removed.closed.isEmpty)
        #expect(driver.pass(.minutes(1)).dials.allSatisfy { $0.address == second })

        let connected = RouteBookDriver { $0.routes = [first] }
        let only = try connected.connect(connected.start(), to: RouteBookDriver.peer("N1"))
        let gone = connected.book.changeRoutes(adding: [], removing: [0], now: connected.now)
        #expect(gone.closed == [only.id] && gone.lines == ["info Removed route nats-route://10.0.0.1:6222/"])
        #expect(connected.pass(.hours(2)).dials.isEmpty)
    }

    @Test("a configured server is dialled every second, for ever")
    func everySecond() {
        let driver = self.driver()
        #expect(self.waits(driver, driver.start(), most: 100) == Array(repeating: 1000, count: 100))
    }

    @Test("with connect_backoff the waits double up to 30 seconds")
    func backoff() {
        let driver = self.driver { $0.connectBackoff = true }
        let waits = self.waits(driver, driver.start(), most: 8)
        #expect(waits == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
    }

    @Test("before the first connection every 3600th failure is an error, and the first; after a loss each is")
    func errorReports() throws {
        let driver = self.driver()
        var actions = driver.start()
        var levels: [Substring] = []
        for _ in 0..<7200 {
            levels += driver.fail(actions).lines.compactMap { $0.split(separator: " ").first }
            actions = driver.waitAndAsk()
        }
        #expect(levels.indices.filter { levels[$0] == "error" } == [0, 3599, 7199])
        let line = driver.fail(actions).lines
        #expect(line == ["debug Error trying to connect to route (attempt 7201): connection refused"])
        let id = try driver.connect(driver.waitAndAsk(), to: RouteBookDriver.peer("N1")).id
        _ = driver.pass(.minutes(1))
        _ = driver.close(id)
        for attempt in 1...3 {
            let lines = driver.fail(driver.waitAndAsk()).lines
            #expect(lines == ["error Error trying to connect to route (attempt \(attempt)): connection refused"])
        }
    }

    @Test("a configured server that is lost is left alone for a second and up to a tenth")
    func lost() throws {
        var waits: [Int64] = []
        let driver = self.driver()
        var actions = driver.start()
        for _ in 0..<20 {
            let id = try driver.connect(actions, to: RouteBookDriver.peer("N1")).id
            driver.now = driver.now + .minutes(1)
            _ = driver.waitAndAsk()
            _ = driver.close(id)
            waits.append(try #require(driver.wait))
            actions = driver.waitAndAsk()
        }
        #expect(waits.allSatisfy { (1000..<1100).contains($0) })
        #expect(Set(waits).count > 10)
    }

    @Test("a handshake that fails is no reason to dial more often")
    func failedHandshake() throws {
        let driver = self.driver()
        let id = try driver.connect(driver.start()).id
        driver.error(id)
        _ = driver.close(id)
        #expect(try #require(driver.wait) >= 1000)
        let other = try driver.connect(driver.waitAndAsk(), to: RouteBookDriver.peer("N1") { $0.cluster = "OTHER" })
        #expect(other.actions.reasons == [.clusterNameConflict])
        #expect(try #require(driver.wait) >= 1000)
    }

    @Test("a server of gossip is dialled at once, and as often again as connect_retries says", arguments: [0, 1, 3])
    func retries(retries: Int) {
        let driver = RouteBookDriver { $0.connectRetries = retries }
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        _ = driver.pass(.minutes(1))
        let actions = driver.inform(peer.id, RouteBookDriver.rumour("N2", "10.0.0.2"))
        #expect(actions.dials.map(\.address) == [RouteAddress(host: "10.0.0.2", port: 6222)])
        #expect(self.waits(driver, actions, most: 100) == Array(repeating: 1000, count: retries))
        #expect(driver.wait == nil)
    }

    @Test("one that was connected and is lost is dialled at once, and then looked for every half a minute for an hour")
    func search() throws {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        let rumour = driver.inform(peer.id, RouteBookDriver.rumour("N2", "10.0.0.2"))
        let id = try driver.connect(rumour, to: RouteBookDriver.peer("N2")).id
        _ = driver.pass(.minutes(1))
        _ = driver.close(id)
        #expect(try #require(driver.wait) < 100)
        let waits = self.waits(driver, driver.waitAndAsk(), most: 1000)
        #expect(waits.allSatisfy { $0 == 30_000 })
        #expect((119...121).contains(waits.count))
        #expect(driver.wait == nil)
    }

    @Test("one that said it would leave is not looked for")
    func goodbye() throws {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        let rumour = driver.inform(peer.id, RouteBookDriver.rumour("N2", "10.0.0.2"))
        let id = try driver.connect(rumour, to: RouteBookDriver.peer("N2")).id
        _ = driver.pass(.minutes(1))
        _ = driver.inform(id, RouteBookDriver.peer("N2") { $0.isLameDuck = true })
        _ = driver.close(id)
        #expect(self.waits(driver, driver.waitAndAsk(), most: 10) == [])
    }

    @Test("who is configured is dialled with what its URL says, who is not with our own user if it wants one")
    func credentials() throws {
        let driver = self.driver { $0.poolSize = 2 }
        let start = driver.start()
        #expect(start.credentials == [.route(0)])
        let main = try driver.connect(start, to: RouteBookDriver.peer("N1") { $0.poolSize = 2 })
        #expect(driver.pong(main.id).credentials == [.route(0)])
        var rumour = RouteBookDriver.rumour("N2", "10.0.0.2")
        #expect(driver.inform(main.id, rumour).credentials == [.none])
        rumour = RouteBookDriver.rumour("N3", "10.0.0.3")
        rumour.needsCredentials = true
        #expect(driver.inform(main.id, rumour).credentials == [.cluster])
    }

    @Test("what is told again and again is not dialled more often for that")
    func repeated() {
        let driver = RouteBookDriver { $0.connectRetries = 10 }
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        var actions = driver.inform(peer.id, RouteBookDriver.rumour("N2", "10.0.0.2"))
        var dials = 0
        for number in 0..<200 {
            if !actions.dials.isEmpty {
                dials += 1
                _ = driver.fail(actions)
            }
            actions = driver.inform(peer.id, RouteBookDriver.rumour("X\(number)", "10.0.0.2"))
            actions += driver.pass(.milliseconds(100))
        }
        #expect((18...22).contains(dials))
    }

    @Test("one that dialled us dials us again")
    func acceptedIsLost() {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        _ = driver.close(peer.id)
        #expect(driver.pass(.hours(2)).dials.isEmpty)
    }

    @Test("one that takes our connections only to drop them is not dialled in a loop")
    func flapping() throws {
        let driver = RouteBookDriver()
        let peer = driver.accept(RouteBookDriver.peer("N1"))
        var actions = driver.inform(peer.id, RouteBookDriver.rumour("N2", "10.0.0.2"))
        let start = driver.now
        for _ in 0..<30 {
            let id = try driver.connect(actions, to: RouteBookDriver.peer("N2")).id
            _ = driver.close(id)
            repeat { actions = driver.waitAndAsk() } while actions.dials.isEmpty
        }
        #expect(driver.now - start >= .seconds(30))
    }

    @Test("addresses where nobody can be are none")
    func addresses() {
        for url in [
            "", "nats-route://", "nats-route:///", "nats-route://a:0/", "nats-route://a:65536/", "nats-route://a:-1/",
            "nats-route://:6222/", "nats-route://0.0.0.0:6222/", "nats-route://[::]:6222/", "nats-route://a b:6222/",
            "nats-route://user:pass@a:6222/", "nats-route://a:6222/path", "nats-route://a:6222\r\n", "10.0.0.1:6222",
            "nats-route://\(String(repeating: "a", count: 256)):6222/", "nats-route://a/b:6222/",
        ] {
            #expect(RouteAddress(url: url) == nil, "\(url)")
        }
        #expect(RouteAddress(url: "nats-route://A.Example:6222/")?.description == "a.example:6222")
        #expect(RouteAddress(url: "nats-route://[fd00::2]:6222")?.url == "nats-route://[fd00::2]:6222/")
    }
}
