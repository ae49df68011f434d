import NATSTestServer
import NATSTestSupport
import Testing

@Suite struct MonitoringURLTests {
    @Test("the monitoring pages are served when asked for, on a port of their own")
    func url() async throws {
        var options = NATSTestServer.Options()
        options.monitoring = true
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.monitoringURL)
            #expect(url.hasPrefix("http://127.0.0.1:"))
            let port = try #require(Int(url.split(separator: ":").last ?? ""))
            #expect(port != server.port)
            #expect(try await fetch("/varz", port: port).text.contains("\"server_id\": \"\(server.serverID)\""))
            try await server.restart()
            let second = try #require(server.monitoringURL)
            let secondPort = try #require(Int(second.split(separator: ":").last ?? ""))
            #expect(try await fetch("/varz", port: secondPort).text.contains(server.serverID))
            await server.stop()
            #expect(server.monitoringURL == nil)
        }
    }

    @Test("there are no monitoring pages unless they are asked for")
    func off() async throws {
        try await NATSTestServer.withServer { server in #expect(server.monitoringURL == nil) }
    }
}
