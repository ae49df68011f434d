import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Route book: who it is")
struct RouteHandshakeTests {
    private let target = RouteAddress(host: "10.0.0.1", port: 6222)

    private func dialling(_ change: (inout RouteBookOptions) -> Void = { _ in }) -> RouteBookDriver {
        RouteBookDriver { options in
            options.routes = [self.target].compactMap { $0 }
            change(&options)
        }
    }

    @Test("who accepts says who it is at once; who dialled says CONNECT, and the rest when it knows the other")
    func order() throws {
        let acceptor = RouteBookDriver()
        let accepted = acceptor.accept()
        #expect(accepted.actions == [.sendInfo(accepted.id, link: .slot(0), gossipMode: .normal)])

        let dialler = self.dialling()
        let start = dialler.start()
        #expect(start.dials.map(\.address) == [self.target])
        let dialled = try dialler.connect(start)
        #expect(dialled.actions == [.sendConnect(dialled.id)])
        let actions = dialler.inform(dialled.id, RouteBookDriver.peer("N1"))
        #expect(actions.introductions == [.slot(0)])
        #expect(actions.registered == [dialled.id])
        #expect(actions.lines == ["debug Registering remote route \"N1\""])
    }

    @Test("INFO before CONNECT is an authorization violation")
    func infoFirst() {
        let driver = RouteBookDriver()
        let id = driver.accept().id
        let actions = driver.inform(id, RouteBookDriver.peer("N1"))
        #expect(actions.errors == ["Authorization Violation"])
        #expect(actions.reasons == [.authenticationFailure])
        #expect(driver.book.connections.isEmpty)
    }

    @Test("clients and gateways are told that this is the wrong port")
    func wrongPort() {
        let driver = RouteBookDriver()
        let client = driver.greet(driver.accept().id, RouteGreeting(id: "", cluster: "", language: "go"))
        #expect(client.errors == ["attempted to connect to route port"])
        #expect(client.reasons == [.incorrectPort])
        let gateway = driver.greet(driver.accept().id, RouteGreeting(id: "", cluster: "C1", gateway: "gw"))
        #expect(gateway.errors == ["Rejecting connection from gateway \"gw\" on the Route port"])
        #expect(gateway.reasons == [.wrongGateway])
    }

    @Test("another cluster is refused by name in CONNECT, and without a word in INFO")
    func clusterConflict() {
        let driver = RouteBookDriver()
        let greeted = driver.greet(driver.accept().id, RouteGreeting(id: "N1", cluster: "OTHER"))
        let text = "Rejecting connection, cluster name \"OTHER\" does not match \"C1\""
        #expect(greeted.errors == [text])
        #expect(greeted.lines == ["error \(text)"])
        #expect(greeted.reasons == [.clusterNameConflict])
        let id = driver.accept().id
        _ = driver.greet(id, RouteGreeting(id: "N1", cluster: "C1"))
        let informed = driver.inform(id, RouteBookDriver.peer("N1") { $0.cluster = "OTHER" })
        #expect(informed.reasons == [.clusterNameConflict])
        #expect(informed.errors.isEmpty)
        // Who does not say it is not asked.
        let silent = driver.accept().id
        _ = driver.greet(silent, RouteGreeting(id: "N2", cluster: "C1"))
        let actions = driver.inform(silent, RouteBookDriver.peer("N2") { $0.cluster = "" })
        #expect(actions.registered == [silent])
    }

    @Test(
        "a name that was made up gives way to a configured one and to a greater one",
        arguments: [
            ("aaa", false, true), ("zzz", true, true), ("aaa", true, false), ("z z", false, false), ("", false, false),
        ]
    )
    func dynamicName(theirs: String, isDynamic: Bool, isAdopted: Bool) {
        let driver = RouteBookDriver {
            $0.isDynamic = true
            $0.cluster = "mmm"
        }
        let old = driver.accept(RouteBookDriver.peer("N1") { $0.cluster = "mmm" })
        let id = driver.accept().id
        let actions = driver.greet(id, RouteGreeting(id: "N2", cluster: theirs, isDynamic: isDynamic))
        #expect(actions.contains(.adoptCluster(theirs)) == isAdopted)
        // Who is left behind in the old cluster is dropped.
        #expect(actions.closed == [isAdopted ? old.id : id])
        #expect(actions.reasons == [.clusterNameConflict])
        #expect(actions.lines.contains("info Cluster name updated to \(theirs)") == isAdopted)
        #expect(driver.book.options.isDynamic == (!isAdopted || isDynamic))
    }

