import NATSTestSupport
import Testing

/// Two servers in one cluster, in every combination with one of ours: B dials A.
@Suite("a cluster of two")
struct RoutePairTests {
    struct Pair: Sendable, CustomStringConvertible {
        let first: ServerUnderTest
        let second: ServerUnderTest

        var description: String { "\(self.second) dials \(self.first)" }
    }

    /// Of three servers, each way to have one of ours among them.
    static let triples: [[ServerUnderTest]] = {
        let official = ServerUnderTest.available.filter { $0 == .official }
        let kinds = official + [.ours]
        return kinds.flatMap { first in kinds.flatMap { second in kinds.map { [first, second, $0] } } }
            .filter { $0.contains(.ours) }
    }()

    static let pairs = ServerUnderTest.available.flatMap { first in
        ServerUnderTest.available.map { Pair(first: first, second: $0) }
    }

    static func configuration(_ name: String, routes: [Int] = [], _ more: String = "") -> String {
        let urls = routes.map { "\"nats://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        return """
            server_name: \(name)
            debug: true
            cluster { name: C1, listen: "127.0.0.1:-1", routes: [\(urls)] \(more) }

            """
    }

    /// Runs a body with both, once they are connected.
    static func with(
        _ pair: Pair,
        _ more: String = "",
        _ body: (_ first: ConfiguredServer, _ second: ConfiguredServer) async throws -> Void
    ) async throws {
        try await ConfiguredServer.with(pair.first, self.configuration("A", more)) { first in
            let text = self.configuration("B", routes: [first.clusterPort], more)
            try await ConfiguredServer.with(pair.second, text) { second in
                do {
                    try await body(first, second)
                } catch {
                    Issue.record("A:\n\(first.log)\n\nB:\n\(second.log)")
                    throw error
                }
            }
        }
    }

    /// Publishes until a subscription on another server gets it: from then on that one is known.
    static func settle(
        _ publisher: RawConnection,
        _ subject: String,
        _ subscriber: RawConnection
    ) async throws {
        try await eventually("the interest of the other server") {
            await publisher.send("PUB \(subject) ready 0\r\n\r\nPING\r\n")
            try await publisher.expect("PONG\r\n")
            return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
        }
        // What is still on its way comes before this.
        await publisher.send("PUB \(subject) last 0\r\n\r\n")
        _ = try await subscriber.read(until: " last 0\r\n\r\n")
    }

    /// Waits until a message from one server comes to the other.
    static func expectRoute(from here: ConfiguredServer, to there: ConfiguredServer) async throws {
        let subscriber = try await there.connect("")
        let publisher = try await here.connect("")
        await subscriber.send("SUB route.test 1\r\n")
        do {
            try await self.settle(publisher, "route.test", subscriber)
        } catch {
            Issue.record("here:\n\(here.log)\n\nthere:\n\(there.log)")
            throw error
        }
    }

    @Test("messages go both ways, once each and in order", arguments: pairs)
    func messages(pair: Pair) async throws {
        try await Self.with(pair) { first, second in
            for (here, there) in [(first, second), (second, first)] {
                let subscriber = try await here.connect("", ",\"headers\":true")
                let publisher = try await there.connect("", ",\"headers\":true")
                await subscriber.send("SUB foo.* 7\r\n")
                try await Self.settle(publisher, "foo.a", subscriber)
                let frames = (0..<100).map { "PUB foo.\($0) 3\r\nabc\r\n" }.joined()
                await publisher.send(frames)
                try await subscriber.expect((0..<100).map { "MSG foo.\($0) 7 3\r\nabc\r\n" }.joined())
                await publisher.send("HPUB foo.h in.box 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
                try await subscriber.expect("HMSG foo.h 7 in.box 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
                try await subscriber.expectNothing()
            }
        }
    }

    @Test("a server is found by its name, whichever of its addresses it listens on")
    func name() async throws {
        try await ConfiguredServer.with(.ours, Self.configuration("A")) { first in
            let route = "routes: [\"nats://localhost:\(first.clusterPort)\"]"
            let text = "server_name: B\ncluster { name: C1, listen: \"127.0.0.1:-1\", \(route) }\n"
            try await ConfiguredServer.with(.oursOnManyLoops, text) { second in
                try await Self.expectRoute(from: first, to: second)
            }
        }
    }

    @Test("one member of a queue group gets a message, wherever it is", arguments: pairs)
    func queueGroups(pair: Pair) async throws {
        try await Self.with(pair) { first, second in
            let publisher = try await first.connect("")
            let near = try await first.connect("")
            let far = try await second.connect("")
            await far.send("SUB work crew 1\r\n")
            try await Self.settle(publisher, "work", far)
            await near.send("SUB work crew 1\r\nPING\r\n")
            try await near.expect("PONG\r\n")
            let count = 200
            for index in 0..<count { await publisher.send("PUB work r.\(index) 2\r\nhi\r\n") }
            func received() -> (near: Int, far: Int) {
                let counts = [near, far].map { connection in
                    String(decoding: connection.unread, as: UTF8.self).ranges(of: "MSG work 1 r.").count
                }
                return (counts[0], counts[1])
            }
            try await eventually("all messages") { received().near + received().far >= count }
            let counts = received()
            #expect(counts.near + counts.far == count)
            #expect(counts.near > 0 && counts.far > 0, "\(counts)")
        }
    }

    @Test("a request is answered from another server, and without anybody at once", arguments: pairs)
    func requests(pair: Pair) async throws {
        try await Self.with(pair) { first, second in
            let requester = try await second.connect("", ",\"headers\":true,\"no_responders\":true")
            let responder = try await first.connect("")
            await requester.send("SUB in.* 1\r\nPUB ask in.0 0\r\n\r\n")
            try await requester.expect("HMSG in.0 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: ask\r\n\r\n\r\n")
            await responder.send("SUB ask 9\r\n")
            try await Self.settle(requester, "ask", responder)
            // Whatever told that nobody was there has been told.
            await requester.send("SUB answer.> 2\r\nUNSUB 1\r\nPUB ask answer.1 2\r\nhi\r\n")
            try await responder.expect("MSG ask 9 answer.1 2\r\nhi\r\n")
            await responder.send("PUB answer.1 2\r\nho\r\n")
            _ = try await requester.read(until: "MSG answer.1 2 2\r\nho\r\n")
            await responder.send("UNSUB 9\r\nPING\r\n")
            try await responder.expect("PONG\r\n")
            try await eventually("nobody to answer") {
                await requester.send("PUB ask answer.2 0\r\n\r\nPING\r\n")
                let text = try await requester.read(until: "PONG\r\n")
                return String(decoding: text, as: UTF8.self).contains(" 503\r\n")
            }
        }
    }

    @Test("three servers of which two know only the first find each other", arguments: triples)
    func gossip(kinds: [ServerUnderTest]) async throws {
        try await ConfiguredServer.with(kinds[0], Self.configuration("A")) { first in
            let routes = [first.clusterPort]
            try await ConfiguredServer.with(kinds[1], Self.configuration("B", routes: routes)) { second in
                try await ConfiguredServer.with(kinds[2], Self.configuration("C", routes: routes)) { third in
                    let servers = [first, second, third]
                    do {
                        for (place, here) in servers.enumerated() {
                            let subscriber = try await here.connect("")
                            await subscriber.send("SUB here.\(place).* 1\r\n")
                            for (other, there) in servers.enumerated() where other != place {
                                let publisher = try await there.connect("")
                                try await Self.settle(publisher, "here.\(place).\(other)", subscriber)
                                await publisher.send("PUB here.\(place).\(other) 2\r\nhi\r\n")
                                try await subscriber.expect("MSG here.\(place).\(other) 1 2\r\nhi\r\n")
                            }
                            // What one server has brought here goes to no other one.
                            try await subscriber.expectNothing()
                        }
                        for (place, server) in servers.enumerated() {
                            let ports = servers.map(\.port)
                            let client = try RawConnection.connect(port: server.port)
                            let info = try await client.readInfo()
                            for port in ports { #expect(info.contains(":\(port)\""), "server \(place): \(info)") }
                            client.close()
                        }
                        for server in servers {
                            let errors = server.log.split(separator: "\n").filter { $0.contains("[ERR]") }
                            #expect(errors.isEmpty)
                        }
                    } catch {
                        Issue.record("A:\n\(first.log)\n\nB:\n\(second.log)\n\nC:\n\(third.log)")
                        throw error
                    }
                }
            }
        }
    }
}
