import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Route book: one connection for each link")
struct RouteLinkTests {
    private let target = RouteAddress(host: "10.0.0.1", port: 6222)

    /// `N5` with a route to 10.0.0.1, and what it does at first.
    private func dialling(_ change: (inout RouteBookOptions) -> Void = { _ in }) -> (RouteBookDriver, [RouteAction]) {
        let driver = RouteBookDriver { options in
            options.routes = [self.target].compactMap { $0 }
            change(&options)
        }
        return (driver, driver.start())
    }

    private func peer(_ id: String, pool: Int = 1, index: Int = 0, account: String? = nil) -> RoutePeer {
        RouteBookDriver.peer(id) {
            $0.poolSize = pool
            $0.poolIndex = index
            $0.account = account
        }
    }

    // MARK: Both dial

    @Test("a connection that we dialled is given up unseen if the peer's own one was first")
    func theirsFirst() throws {
        let (driver, start) = self.dialling()
        let theirs = driver.accept(self.peer("N1"))
        let ours = try driver.connect(start, to: self.peer("N1"))
        #expect(ours.actions.closed == [ours.id])
        #expect(ours.actions.introductions.isEmpty)
        #expect(ours.actions.lines == ["debug Detected duplicate remote route \"N1\""])
        // It is configured all the same, so it is dialled when it is lost.
        let lost = driver.close(theirs.id)
        #expect(lost.dials.isEmpty)
        #expect(driver.waitAndAsk().dials.map(\.address) == [self.target])
    }

    @Test("if both were registered, the server with the greater id gives way")
    func greaterID() throws {
        let (driver, start) = self.dialling()
        let ours = try driver.connect(start, to: self.peer("N1"))
        let theirs = driver.accept(self.peer("N1"))
        #expect(theirs.actions.closed == [ours.id])
        #expect(theirs.actions.reasons == [.duplicateRoute])
        #expect(theirs.actions.registered == [theirs.id])
        #expect(driver.pass(.minutes(5)).dials.isEmpty)
    }

    @Test("the one with the lesser id waits for the peer to drop one of them", arguments: [true, false])
    func lesserID(dropsTheirs: Bool) throws {
        let (driver, start) = self.dialling()
        let ours = try driver.connect(start, to: self.peer("N9"))
        let theirs = driver.accept(self.peer("N9"))
        #expect(theirs.actions.closed.isEmpty && theirs.actions.registered.isEmpty)
        let dropped = driver.close(dropsTheirs ? theirs.id : ours.id)
        #expect(dropped.registered == (dropsTheirs ? [] : [theirs.id]))
        #expect(driver.pass(.minutes(5)).dials.isEmpty)
        #expect(driver.book.peers["N9"]?.links == [.slot(0): dropsTheirs ? ours.id : theirs.id])
    }

    @Test("a peer that drops neither is taken at its word: it has registered what it dialled")
    func undecided() throws {
        for (id, milliseconds) in [("N9", 3000), ("N1", 1000)] as [(String, Int64)] {
            let (driver, start) = self.dialling { $0.poolSize = -1 }
            let ours = try driver.connect(start, to: self.peer(id, pool: 0))
            let theirs = driver.accept(self.peer(id, pool: 0))
            #expect(theirs.actions.closed.isEmpty)
            let before = driver.pass(.milliseconds(milliseconds - 1))
            #expect(before.closed.isEmpty)
            let actions = driver.pass(.milliseconds(2))
            #expect(actions.closed == [ours.id])
            #expect(actions.registered == [theirs.id])
        }
    }

    @Test("a third connection for the same link is one too many")
    func third() throws {
        let (driver, start) = self.dialling()
        _ = try driver.connect(start, to: self.peer("N9"))
        _ = driver.accept(self.peer("N9"))
        let third = driver.accept(self.peer("N9"))
        #expect(third.actions.closed == [third.id])
    }

    @Test("a peer with a pool that comes again has lost the connection before")
    func comesAgain() {
        let driver = RouteBookDriver()
        let first = driver.accept(self.peer("N1"))
        let second = driver.accept(self.peer("N1"))
        #expect(second.actions.closed == [first.id])
        #expect(second.actions.reasons == [.staleConnection])
        #expect(second.actions.registered == [second.id])
    }

    @Test("one without a pool is asked whether it has", arguments: [true, false])
    func probe(isAlive: Bool) {
        let driver = RouteBookDriver()
        let first = driver.accept(self.peer("N1", pool: 0))
        let second = driver.accept(self.peer("N1", pool: 0))
        #expect(second.actions.contains(.sendPing(first.id)))
        let actions = isAlive ? driver.pong(first.id) : driver.pass(.seconds(2))
        #expect(actions.closed == [isAlive ? second.id : first.id])
        #expect(actions.registered == (isAlive ? [] : [second.id]))
    }

    // MARK: Pools

