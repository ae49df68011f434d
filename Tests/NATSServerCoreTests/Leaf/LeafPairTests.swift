import NATSTestSupport
import Testing

@Suite("a hub and a leaf node", .timeLimit(.minutes(5)))
struct LeafPairTests {
    @Test("messages go both ways, once each and in order", arguments: LeafPair.all)
    func messages(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            for (here, there) in [(hub, leaf), (leaf, hub)] {
                let subscriber = try await here.connect("", ",\"headers\":true")
                let publisher = try await there.connect("", ",\"headers\":true")
                await subscriber.send("SUB foo.* 7\r\n")
                try await LeafPair.settle(publisher, "foo.a", subscriber)
                await publisher.send((0..<100).map { "PUB foo.\($0) 3\r\nabc\r\n" }.joined())
                try await subscriber.expect((0..<100).map { "MSG foo.\($0) 7 3\r\nabc\r\n" }.joined())
                await publisher.send("HPUB foo.h in.box 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
                try await subscriber.expect("HMSG foo.h 7 in.box 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
                try await subscriber.expectNothing()
            }
        }
    }

    @Test("a message comes back to nobody", arguments: LeafPair.all)
    func echoes(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            let (near, far) = (try await hub.connect(""), try await leaf.connect(""))
            await near.send("SUB all.> 1\r\n")
            await far.send("SUB all.> 1\r\n")
            let (first, second) = (try await hub.connect(""), try await leaf.connect(""))
            try await LeafPair.settle(first, "all.settle", far)
            try await LeafPair.settle(second, "all.settle", near)
            // What each of the two has sent before has come by then.
            await first.send("PUB all.end.1 0\r\n\r\n")
            await second.send("PUB all.end.2 0\r\n\r\n")
            for subscriber in [near, far] {
                try await eventually("the end of what came before") {
                    let text = String(decoding: subscriber.unread, as: UTF8.self)
                    return text.contains("MSG all.end.1 1 0\r\n\r\n") && text.contains("MSG all.end.2 1 0\r\n\r\n")
                }
                _ = subscriber.takeAll()
            }
            await first.send("PUB all.a 1\r\na\r\n")
            await second.send("PUB all.b 1\r\nb\r\n")
            for subscriber in [near, far] {
                let text = String(decoding: try await subscriber.read(count: 36), as: UTF8.self)
                #expect(text.contains("MSG all.a 1 1\r\na\r\n") && text.contains("MSG all.b 1 1\r\nb\r\n"), "\(text)")
                try await subscriber.expectNothing()
            }
        }
    }

