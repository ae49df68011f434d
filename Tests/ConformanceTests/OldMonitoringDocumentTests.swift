import NATSTestSupport
import NATSWire
import Testing

/// What the documents of the old server promise of its monitoring pages.
@Suite("old documents, section 8")
struct OldMonitoringDocumentTests {
    @Test(
        "/varz, /connz, /routez and /subsz answer in JSON that any page may read",
        arguments: ServerUnderTest.available
    )
    func pages(server: ServerUnderTest) async throws {
        try await server.withServer(MonitoringScene.configuration) { server in
            let scene = try await MonitoringScene(server)
            for page in ["/varz", "/connz", "/routez", "/subsz", "/subscriptionsz"] {
                let answer = try await scene.answer(page)
                #expect(answer.status == 200, "\(page)")
                #expect(answer.header("Content-Type") == "application/json", "\(page)")
                #expect(answer.header("Access-Control-Allow-Origin") == "*", "\(page)")
                _ = try JSONValue.parse(answer.body)
            }
        }
    }

    @Test(
        "/connz takes limit, offset and subs, and shows 1024 connections at most",
        arguments: ServerUnderTest.available
    )
    func connections(server: ServerUnderTest) async throws {
        try await server.withServer(MonitoringScene.configuration) { server in
            let scene = try await MonitoringScene(server)
            let all = try JSONValue.parse(try await scene.answer("/connz?subs=1").body)
            #expect(all["limit"].text == "1024" && all["offset"].text == "0")
            let alpha = try #require(all["connections"].elements.first { $0["name"].text == "alpha" })
            #expect(Set(alpha["subscriptions_list"].elements.map(\.text)) == ["foo", "orders.*", "<&>.µ"])
            for key in [
                "cid", "ip", "port", "in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions", "lang", "version",
            ] {
                #expect(alpha.keys.contains(key), "\(key)")
            }
            let second = try JSONValue.parse(try await scene.answer("/connz?limit=1&offset=1").body)
            #expect(
                second["connections"].elements.map { $0["cid"].text } == [all["connections"].elements[1]["cid"].text]
            )
            let routes = try JSONValue.parse(try await scene.answer("/routez?subs=1").body)
            #expect(routes["num_routes"].text == "0")
        }
    }

    @Test("JSONP: a callback wraps every page; the official server has dropped it, ours has not")
    func callback() async throws {
        try await ServerUnderTest.ours.withServer(MonitoringScene.configuration) { server in
            let scene = try await MonitoringScene(server)
            for page in ["/varz", "/connz", "/routez", "/subsz"] {
                let answer = try await scene.answer("\(page)?callback=cb")
                #expect(answer.header("Content-Type") == "application/javascript")
                #expect(answer.text.hasPrefix("cb({") && answer.text.hasSuffix("})"))
            }
        }
    }
}