    @Test("accounts belong to the slot that FNV-1a says")
    func slots() {
        #expect(RoutePool.slot(of: "$G", size: 3) == 2)
        #expect(RoutePool.slot(of: "$SYS", size: 3) == 0)
        #expect(RoutePool.slot(of: "$G", size: 1) == 0)
        #expect(RoutePool.slot(of: "$G", size: -1) == 0)
    }

    @Test("the larger pool wins, up to a limit; without a pool on either side there is one connection")
    func poolSize() {
        #expect(RoutePool.size(own: 3, peer: 5, most: 64) == 5)
        #expect(RoutePool.size(own: 5, peer: 3, most: 64) == 5)
        #expect(RoutePool.size(own: 3, peer: 0, most: 64) == 0)
        #expect(RoutePool.size(own: -1, peer: 3, most: 64) == 0)
        #expect(RoutePool.size(own: 3, peer: 1_000_000, most: 64) == 64)
        #expect(RoutePool.size(own: 100, peer: 3, most: 64) == 100)
    }

    @Test("who dialled opens the rest of the pool and the accounts, once it has a PONG")
    func opensTheRest() throws {
        let (driver, start) = self.dialling {
            $0.poolSize = 2
            $0.accounts = ["$SYS"]
        }
        let main = try driver.connect(start, to: self.peer("N1", pool: 3))
        #expect(main.actions.dials.isEmpty)
        #expect(main.actions.contains(.sendPing(main.id)))
        let opening = driver.pong(main.id)
        #expect(opening.dials.count == 3)
        #expect(driver.pong(main.id).isEmpty)
        var links: [RouteLink] = []
        for dial in opening.dials {
            let id = 100 + dial.number
            _ = driver.book.dialled(dial.number, as: id, at: "10.0.0.1", now: driver.now)
            let actions = driver.inform(id, self.peer("N1", pool: 3))
            #expect(actions.introductions == actions.links)
            links += actions.links
        }
        #expect(links == [.slot(1), .slot(2), .account("$SYS")])
        #expect(driver.book.connection(to: "N1", for: "$SYS") == driver.book.peers["N1"]?.links[.account("$SYS")])
        // Each side sends on the slot that its own size says.
        let slot = RouteLink.slot(RoutePool.slot(of: "$G", size: 2))
        #expect(driver.book.connection(to: "N1", for: "$G") == driver.book.peers["N1"]?.links[slot])
    }

    @Test("a link that is lost is opened again by who dialled it")
    func reopens() throws {
        let (driver, start) = self.dialling { $0.poolSize = 2 }
        let main = try driver.connect(start, to: self.peer("N1", pool: 2))
        let second = try driver.connect(driver.pong(main.id), to: self.peer("N1", pool: 2))
        _ = driver.close(second.id)
        #expect(try #require(driver.wait) < 1200)
        #expect(driver.pass(.seconds(2)).dials.count == 1)

        let acceptor = RouteBookDriver { $0.poolSize = 2 }
        _ = acceptor.accept(self.peer("N1", pool: 2))
        let other = acceptor.accept(self.peer("N1", pool: 2, index: 1))
        #expect(other.actions.links == [.slot(1)])
        _ = acceptor.close(other.id)
        #expect(acceptor.pass(.seconds(5)).dials.isEmpty)
        // Who dialled had the time for it.
        #expect(acceptor.pass(.seconds(1)).dials.map(\.address.host) == ["10.0.0.9"])
    }

    @Test("peers that claim pools and open one connection each do not make us dial all the others at once")
    func repairIsBounded() {
        let acceptor = RouteBookDriver { $0.poolSize = 8 }
        for number in 0..<20 { _ = acceptor.accept(self.peer("M\(number)", pool: 8)) }
        let first = acceptor.pass(.seconds(6)).dials
        #expect(!first.isEmpty && first.count <= 16)
        for dial in first { _ = acceptor.book.dialFailed(dial.number, "connection refused", now: acceptor.now) }
        // None is tried again before it is its turn.
        #expect(acceptor.pass(.seconds(4)).dials.isEmpty)
        #expect((1...16).contains(acceptor.pass(.seconds(2)).dials.count))
    }

    @Test("if the first connection is lost before the others are there, all of them are opened again")
    func reopensAll() throws {
        let (driver, start) = self.dialling { $0.poolSize = 3 }
        let main = try driver.connect(start, to: self.peer("N1", pool: 3))
        let opening = driver.pong(main.id)
        #expect(opening.dials.count == 2)
        let second = try driver.connect(opening)
        #expect(driver.close(main.id).reasons == [.clientClosed])
        // What comes late of the others changes nothing.
        #expect(driver.inform(second.id, self.peer("N1", pool: 3)).registered.isEmpty)
        let late = try driver.connect([opening[opening.index(before: opening.endIndex)]])
        #expect(late.actions.reasons == [.clientClosed])
        let again = try driver.connect(driver.pass(.seconds(2)), to: self.peer("N1", pool: 3))
        #expect(again.actions.links == [.slot(0)])
        for dial in driver.pong(again.id) {
            guard case .dial = dial else { continue }
            _ = try driver.connect([dial], to: self.peer("N1", pool: 3))
        }
        #expect(driver.book.isComplete)
    }

