import NATSTestServer
import NATSTestSupport
import Testing

/// A page of another origin reads the monitoring pages.
@Suite("monitoring in a browser", .enabled(if: TestDependencies.canRun(TestDependencies.browser, "chromium")))
struct MonitoringBrowserTests {
    private struct NoBrowser: Error {}

    @Test("a page reads every endpoint by fetch, and by a script with a callback")
    func page() async throws {
        guard let browser = TestDependencies.browser else { throw NoBrowser() }
        var options = NATSTestServer.Options()
        options.monitoring = true
        try await NATSTestServer.withServer(options) { server in
            let url = try #require(server.monitoringURL)
            let directory = try TemporaryDirectory()
            let file = try directory.write(Self.html(url), to: "page.html")
            let arguments = [
                "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
                "--user-data-dir=\(directory.path)/profile", "--dump-dom", "file://\(file)",
            ]
            let process = try ChildProcess(browser, arguments)
            let exit = await process.waitForExit()
            let output = process.output
            #expect(exit == .exited(0), "\(output)")
            for path in Self.paths {
                #expect(output.contains("fetch \(path) object"), "\(path)\n\(output)")
                #expect(output.contains("script \(path) object"), "\(path)\n\(output)")
            }
        }
    }

    private static let paths = [
        "varz", "connz", "routez", "subsz", "leafz", "gatewayz", "accountz", "accstatz", "jsz", "healthz",
    ]

    private static func html(_ url: String) -> String {
        let list = Self.paths.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            <html><body><pre id="out"></pre><script>
            var out = document.getElementById("out"), page = { on: {} };
            function show(text) { out.textContent += text + "\\n"; }
            [\(list)].forEach(function (path) {
                fetch("\(url)/" + path).then(function (answer) { return answer.json(); })
                    .then(function (value) { show("fetch " + path + " " + typeof value); })
                    .catch(function (error) { show("error " + path + " " + error); });
                page.on["_" + path] = function (value) { show("script " + path + " " + typeof value); };
                var script = document.createElement("script");
                script.src = "\(url)/" + path + "?callback=page.on._" + path;
                document.body.appendChild(script);
            });
            </script></body></html>
            """
    }
}