    @Test("a queue group that is on one side only gets each message once", arguments: LeafPair.all)
    func queueGroups(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            for (here, there) in [(hub, leaf), (leaf, hub)] {
                let publisher = try await here.connect("")
                let members = [try await there.connect(""), try await there.connect("")]
                for member in members { try await member.flush("SUB work crew 1\r\n") }
                try await eventually("the group") {
                    await publisher.send("PUB work ready 0\r\n\r\nPING\r\n")
                    try await publisher.expect("PONG\r\n")
                    return members.contains { !$0.unread.isEmpty }
                }
                let count = 100
                for index in 0..<count { await publisher.send("PUB work r.\(index) 2\r\nhi\r\n") }
                func received() -> [Int] {
                    members.map { String(decoding: $0.unread, as: UTF8.self).ranges(of: "MSG work 1 r.").count }
                }
                try await eventually("all messages") { received().reduce(0, +) >= count }
                #expect(received().reduce(0, +) == count)
                #expect(received().allSatisfy { $0 > 0 }, "\(received())")
                members.forEach { $0.close() }
            }
        }
    }

    @Test("members of a queue group that are nearer get everything", arguments: LeafPair.all)
    func nearMembers(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            for (here, there) in [(hub, leaf), (leaf, hub)] {
                let publisher = try await here.connect("")
                let (near, far) = (try await here.connect(""), try await there.connect(""))
                await far.send("SUB work crew 1\r\n")
                try await LeafPair.settle(publisher, "work", far)
                try await near.flush("SUB work crew 1\r\n")
                for index in 0..<50 { await publisher.send("PUB work r.\(index) 0\r\n\r\n") }
                try await near.expect((0..<50).map { "MSG work 1 r.\($0) 0\r\n\r\n" }.joined())
                try await far.expectNothing()
                near.close()
                far.close()
            }
        }
    }

    @Test("a plain subscriber and a queue group behind one connection get a message each", arguments: LeafPair.all)
    func both(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            for (here, there) in [(hub, leaf), (leaf, hub)] {
                let publisher = try await here.connect("")
                let subscriber = try await there.connect("")
                await subscriber.send("SUB both g 2\r\nSUB both.q g2 3\r\nSUB both 1\r\n")
                try await LeafPair.settle(publisher, "both", subscriber)
                // The group may have heard of it too.
                try await subscriber.flushKeepingInput()
                _ = subscriber.takeAll()
                await publisher.send("PUB both reply 2\r\nhi\r\nPUB both 2\r\nho\r\n")
                let expected = ["MSG both 1 reply 2", "MSG both 2 reply 2", "MSG both 1 2", "MSG both 2 2"]
                var heads: [String] = []
                for _ in expected {
                    heads.append(try await subscriber.readLine().replacing("\r\n", with: ""))
                    _ = try await subscriber.readLine()
                }
                #expect(heads.sorted() == expected.sorted())
                try await subscriber.expectNothing()
            }
        }
    }

    @Test("a request is answered from the other side, and without anybody at once", arguments: LeafPair.all)
    func requests(pair: LeafPair) async throws {
        try await pair.with { hub, leaf in
            for (here, there) in [(hub, leaf), (leaf, hub)] {
                let requester = try await here.connect("", ",\"headers\":true,\"no_responders\":true")
                let responder = try await there.connect("")
                await requester.send("SUB in.* 1\r\nPUB ask in.0 0\r\n\r\n")
                try await requester.expect("HMSG in.0 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: ask\r\n\r\n\r\n")
                await responder.send("SUB ask 9\r\n")
                try await LeafPair.settle(requester, "ask", responder)
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
    }

    @Test("two leaf nodes of one hub hear each other, but not if they are isolated", arguments: LeafPair.kinds)
    func siblings(pair: LeafPair) async throws {
        for isIsolated in [false, true] {
            try await pair.with(hub: isIsolated ? ", isolate: true" : "") { hub, first in
                let text = LeafPair.leaf(hub.leafNodePort).replacing("LEAF", with: "LEAF2")
                try await ConfiguredServer.with(pair.leaf, text) { second in
                    try await LeafPair.expectJoined(hub, second)
                    let subscriber = try await first.connect("")
                    let publisher = try await second.connect("")
                    let witness = try await hub.connect("")
                    await subscriber.send("SUB sister 1\r\n")
                    let atHub = try await hub.connect("")
                    try await LeafPair.settle(atHub, "sister", subscriber)
                    guard isIsolated else {
                        return try await LeafPair.settle(publisher, "sister", subscriber)
                    }
                    await witness.send("SUB witness 1\r\n")
                    try await LeafPair.settle(publisher, "witness", witness)
                    await publisher.send("PUB sister 0\r\n\r\nPUB witness end 0\r\n\r\n")
                    _ = try await witness.read(until: " end 0\r\n\r\n")
                    try await subscriber.expectNothing()
                }
            }
        }
    }

    @Test("interest of every server of the hub's cluster reaches the leaf node", arguments: LeafPair.kinds)
    func cluster(pair: LeafPair) async throws {
        let cluster = "cluster { name: HUBS, listen: \"127.0.0.1:-1\" }"
        try await pair.with(hubRest: cluster) { hub, leaf in
            let text = """
                server_name: OTHER
                cluster { name: HUBS, listen: "127.0.0.1:-1", routes: ["nats://127.0.0.1:\(hub.clusterPort)"] }

                """
            for kind in Set([ServerUnderTest.ours, pair.hub]) {
                try await ConfiguredServer.with(kind, text) { other in
                    try await RoutePairTests.expectRoute(from: hub, to: other)
                    try await LeafPair.expectJoined(other, leaf)
                    let requester = try await leaf.connect("", ",\"headers\":true,\"no_responders\":true")
                    let responder = try await other.connect("")
                    await responder.send("SUB far.ask crew 1\r\n")
                    await requester.send("SUB in.> 1\r\n")
                    try await LeafPair.settle(requester, "far.ask", responder)
                    await requester.send("PUB far.ask in.1 2\r\nhi\r\n")
                    try await responder.expect("MSG far.ask 1 in.1 2\r\nhi\r\n")
                    await responder.send("PUB in.1 2\r\nho\r\n")
                    _ = try await requester.read(until: "MSG in.1 1 2\r\nho\r\n")
                }
            }
        }
    }

    @Test("a leaf node whose cluster gets another name comes again under that one", arguments: LeafPair.kinds)
    func renamedCluster(pair: LeafPair) async throws {
        try await pair.with(leafRest: "cluster { listen: \"127.0.0.1:-1\" }") { hub, leaf in
            let text = """
                server_name: OTHER
                cluster { name: NAMED, listen: "127.0.0.1:-1", routes: ["nats://127.0.0.1:\(leaf.clusterPort)"] }

                """
            try await ConfiguredServer.with(.ours, text) { _ in
                try await eventually("the end under the old name") {
                    leaf.log.contains("Leafnode connection closed: Cluster Name Conflict")
                }
                try await LeafPair.expectJoined(hub, leaf)
            }
        }
    }

    @Test("a hub that goes and comes again finds its leaf node again", arguments: LeafPair.kinds)
    func restarts(pair: LeafPair) async throws {
        let port = try ReservedPort()
        let hubText = LeafPair.hub().replacing("127.0.0.1:-1", with: "127.0.0.1:\(port.port)")
        let leafText = LeafPair.leaf(port.port)
        try await ConfiguredServer.with(pair.leaf, leafText) { leaf in
            try await eventually("the refusal") {
                leaf.log.contains("Error trying to connect as leafnode to remote server \"127.0.0.1:\(port.port)\"")
            }
            for _ in 0..<2 {
                try await ConfiguredServer.with(pair.hub, hubText) { hub in
                    do {
                        try await LeafPair.expectJoined(hub, leaf)
                    } catch {
                        Issue.record("hub:\n\(hub.log)\n\nleaf node:\n\(leaf.log)")
                        throw error
                    }
                }
                try await eventually("the end") { leaf.log.contains("Leafnode connection closed: ") }
                // What the hub wanted nobody wants any more.
                let client = try await leaf.connect("", ",\"headers\":true,\"no_responders\":true")
                await client.send("SUB in 1\r\n")
                try await eventually("nobody to answer") {
                    await client.send("PUB leaf.test in 0\r\n\r\nPING\r\n")
                    let text = try await client.read(until: "PONG\r\n")
                    return String(decoding: text, as: UTF8.self).contains(" 503\r\n")
                }
                client.close()
            }
        }
    }
}
