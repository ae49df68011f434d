import Dispatch
import NATSTestServer
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

/// Both sides of a migration played by the test: what goes over which connection, and when.
@Suite struct MigrationTests {
    private static let idA = "NAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    private static let idB = "NBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
    private static let lameDuck = ScriptedServer.info(serverID: idA, extra: ",\"ldm\":true")
    private static let infoB = ScriptedServer.info(serverID: idB)

    private struct Scene {
        let client: NATSClient
        let events: EventRecorder
        let a: ScriptedServer
        let b: ScriptedServer
        let old: RawConnection
    }

    private func configuration(_ urls: [String]) -> NATSClientConfiguration {
        var configuration = NATSClientConfiguration(servers: urls)
        configuration.randomizeServers = false
        configuration.reconnectWait = .milliseconds(5)
        configuration.maxReconnectWait = .milliseconds(20)
        configuration.reconnectJitter = .milliseconds(2)
        configuration.connectTimeout = .seconds(20)
        configuration.lameDuck = .migrate
        configuration.migrationDelay = .zero
        configuration.migrationLead = .zero
        configuration.migrationOverlap = .seconds(3600)
        configuration.migrationLinger = .seconds(3600)
        configuration.migrationAnswerLimit = .seconds(3600)
        return configuration
    }

    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        try await self.withScene(changing: { _ in }, body)
    }

    private func withScene(
        changing change: (inout NATSClientConfiguration) -> Void,
        _ body: (Scene) async throws -> Void
    ) async throws {
        let a = try ScriptedServer()
        let b = try ScriptedServer()
        var configuration = self.configuration([a.url, b.url])
        change(&configuration)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (old, _) = try await a.acceptClient(info: ScriptedServer.info(serverID: Self.idA))
        let client = try await connecting.value
        let scene = Scene(client: client, events: EventRecorder(client), a: a, b: b, old: old)
        do {
            try await body(scene)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        await a.close()
        await b.close()
    }

    /// Lame duck mode, and the new connection up to its first operations.
    private func successor(_ scene: Scene, _ expected: String) async throws -> RawConnection {
        await scene.old.send(Self.lameDuck)
        let (new, _) = try await scene.b.acceptClient(info: Self.infoB)
        try await new.expect(expected + "PING\r\n")
        return new
    }

    /// The switch, up to the moment in which both connections have the subscriptions.
    private func switchOver(_ scene: Scene, _ new: RawConnection) async throws {
        await new.send("PONG\r\n")
        try await scene.old.expect("PING\r\n")
        await scene.old.send("PONG\r\n")
        try await eventually { scene.client.serverInfo?.id == Self.idB }
    }

    /// The end of the time in which both connections have the subscriptions.
    private func endOverlap(_ scene: Scene) async throws {
        let core = scene.client.core
        try await core.eventLoop.submit {
            if let migration = core.migration {
                core.perform(migration.machine.hurry())
            }
        }.get()
    }

    /// Sends something and waits until the client has got it.
    private func send(_ text: String, on connection: RawConnection, _ scene: Scene) async throws {
        let before = scene.client.statistics.socketBytesIn
        await connection.send(text)
        try await eventually { scene.client.statistics.socketBytesIn >= before + UInt64(text.utf8.count) }
    }

    private func message(_ text: String, sid: Int = 2, subject: String = "p") -> String {
        "MSG \(subject) \(sid) \(text.utf8.count)\r\n\(text)\r\n"
    }

    private func texts(_ subscription: NATSSubscription, _ count: Int) async throws -> [String] {
        var texts: [String] = []
        for _ in 0..<count {
            guard let message = try await subscription.next(timeout: .seconds(60)) else {
                break
            }
            texts.append(message.string)
        }
        return texts
    }

    @Test("subscribe and flush there, flush here, publish there, drain here: in this order, and copies come once")
    func order() async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            let queue = try await scene.client.subscribe("q", queue: "g")
            try await scene.old.expect("SUB p 2\r\nSUB q g 3\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\nSUB q g 3\r\n")
            // Until the new server has confirmed, everything goes to the old one.
            try await scene.client.publish("1", to: "x")
            try await scene.old.expect("PUB x 1\r\n1\r\n")
            await scene.old.send(self.message("1") + self.message("2"))
            await new.send(self.message("2") + self.message("3") + "PONG\r\n")
            try await scene.old.expect("PING\r\n")
            // The old server has not confirmed what was published: more waits.
            try await scene.client.publish("2", to: "x")
            let made = try await scene.client.subscribe("r")
            try await new.expect("SUB r 4\r\n")
            #expect(scene.client.serverInfo?.id == Self.idA)
            await scene.old.send("PONG\r\n")
            // The old connection's SUB would be a second one.
            try await new.expect("PUB x 1\r\n2\r\n")
            #expect(scene.client.serverInfo?.id == Self.idB)
            // Members of a queue group get theirs at once, on either connection.
            await new.send(self.message("new", sid: 3, subject: "q"))
            await scene.old.send(self.message("old", sid: 3, subject: "q"))
            #expect(Set(try await self.texts(queue, 2)) == ["new", "old"])
            // 4 comes on the new connection first, and waits for the old one.
            await new.send(self.message("4") + self.message("5") + self.message("5") + self.message("6"))
            await scene.old.send(self.message("3") + self.message("4") + self.message("5"))
            #expect(try await self.texts(plain, 5) == ["1", "2", "3", "4", "5"])
            // Only the new server knows this one.
            await new.send(self.message("made", sid: 4, subject: "r"))
            #expect(try await self.texts(made, 1) == ["made"])
            // Somebody who drains waits for the end of the overlap.
            let draining = Task { try await made.drain(timeout: .seconds(60)) }
            try await new.expect("UNSUB 4\r\nPING\r\n")
            await new.send("PONG\r\n")
            try await self.endOverlap(scene)
            let tail = try await scene.old.read(until: "PING\r\n")
            for sid in 2...4 {
                #expect(String(decoding: tail, as: UTF8.self).contains("UNSUB \(sid)\r\n"))
            }
            await scene.old.send(self.message("7") + "PONG\r\n")
            #expect(try await self.texts(plain, 3) == ["7", "5", "6"])
            try await draining.value
            _ = try await scene.old.readToEnd()
            await new.send(self.message("7") + self.message("8"))
            #expect(try await self.texts(plain, 1) == ["8"])
            await scene.events.wait {
                guard case .migrated(let migration) = $0 else {
                    return false
                }
                return migration.from == scene.a.url && migration.to == scene.b.url && migration.copies == 4
                    && migration.largestHeldMessages > 0 && migration.unmatched == 0
            }
            #expect(!scene.events.names.contains("disconnected") && scene.client.statistics.reconnects == 0)
            let core = scene.client.core
            try await eventually { try await core.eventLoop.submit { core.migration == nil }.get() }
        }
    }

    @Test("a pending request gets its reply on the new connection; what was asked before is not asked again")
    func request() async throws {
        try await self.withScene { scene in
            let asking = Task { try await scene.client.request("x", to: "s", timeout: .seconds(60)) }
            let lines = String(decoding: try await scene.old.read(until: "\r\nx\r\n"), as: UTF8.self)
            let words = lines.split(separator: "\r\n").map { $0.split(separator: " ") }
            #expect(words[0][0] == "SUB" && words[1][0] == "PUB")
            let new = try await self.successor(scene, "SUB \(words[0][1]) 1\r\n")
            try await self.switchOver(scene, new)
            await new.send("MSG \(words[1][2]) 1 2\r\nok\r\n")
            #expect(try await asking.value.string == "ok")
            try await self.send("MSG \(words[1][2]) 1 2\r\nok\r\n", on: scene.old, scene)
            let again = Task { try await scene.client.request("y", to: "s", timeout: .seconds(60)) }
            let second = String(decoding: try await new.read(until: "\r\ny\r\n"), as: UTF8.self).split(separator: " ")
            await new.send("MSG \(second[2]) 1 5\r\nagain\r\n")
            #expect(try await again.value.string == "again")
        }
    }

    @Test("a maximum counts each message once, on whichever connection")
    func maximum() async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            subscription.unsubscribe(after: 5)
            try await scene.old.expect("SUB p 2\r\nUNSUB 2 5\r\n")
            await scene.old.send(self.message("1") + self.message("2"))
            #expect(try await self.texts(subscription, 2) == ["1", "2"])
            // The new server would count copies that the client does not.
            let new = try await self.successor(scene, "SUB p 2\r\n")
            try await self.switchOver(scene, new)
            // A copy that comes after the overlap would be delivered.
            try await self.send(self.message("3") + self.message("4"), on: scene.old, scene)
            let tail = self.message("3") + self.message("4") + self.message("5") + self.message("6")
            try await self.send(tail, on: new, scene)
            // The new server has to be told of the end.
            try await self.endOverlap(scene)
            try await scene.old.expect("UNSUB 2\r\nPING\r\n")
            await scene.old.send("PONG\r\n")
            #expect(try await self.texts(subscription, 4) == ["3", "4", "5"])
            try await new.expect("UNSUB 2\r\n")
        }
    }

    @Test("with no other server the client stays, and reconnects when the old connection closes")
    func nowhereToGo() async throws {
        let a = try ScriptedServer()
        let port = try ReservedPort()
        let connecting = Task { try await NATSClient.connect(self.configuration([a.url, port.url])) }
        let (old, _) = try await a.acceptClient(info: ScriptedServer.info(serverID: Self.idA))
        let client = try await connecting.value
        let events = EventRecorder(client)
        let subscription = try await client.subscribe("p")
        try await old.expect("SUB p 2\r\n")
        await old.send(Self.lameDuck)
        // Again and again.
        try await eventually { events.names.count { $0 == "reconnectAttemptFailed" } >= 3 }
        await old.send(self.message("1"))
        #expect(try await self.texts(subscription, 1) == ["1"])
        #expect(client.isConnected)
        old.reset()
        let (again, _) = try await a.acceptClient(info: ScriptedServer.info(serverID: Self.idA))
        try await again.expect("SUB p 2\r\n")
        await events.wait { if case .reconnected = $0 { true } else { false } }
        await client.close()
        await a.close()
        port.release()
    }

    @Test("a new server that is the old one under another name, or going as well, is none", arguments: [true, false])
    func uselessServer(_ isSame: Bool) async throws {
        try await self.withScene { scene in
            await scene.old.send(Self.lameDuck)
            let useless = try await scene.b.accept()
            await useless.send(
                isSame
                    ? ScriptedServer.info(serverID: Self.idA)
                    : ScriptedServer.info(serverID: Self.idB, extra: ",\"ldm\":true")
            )
            _ = try await useless.readLine()
            try await useless.expect("PING\r\n")
            await useless.send("PONG\r\n")
            _ = try await useless.readToEnd()
            let (new, _) = try await scene.b.acceptClient(info: Self.infoB)
            try await new.expect("PING\r\n")
            try await self.switchOver(scene, new)
        }
    }

    @Test("a new connection that dies before the switch leaves the old one as it was", arguments: [true, false])
    func newDiesEarly(_ isFlushed: Bool) async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            await new.send(self.message("1"))
            if isFlushed {
                await new.send("PONG\r\n")
                try await scene.old.expect("PING\r\n")
                try await scene.client.publish("held", to: "x")
            }
            new.reset()
            if isFlushed {
                // What waited for the switch goes out here.
                try await scene.old.expect("PUB x 4\r\nheld\r\n")
            }
            await scene.old.send(self.message("1") + self.message("2"))
            #expect(try await self.texts(subscription, 2) == ["1", "2"])
            // The next attempt is as good.
            let (second, _) = try await scene.b.acceptClient(info: Self.infoB)
            try await second.expect("SUB p 2\r\nPING\r\n")
            if isFlushed {
                await scene.old.send("PONG\r\n")
            }
            try await self.switchOver(scene, second)
            #expect(!scene.events.names.contains("disconnected"))
        }
    }

    @Test("a new connection that dies after the switch gives way to the old one, which is still complete")
    func newDiesLate() async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            try await self.switchOver(scene, new)
            let later = try await scene.client.subscribe("later")
            try await new.expect("SUB later 3\r\n")
            await new.send(self.message("1") + self.message("2"))
            await scene.old.send(self.message("1"))
            #expect(try await self.texts(subscription, 1) == ["1"])
            let asking = Task { try await scene.client.request("x", to: "s", timeout: .seconds(60)) }
            _ = try await new.read(until: "\r\nx\r\n")
            new.reset()
            await expectError(.disconnected) { _ = try await asking.value }
            let lines = String(decoding: try await scene.old.read(until: "SUB later 3\r\n"), as: UTF8.self)
            #expect(!lines.contains("SUB p"))
            await scene.events.wait { if case .reconnected = $0 { true } else { false } }
            #expect(scene.client.serverInfo?.id == Self.idA)
            await scene.old.send(self.message("2") + self.message("x", sid: 3, subject: "later"))
            #expect(try await self.texts(subscription, 1) == ["2"])
            #expect(try await self.texts(later, 1) == ["x"])
            try await scene.client.publish("y", to: "x")
            _ = try await scene.old.read(until: "PUB x 1\r\ny\r\n")
        }
    }

    @Test("an old connection that dies early gives way to the new one at once", arguments: [true, false])
    func oldDiesEarly(_ isFlushed: Bool) async throws {
        try await self.withScene {
            $0.allowReconnect = false
        } _: { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            await scene.old.send(self.message("1") + self.message("2"))
            await new.send(self.message("2") + self.message("3") + "PING\r\n")
            #expect(try await self.texts(subscription, 2) == ["1", "2"])
            // A copy that comes later than the loss would be delivered.
            try await new.expect("PONG\r\n")
            if isFlushed {
                await new.send("PONG\r\n")
                try await scene.old.expect("PING\r\n")
                try await scene.client.publish("held", to: "x")
            }
            scene.old.reset()
            await scene.events.wait { if case .reconnected = $0 { true } else { false } }
            if isFlushed {
                try await new.expect("PUB x 4\r\nheld\r\n")
            }
            #expect(scene.client.serverInfo?.id == Self.idB)
            #expect(try await self.texts(subscription, 1) == ["3"])
            await new.send(self.message("4"))
            #expect(try await self.texts(subscription, 1) == ["4"])
        }
    }

    @Test("an old connection that dies after the switch leaves nothing behind")
    func oldDiesLate() async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            // Its PONG is owed by the old server.
            let flushing = Task { try await scene.client.flush(timeout: .seconds(60)) }
            try await scene.old.expect("PING\r\n")
            await new.send("PONG\r\n")
            try await scene.old.expect("PING\r\n")
            await scene.old.send("PONG\r\nPONG\r\n")
            try await flushing.value
            try await eventually { scene.client.serverInfo?.id == Self.idB }
            // A copy that comes later than the loss would be delivered.
            try await self.send(self.message("1") + self.message("2"), on: new, scene)
            await scene.old.send(self.message("1"))
            #expect(try await self.texts(subscription, 1) == ["1"])
            scene.old.reset()
            #expect(try await self.texts(subscription, 1) == ["2"])
            await scene.events.wait { if case .migrated = $0 { true } else { false } }
            #expect(scene.client.isConnected && !scene.events.names.contains("disconnected"))
        }
    }

    @Test("with no room for more the new connection is not read until the old one is done")
    func bounded() async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            try await self.switchOver(scene, new)
            let payload = String(repeating: "x", count: 100_000)
            let sending = Task {
                for index in 0..<300 {
                    await new.send(self.message("\(1000 + index)" + payload))
                }
            }
            // 30 MB do not go in: the old connection is drained at once.
            _ = try await scene.old.read(until: "UNSUB 2\r\nPING\r\n")
            await scene.old.send(self.message("1000" + payload) + "PONG\r\n")
            let texts = try await self.texts(subscription, 300)
            #expect(texts.map { $0.prefix(4) } == (1000..<1300).map { "\($0)" })
            await sending.value
            await scene.events.wait {
                guard case .migrated(let migration) = $0 else {
                    return false
                }
                return migration.largestHeldBytes >= 8 << 20 && migration.largestHeldBytes < 12 << 20
            }
        }
    }

    @Test("a client that drains, or closes, ends a migration in whatever state", arguments: 0..<6)
    func drain(_ way: Int) async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            if way >= 2 {
                try await self.switchOver(scene, new)
                try await self.send(self.message("1"), on: new, scene)
            }
            switch way {
            case 0:
                // Before the switch: the new connection is given up.
                let draining = Task { try await scene.client.drain(timeout: .seconds(60)) }
                _ = try await new.readToEnd()
                try await scene.old.expect("UNSUB 2\r\nPING\r\n")
                await scene.old.send("PONG\r\n")
                _ = try await scene.old.read(until: "PING\r\n")
                await scene.old.send("PONG\r\n")
                try await draining.value
            case 2, 3:
                let draining = Task { try await scene.client.drain(timeout: .seconds(60)) }
                let core = scene.client.core
                try await eventually { try await core.eventLoop.submit { !core.drainWaiters.isEmpty }.get() }
                try await self.endOverlap(scene)
                _ = try await scene.old.read(until: "PING\r\n")
                if way == 2 {
                    await scene.old.send("PONG\r\n")
                } else {
                    scene.old.reset()
                }
                #expect(try await self.texts(subscription, 1) == ["1"])
                _ = try await new.read(until: "UNSUB 2\r\nPING\r\n")
                await new.send("PONG\r\n")
                _ = try await new.read(until: "PING\r\n")
                await new.send("PONG\r\n")
                try await draining.value
            case 4:
                try scene.client.forceReconnect()
                try scene.client.setServerPool([scene.a.url])
                await scene.client.close()
                _ = try await scene.old.readToEnd()
                _ = try await new.readToEnd()
            case 5:
                scene.old.reset()
                new.reset()
                await scene.events.wait { if case .disconnected = $0 { true } else { false } }
                await scene.client.close()
            default:
                await scene.client.close()
                _ = try await scene.old.readToEnd()
                _ = try await new.readToEnd()
            }
        }
    }

    @Test("what is subscribed and unsubscribed behind the last write to the old server holds there too, after a revert")
    func changesBeforeSwitch() async throws {
        try await self.withScene { scene in
            let queue = try await scene.client.subscribe("q", queue: "g")
            try await scene.old.expect("SUB q g 2\r\n")
            let new = try await self.successor(scene, "SUB q g 2\r\n")
            await new.send("PONG\r\n")
            try await scene.old.expect("PING\r\n")
            let made = try await scene.client.subscribe("r")
            try await new.expect("SUB r 3\r\n")
            queue.unsubscribe()
            try await new.expect("UNSUB 2\r\n")
            await scene.old.send("PONG\r\n")
            try await scene.old.expect("UNSUB 2\r\n")
            await new.send(self.message("1", sid: 3, subject: "r"))
            #expect(try await self.texts(made, 1) == ["1"])
            new.reset()
            try await scene.old.expect("SUB r 3\r\n")
            await scene.old.send(self.message("2", sid: 3, subject: "r"))
            #expect(try await self.texts(made, 1) == ["2"])
        }
    }

    @Test(
        "what the next server refuses is its own failure: the subscriptions stay with the one that has them",
        arguments: ["Permissions Violation for Subscription to \"p\"", "maximum subscriptions exceeded"]
    )
    func refusedByNew(_ refusal: String) async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            let queue = try await scene.client.subscribe("q", queue: "g")
            try await scene.old.expect("SUB p 2\r\nSUB q g 3\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\nSUB q g 3\r\n")
            await new.send("-ERR '\(refusal)'\r\n-ERR '\(refusal)'\r\nPONG\r\n")
            _ = try await new.readToEnd()
            await scene.old.send(self.message("1") + self.message("2", sid: 3, subject: "q"))
            #expect(try await self.texts(plain, 1) == ["1"])
            #expect(try await self.texts(queue, 1) == ["2"])
            // The next attempt, in the same words.
            let (again, _) = try await scene.b.acceptClient(info: Self.infoB)
            try await again.expect("SUB p 2\r\nSUB q g 3\r\nPING\r\n")
            #expect(scene.client.serverInfo?.id == Self.idA)
        }
    }

    @Test("what is subscribed while the new server confirms the others reaches it when the old one has it for sure")
    func subscribeMeanwhile() async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            let late = try await scene.client.subscribe("r")
            let gone = try await scene.client.subscribe("s")
            let limited = try await scene.client.subscribe("t", queue: "g")
            limited.unsubscribe(after: 3)
            gone.unsubscribe()
            try await scene.old.expect("SUB r 3\r\nSUB s 4\r\nSUB t g 5\r\nUNSUB 5 3\r\nUNSUB 4\r\n")
            await scene.old.send(self.message("1", sid: 5, subject: "t"))
            #expect(try await self.texts(limited, 1) == ["1"])
            await new.send("PONG\r\n")
            try await scene.old.expect("PING\r\n")
            await scene.old.send(self.message("1", sid: 3, subject: "r") + "PONG\r\n")
            // Not before; and with what is left of the limit.
            try await new.expect("SUB r 3\r\nSUB t g 5\r\nUNSUB 5 2\r\n")
            await new.send(self.message("2", sid: 3, subject: "r") + self.message("3", sid: 3, subject: "r"))
            await scene.old.send(self.message("2", sid: 3, subject: "r"))
            #expect(try await self.texts(late, 2) == ["1", "2"])
            try await self.endOverlap(scene)
            _ = try await scene.old.read(until: "PING\r\n")
            await scene.old.send("PONG\r\n")
            #expect(try await self.texts(late, 1) == ["3"])
            #expect(plain.statistics.delivered == 0)
        }
    }

    @Test("a client that connects to a server in lame duck mode hears of it, and goes on to the next")
    func lameDuckFromTheStart() async throws {
        let a = try ScriptedServer()
        let b = try ScriptedServer()
        let connecting = Task { [configuration = self.configuration([a.url, b.url])] in
            try await NATSClient.connect(configuration)
        }
        let (old, _) = try await a.acceptClient(info: Self.lameDuck)
        let client = try await connecting.value
        let (new, _) = try await b.acceptClient(info: Self.infoB)
        try await new.expect("PING\r\n")
        await new.send("PONG\r\n")
        try await old.expect("PING\r\n")
        await old.send("PONG\r\n")
        try await eventually { client.serverInfo?.id == Self.idB }
        await client.close()
        await a.close()
        await b.close()
    }

    @Test("both connections die at once, with a publish on its way: the client is at a server again")
    func bothDie() async throws {
        try await self.withScene { scene in
            let subscription = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            await new.send("PONG\r\n")
            try await scene.old.expect("PING\r\n")
            try await scene.client.publish("held", to: "x")
            let core = scene.client.core
            // The client learns of both in one go.
            let gate = DispatchSemaphore(value: 0)
            core.eventLoop.execute { gate.wait() }
            scene.old.reset()
            new.reset()
            gate.signal()
            try await eventually { scene.a.acceptedCount + scene.b.acceptedCount > 2 }
            let isA = scene.a.acceptedCount > 1
            let peer = try await (isA ? scene.a : scene.b).accept()
            // Time for whatever else the losses may have started.
            try await core.eventLoop.scheduleTask(in: .milliseconds(200)) {}.futureResult.get()
            await peer.send(ScriptedServer.info(serverID: isA ? Self.idA : Self.idB))
            _ = try await peer.readLine()
            try await peer.expect("PING\r\n")
            await peer.send("PONG\r\n")
            try await peer.expect("SUB p 2\r\n")
            try await eventually { scene.client.isConnected }
            #expect(!scene.events.names.contains("closed"))
            #expect(subscription.statistics.delivered == 0)
        }
    }

    @Test("one subscription that drains leaves the others their overlap: a late copy is still known")
    func drainOne() async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            let other = try await scene.client.subscribe("r")
            try await scene.old.expect("SUB p 2\r\nSUB r 3\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\nSUB r 3\r\n")
            await scene.old.send(self.message("1"))
            #expect(try await self.texts(plain, 1) == ["1"])
            try await self.switchOver(scene, new)
            let draining = Task { try await other.drain(timeout: .seconds(60)) }
            try await new.expect("UNSUB 3\r\nPING\r\n")
            await new.send("PONG\r\n")
            try await scene.old.expect("UNSUB 3\r\n")
            let core = scene.client.core
            try await eventually {
                try await core.eventLoop.submit { core.migration?.afterwards.isEmpty == false }.get()
            }
            try await self.send(self.message("1") + self.message("2"), on: new, scene)
            try await self.endOverlap(scene)
            try await scene.old.expect("UNSUB 2\r\nUNSUB 3\r\nPING\r\n")
            await scene.old.send("PONG\r\n")
            #expect(try await self.texts(plain, 1) == ["2"])
            try await draining.value
        }
    }

    @Test("an equal message that only the new connection brings is no copy once the old one is lost")
    func equalAfterLoss() async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            await scene.old.send(self.message("tick"))
            #expect(try await self.texts(plain, 1) == ["tick"])
            try await self.switchOver(scene, new)
            scene.old.reset()
            await scene.events.wait { if case .migrated = $0 { true } else { false } }
            await new.send(self.message("tick"))
            #expect(try await self.texts(plain, 1) == ["tick"])
        }
    }

    @Test("an old server that has gone silent is not waited for longer than a drain may take")
    func silentOld() async throws {
        try await self.withScene {
            $0.drainTimeout = .milliseconds(1)
        } _: { scene in
            let plain = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            try await self.switchOver(scene, new)
            try await self.send(self.message("1"), on: new, scene)
            #expect(plain.statistics.pendingMessages == 0)
            try await self.endOverlap(scene)
            #expect(try await self.texts(plain, 1) == ["1"])
            _ = try await scene.old.readToEnd()
        }
    }

    @Test("a drain with its own time limit does not wait for the end of the overlap")
    func drainLimit() async throws {
        try await self.withScene { scene in
            let plain = try await scene.client.subscribe("p")
            try await scene.old.expect("SUB p 2\r\n")
            let new = try await self.successor(scene, "SUB p 2\r\n")
            try await self.switchOver(scene, new)
            let draining = Task { try await scene.client.drain(timeout: .milliseconds(50)) }
            // The second flush is that of a drain that took too long.
            _ = try await new.read(until: "PING\r\n")
            _ = try await new.read(until: "PING\r\n")
            await new.send("PONG\r\nPONG\r\n")
            await expectError(.drainTimeout) { try await draining.value }
            #expect(try await plain.next(timeout: .seconds(60)) == nil)
        }
    }

    @Test("another connection that is asked for during the overlap is made at its end")
    func forceReconnectAfterSwitch() async throws {
        try await self.withScene { scene in
            let new = try await self.successor(scene, "")
            try await self.switchOver(scene, new)
            try scene.client.setServerPool([scene.a.url])
            try scene.client.forceReconnect()
            let core = scene.client.core
            try await eventually {
                try await core.eventLoop.submit { core.migration?.afterwards.isEmpty == false }.get()
            }
            try await self.endOverlap(scene)
            _ = try await scene.old.read(until: "PING\r\n")
            await scene.old.send("PONG\r\n")
            _ = try await scene.a.acceptClient(info: ScriptedServer.info(serverID: "NC"))
            try await eventually { scene.client.serverInfo?.id == "NC" }
        }
    }

    @Test("the server that was migrated to goes as well: on to the next")
    func chain() async throws {
        try await self.withScene {
            $0.migrationOverlap = .milliseconds(1)
        } _: { scene in
            let new = try await self.successor(scene, "")
            try await self.switchOver(scene, new)
            await new.send(ScriptedServer.info(serverID: Self.idB, extra: ",\"ldm\":true"))
            _ = try await scene.old.read(until: "PING\r\n")
            await scene.old.send("PONG\r\n")
            let (third, _) = try await scene.a.acceptClient(info: ScriptedServer.info(serverID: "NC"))
            try await third.expect("PING\r\n")
            await third.send("PONG\r\n")
            _ = try await new.read(until: "PING\r\n")
            await new.send("PONG\r\n")
            try await eventually { scene.client.serverInfo?.id == "NC" }
            _ = try await new.read(until: "PING\r\n")
            await new.send("PONG\r\n")
            _ = try await new.readToEnd()
        }
    }

    @Test("with notify the client stays where it is")
    func notify() async throws {
        try await self.withScene {
            $0.lameDuck = .notify
        } _: { scene in
            await scene.old.send(Self.lameDuck)
            await scene.events.wait { if case .lameDuckMode = $0 { true } else { false } }
            let core = scene.client.core
            let stays = try await core.eventLoop.submit { core.migration == nil }.get()
            #expect(stays)
        }
    }
}
