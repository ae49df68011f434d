import NATSTestServer
import NATSTestSupport
import Testing

/// The page of the example, in a browser.
@Suite(
    "WebSocket in a browser",
    .enabled(if: TestDependencies.canRun(TestDependencies.browser, "chromium")),
    .timeLimit(.minutes(2))
)
struct WebSocketBrowserTests {
    @Test("a page connects, answers requests, and hears of the end", arguments: [false, true])
    func page(compression: Bool) async throws {
        let browser = try #require(TestDependencies.browser)
        var options = NATSTestServer.Options()
        options.webSocket = .init()
        options.webSocket?.compression = compression
        try await NATSTestServer.withServer(options) { server in
            let client = try RawConnection.connect(port: server.port, answersPings: true)
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false}\r\nSUB page.ready 1\r\nSUB answer 2\r\nPING\r\n")
            try await client.expect("PONG\r\n")

            let url = try #require(server.webSocketURL)
            let directory = try TemporaryDirectory()
            let page = "\(TestDependencies.packageRoot)/Examples/WebSocketPage/index.html"
            let process = try ChildProcess(
                browser,
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                    "--user-data-dir=\(directory.path)/profile",
                    "file://\(page)?url=\(url)",
                ]
            )
            do {
                let ready = try await client.readLine(timeout: .seconds(60))
                #expect(ready.hasPrefix("MSG page.ready 1 "))
                #expect(try await client.readLine().contains("Chrome"))

                for size in [5, 100, 5000, 300_000] {
                    let payload = String(repeating: "abcdefg ", count: size / 8 + 1).prefix(size)
                    await client.send("PUB page.echo answer \(size)\r\n\(payload)\r\n")
                    try await client.expect("MSG answer 2 \(size)\r\n\(payload)\r\n")
                }
                let statistics = await server.statistics()
                #expect(statistics.connections == 2)
            } catch {
                await process.stop()
                Issue.record("\(error)\n\(process.output)")
                return
            }
            await process.stop()
            try await eventually("the page's connection to end") { await server.statistics().connections == 1 }
        }
    }
}