    @Test("what does not fit the pool is refused in the official words")
    func objections() throws {
        let driver = RouteBookDriver { $0.poolSize = 3 }
        let index = driver.accept(self.peer("N1", pool: 3, index: 7)).actions
        #expect(index.errors == ["Invalid route pool index: 7 - pool size is 3"])
        let negative = driver.accept(self.peer("N1", pool: 3, index: -1)).actions
        #expect(negative.errors == ["Invalid route pool index: -1 - pool size is 3"])
        let unknown = driver.accept(self.peer("N1", pool: 3, account: "$G")).actions
        #expect(unknown.errors == ["No route for account \"$G\""])
        let noPool = driver.accept(self.peer("N1", pool: 0, account: "$SYS")).actions
        #expect(noPool.errors == ["Not possible to have a dedicated route for account \"$SYS\" between those servers"])
        #expect((index + negative + unknown + noPool).reasons.allSatisfy { $0 == .protocolViolation })

        let (dialler, start) = self.dialling()
        let dialled = try dialler.connect(start, to: self.peer("N1", pool: 1, index: 1))
        #expect(dialled.actions.errors == ["Route pool index should not be set but is set to 1"])
    }

    @Test("a peer without a pool has one connection for everything, whatever index it names")
    func noPool() {
        let driver = RouteBookDriver { $0.accounts = ["$SYS"] }
        let only = driver.accept(self.peer("N1", pool: 0, index: 2))
        #expect(only.actions.links == [.slot(0)])
        #expect(driver.book.connection(to: "N1", for: "$SYS") == only.id)
        #expect(driver.book.connection(to: "N1", for: "$G") == only.id)
        #expect(driver.pong(only.id).dials.isEmpty)
    }

    @Test("an account's connection may come before all others")
    func accountFirst() {
        let driver = RouteBookDriver {
            $0.accounts = ["$SYS"]
            $0.poolSize = 3
        }
        let dedicated = driver.accept(self.peer("N1", pool: 3, account: "$SYS"))
        #expect(dedicated.actions.links == [.account("$SYS")])
        #expect(dedicated.actions.lines == ["debug Registering remote route \"N1\" for account \"$SYS\""])
        #expect(driver.book.connection(to: "N1", for: "$G") == nil)
        #expect(driver.accept(self.peer("N1", pool: 3)).actions.links == [.slot(0)])
    }

    @Test("an account for which the peer wants no connection goes with the others")
    func refusedAccount() throws {
        let (driver, start) = self.dialling { $0.accounts = ["A"] }
        let main = try driver.connect(start, to: self.peer("N1"))
        let dedicated = try driver.connect(driver.pong(main.id))
        #expect(driver.book.connection(to: "N1", for: "A") == nil)
        driver.error(dedicated.id)
        _ = driver.close(dedicated.id)
        #expect(driver.pass(.minutes(10)).dials.isEmpty)
        #expect(driver.book.connection(to: "N1", for: "A") == main.id)
    }

    @Test("an account whose connection the peer refuses after its INFO goes with the others, too")
    func refusedLate() throws {
        let (driver, start) = self.dialling { $0.accounts = ["A"] }
        let main = try driver.connect(start, to: self.peer("N1"))
        let dedicated = try driver.connect(driver.pong(main.id), to: self.peer("N1"))
        #expect(driver.book.connection(to: "N1", for: "A") == dedicated.id)
        driver.error(dedicated.id)
        #expect(driver.close(dedicated.id).contains(.assignAccounts("N1")))
        #expect(driver.pass(.minutes(10)).dials.isEmpty)
        #expect(driver.book.connection(to: "N1", for: "A") == main.id)
    }

    @Test("the connection for an account that does not come is opened by who was dialled, too")
    func missingAccount() throws {
        let driver = RouteBookDriver { $0.accounts = ["$SYS"] }
        _ = driver.accept(self.peer("N1"), from: "10.0.0.1")
        #expect(driver.pass(.milliseconds(1900)).dials.isEmpty)
        let actions = driver.pass(.milliseconds(200))
        #expect(actions.dials.map(\.address) == [self.target])
        #expect(try driver.connect(actions, to: self.peer("N1")).actions.links == [.account("$SYS")])

        let patient = RouteBookDriver { $0.accounts = ["$SYS"] }
        _ = patient.accept(self.peer("N1"))
        _ = patient.accept(self.peer("N1", account: "$SYS"))
        #expect(patient.pass(.minutes(1)).dials.isEmpty)
    }

    @Test("a further connection that ends at another server is closed")
    func otherServer() throws {
        let (driver, start) = self.dialling { $0.poolSize = 2 }
        let main = try driver.connect(start, to: self.peer("N1", pool: 2))
        let stranger = try driver.connect(driver.pong(main.id), to: self.peer("N2", pool: 2))
        #expect(stranger.actions.closed == [stranger.id])
        #expect(driver.book.peers["N2"] == nil)
    }
}