    @Test("a server that has taken over a configured name keeps it")
    func adoptedName() {
        let driver = RouteBookDriver { $0.isDynamic = true }
        _ = driver.greet(driver.accept().id, RouteGreeting(id: "N1", cluster: "first"))
        let second = driver.greet(driver.accept().id, RouteGreeting(id: "N2", cluster: "second"))
        #expect(second.errors == ["Rejecting connection, cluster name \"second\" does not match \"first\""])
    }

    @Test("a route to ourselves is closed and never dialled again")
    func ourselves() throws {
        let driver = self.dialling()
        let dialled = try driver.connect(driver.start())
        let actions = driver.inform(dialled.id, RouteBookDriver.peer("N5"))
        #expect(actions.reasons == [.duplicateRoute])
        #expect(actions.errors.isEmpty)
        #expect(actions.lines == ["debug Detected route to self, ignoring \"nats-route://10.0.0.1:6222/\""])
        #expect(driver.book.nextDeadline == nil)
        // Nor if somebody tells of that address under another name.
        let other = driver.accept(RouteBookDriver.peer("N1"))
        let rumour = driver.inform(other.id, RouteBookDriver.rumour("N2", "10.0.0.1"))
        #expect(rumour.dials.isEmpty)
        let accepted = driver.accept(RouteBookDriver.peer("N5"))
        #expect(accepted.actions.reasons == [.duplicateRoute])
    }

    @Test("an address that is known to be our own is not dialled at all")
    func ownAddress() {
        let driver = self.dialling { $0.ownAddresses = Set([self.target].compactMap { $0 }) }
        #expect(driver.start().dials.isEmpty)
    }

    @Test("another server with our name is refused where it dialled us")
    func duplicateName() {
        let driver = RouteBookDriver()
        let actions = driver.accept(RouteBookDriver.peer("N1") { $0.name = "five" }).actions
        #expect(actions.reasons == [.duplicateServerName])
        #expect(actions.errors.isEmpty)
        #expect(actions.lines == ["error Remote server has a duplicate name: \"five\""])
    }

    @Test(
        "an INFO without an id, or with an endless one, ends the connection",
        arguments: ["", String(repeating: "N", count: 300)]
    )
    func badID(id: String) {
        let driver = RouteBookDriver()
        #expect(driver.accept(RouteBookDriver.peer(id)).actions.reasons == [.protocolViolation])
        #expect(driver.book.peers.isEmpty)
    }

    @Test("connections that say nothing, and servers, are limited in number")
    func limits() {
        let driver = RouteBookDriver {
            $0.limits.handshakes = 2
            $0.limits.peers = 2
        }
        let silent = [driver.accept(), driver.accept(), driver.accept()]
        #expect(silent.map(\.actions.reasons) == [[], [], [.maxConnectionsExceeded]])
        _ = driver.close(silent[0].id)
        _ = driver.close(silent[1].id)
        let peers = (1...3).map { driver.accept(RouteBookDriver.peer("N\($0)")).actions }
        #expect(peers.map(\.registered.count) == [1, 1, 0])
        #expect(peers[2].reasons == [.maxConnectionsExceeded])
    }

    @Test("who says nothing is given up, and dialled again")
    func silent() throws {
        let driver = RouteBookDriver {
            $0.routes = [RouteAddress(host: "10.0.0.1", port: 6222)].compactMap { $0 }
            $0.limits.handshakeTime = .seconds(5)
        }
        let dialled = try driver.connect(driver.start())
        let (silent, half) = (driver.accept(), driver.accept())
        _ = driver.greet(half.id, RouteGreeting(id: "N1", cluster: "C1"))
        #expect(driver.pass(.milliseconds(4999)).isEmpty)
        let actions = driver.pass(.milliseconds(1))
        #expect(actions.closed == [dialled.id, silent.id, half.id])
        #expect(actions.errors == ["Authentication Timeout", "Authentication Timeout"])
        #expect(driver.pass(.seconds(2)).dials.count == 1)
        // Nothing is left of them.
        driver.book.options.limits.handshakes = 1
        #expect(driver.accept().actions.reasons.isEmpty)
    }

    @Test("events of connections that are gone change nothing")
    func unknownConnections() {
        let driver = RouteBookDriver()
        let inform = driver.inform(99, RouteBookDriver.peer("N1"))
        let others = driver.greet(99, RouteGreeting(id: "N1", cluster: "C1")) + driver.pong(99) + driver.close(99)
        driver.error(99)
        #expect(inform.isEmpty && others.isEmpty)
        // A dial that nobody wants any more.
        #expect(driver.book.dialled(7, as: 100, at: "10.0.0.1", now: driver.now).reasons == [.clientClosed])
        #expect(driver.book.dialFailed(7, "refused", now: driver.now).isEmpty)
    }
}
