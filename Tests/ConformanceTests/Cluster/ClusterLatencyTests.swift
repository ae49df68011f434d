import NATSTestSupport
import NATSWire
import Testing

/// Latencies of a service whose responder is on another server than its requester.
@Suite("latencies in a cluster", .enabled(if: ServerUnderTest.available.contains(.official)))
struct ClusterLatencyTests {
    @Test("both servers measure, and the exporter gets one sample of it", arguments: ClusterSystemTests.pairs)
    func sample(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let exporter = try await scene.nodes[0].client("a", name: "exporter")
            let responder = try await scene.nodes[0].client("a", name: "responder")
            let requester = try await scene.nodes[1].client("b", name: "requester")
            let watcher = try await scene.nodes[1].client("sys")
            try await exporter.connection.flush("SUB lat 1\r\n")
            try await responder.connection.flush("SUB svc workers 1\r\n")
            try await requester.connection.flush("SUB _INBOX.answer 1\r\n")
            try await watcher.connection.flush("SUB $SYS.LATENCY.> 1\r\n")
            try await eventually("interest in the service") {
                let routes = try await scene.page("/routez?subs=1", of: 1)["routes"].elements
                return routes.contains { $0["subscriptions_list"].elements.contains { $0.text == "svc" } }
            }
            await requester.send("svc", "question", reply: "_INBOX.answer")
            let line = try await responder.connection.readLine().split(separator: " ")
            let reply = try #require(line.first { $0.hasPrefix("_R_.") })
            #expect(line.first == "HMSG" && reply.hasSuffix(".T"), "\(line)")
            let size = try #require(line.last.flatMap { Int($0) })
            _ = try await responder.connection.read(count: size + 2)
            await responder.connection.send("PUB \(reply) 6\r\nanswer\r\n")
            let answer = try await requester.next()
            #expect(answer.text == "answer")

            let measured = try JSONValue.parse(try await watcher.next().payload)
            #expect(measured["account"].text == "A" && measured["req_id"].text == reply)
            let part = measured["m2"]
            #expect(
                part.keys == ["type", "id", "timestamp", "status", "responder", "start", "service", "system", "total"]
            )
            let sample = try JSONValue.parse(try await exporter.next().payload)
            #expect(
                sample.keys == [
                    "type", "id", "timestamp", "status", "requestor", "responder", "start", "service", "system",
                    "total",
                ]
            )
            #expect(sample["status"].text == "200" && sample["requestor"]["acc"].text == "B")
            #expect(sample["responder"]["name"].text == "responder")
            #expect(sample["responder"]["server"].text == "one" && sample["responder"]["cluster"].text == "C1")
            #expect(sample["service"].text == part["service"].text)
            for client in [exporter, responder, requester, watcher] { client.connection.close() }
        }
    }
}
