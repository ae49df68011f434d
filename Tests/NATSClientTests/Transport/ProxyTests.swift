import NATSTestServer
import NATSTestSupport
import NIOSSL
import Testing

@testable import NATSClient

@Suite("proxies")
struct ProxyTests {
    private typealias Proxy = NATSClientConfiguration.Proxy

    static let kinds: [TestProxy.Kind] = [.socks5, .http]

    private func proxy(_ kind: TestProxy.Kind, _ port: Int, password: String? = nil) -> Proxy {
        switch (kind, password) {
        case (.socks5, let password?): .socks5(host: "127.0.0.1", port: port, user: "joe", password: password)
        case (.socks5, nil): .socks5(host: "127.0.0.1", port: port)
        case (.http, let password?): .httpConnect(host: "127.0.0.1", port: port, user: "joe", password: password)
        case (.http, nil): .httpConnect(host: "127.0.0.1", port: port)
        }
    }

    private func configuration(_ proxy: Proxy, url: String = "nats://no.such.host.invalid:7") -> NATSClientConfiguration
    {
        var configuration = quickConfiguration(url)
        configuration.secureReconnectJitter = .zero
        configuration.proxy = proxy
        return configuration
    }

    @Test(
        "a server is reached through a proxy, which looks its name up, again and again",
        arguments: kinds,
        [nil, "secret"]
    )
    func reaches(kind: TestProxy.Kind, password: String?) async throws {
        try await NATSTestServer.withServer { server in
            let login = password.map { (user: "joe", password: $0) }
            try await TestProxy.withProxy(kind, to: server.port, login: login) { proxy in
                let configuration = self.configuration(self.proxy(kind, proxy.port, password: password))
                try await withTestClient(configuration) { client in
                    let subscription = try await client.subscribe("a", confirm: true)
                    try client.forceReconnect()
                    try await eventually { client.statistics.reconnects == 1 && client.isConnected }
                    try await client.publish(String(repeating: "x", count: 300_000), to: "a")
                    #expect(try await subscription.next(timeout: .seconds(30))?.payloadSize == 300_000)
                    #expect(client.serverInfo?.url == "nats://no.such.host.invalid:7")
                    proxy.breakConnections()
                    try await eventually { client.statistics.reconnects >= 2 && client.isConnected }
                }
                #expect(proxy.requests.count >= 3)
                #expect(proxy.requests.allSatisfy { $0 == "no.such.host.invalid:7" }, "\(proxy.requests)")
            }
        }
    }

    @Test("TLS is made with the server behind the proxy", arguments: kinds, [false, true])
    func tls(kind: TestProxy.Kind, first: Bool) async throws {
        let authority = try TestAuthority()
        let certificate = try authority.server(dnsNames: ["behind.example"], namesOnly: true)
        var options = NATSTestServer.Options()
        var tls = NATSTestServer.TLS(certificate: .text(certificate.certificateText), key: .text(certificate.keyText))
        tls.timeout = .seconds(30)
        if first { tls.handshakeFirst = .on }
        options.tls = tls
        options.authTimeout = .seconds(60)
        try await NATSTestServer.withServer(options) { server in
            try await TestProxy.withProxy(kind, to: server.port) { proxy in
                var configuration = self.configuration(self.proxy(kind, proxy.port), url: "tls://behind.example")
                configuration.tls.trustRoots = .text(authority.text)
                configuration.tls.handshakeFirst = first
                try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(30)) }
                #expect(proxy.requests == ["behind.example:4222"])
            }
        }
    }

    @Test(
        "behind a proxy, a certificate must be for the server's name or address, and not the proxy's",
        arguments: kinds
    )
    func identity(kind: TestProxy.Kind) async throws {
        let authority = try TestAuthority()
        // The address of certificate, URL, name of the configuration, whether it is the server's.
        let cases: [([UInt8], String, String?, Bool)] = [
            ([127, 0, 0, 1], "tls://behind.example", nil, false),
            ([127, 0, 0, 1], "tls://10.1.2.3", nil, false),
            ([127, 0, 0, 1], "tls://127.0.0.1", "behind.example", false),
            ([10, 1, 2, 3], "tls://10.1.2.3", nil, true),
            ([10, 1, 2, 3], "tls://behind.example", "10.1.2.3", true),
            (Array(repeating: 0, count: 15) + [9], "tls://[::9]", nil, true),
        ]
        for (address, url, name, isServer) in cases {
            let certificate = try authority.server(dnsNames: [], addresses: [address])
            var options = NATSTestServer.Options()
            var tls = NATSTestServer.TLS(
                certificate: .text(certificate.certificateText),
                key: .text(certificate.keyText)
            )
            tls.timeout = .seconds(30)
            options.tls = tls
            options.authTimeout = .seconds(60)
            try await NATSTestServer.withServer(options) { server in
                try await TestProxy.withProxy(kind, to: server.port) { proxy in
                    var configuration = self.configuration(self.proxy(kind, proxy.port), url: url)
                    configuration.tls.trustRoots = .text(authority.text)
                    configuration.tls.serverName = name
                    if isServer {
                        try await withTestClient(configuration) { client in
                            try await client.flush(timeout: .seconds(30))
                        }
                        return
                    }
                    await expectError(.tls) { [configuration] in _ = try await NATSClient.connect(configuration) }
                    // Whoever wants no name looked at gets it so, but not a chain that ends nowhere.
                    let roots = try NIOSSLCertificate.fromPEMBytes(Array(authority.text.utf8))
                    configuration.tls = .init()
                    configuration.tls.configuration = {
                        var own = TLSConfiguration.makeClientConfiguration()
                        own.trustRoots = .certificates(roots)
                        own.certificateVerification = .noHostnameVerification
                        return own
                    }
                    try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(30)) }
                    configuration.tls.configuration = {
                        var own = TLSConfiguration.makeClientConfiguration()
                        own.certificateVerification = .noHostnameVerification
                        return own
                    }
                    await expectError(.tls) { [configuration] in _ = try await NATSClient.connect(configuration) }
                }
            }
        }
    }

    @Test("IP addresses are handed over as such")
    func addresses() async throws {
        try await NATSTestServer.withServer { server in
            for (kind, host, asked) in [
                (.socks5, "10.1.2.3", "[10, 1, 2, 3]:4222"), (.http, "10.1.2.3", "10.1.2.3:4222"),
                (.socks5, "[::1]", "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]:4222"),
                (.http, "[::1]", "[::1]:4222"),
            ] as [(TestProxy.Kind, String, String)] {
                try await TestProxy.withProxy(kind, to: server.port) { proxy in
                    let configuration = self.configuration(self.proxy(kind, proxy.port), url: host)
                    try await withTestClient(configuration) { client in try await client.flush(timeout: .seconds(30)) }
                    #expect(proxy.requests == [asked])
                }
            }
        }
    }

    @Test("a wrong or missing password is an error of the proxy, which shows no secret", arguments: kinds)
    func wrongLogin(kind: TestProxy.Kind) async throws {
        try await TestProxy.withProxy(kind, to: 1, login: ("joe", "secret")) { proxy in
            for password in ["hush-hush", nil] {
                let settings = self.proxy(kind, proxy.port, password: password)
                do {
                    _ = try await NATSClient.connect(self.configuration(settings))
                    Issue.record("connected")
                } catch let error as NATSError {
                    #expect(error.code == .proxyFailed)
                    #expect(error.message.contains("127.0.0.1:\(proxy.port)"), "\(error)")
                    #expect(!"\(error)".contains("hush") && !"\(error)".contains("joe"), "\(error)")
                }
                var dumped = ""
                dump(self.configuration(settings), to: &dumped)
                for text in ["\(settings)", String(reflecting: settings), dumped, "\(self.configuration(settings))"] {
                    #expect(!text.contains("hush") && !text.contains("joe"), "\(text)")
                }
            }
        }
    }

    @Test("nobody at the proxy's port is an error of the proxy, not of the servers", arguments: kinds)
    func nobody(kind: TestProxy.Kind) async throws {
        let port = try ReservedPort()
        defer { port.release() }
        await expectError(.proxyFailed) {
            _ = try await NATSClient.connect(self.configuration(self.proxy(kind, port.port)))
        }
    }

    @Test("a proxy that says nothing has the time of a handshake", arguments: kinds)
    func silent(kind: TestProxy.Kind) async throws {
        let server = try ScriptedServer()
        var configuration = self.configuration(self.proxy(kind, server.port))
        configuration.connectTimeout = .milliseconds(300)
        do {
            _ = try await NATSClient.connect(configuration)
            Issue.record("connected")
        } catch {
            #expect(error.code == .timeout && error.message.contains("\(server.port)"), "\(error)")
        }
        let peer = try await server.accept()
        #expect(await peer.wait { $0.end != nil })
        await server.close()
    }

    @Test(
        "whatever a hostile proxy answers is a typed error, and never much memory",
        arguments: [
            (TestProxy.Kind.socks5, "HTTP/1.1 400 Bad Request\r\n\r\n"), (.socks5, "\u{5}\u{7}"), (.socks5, "\u{4}"),
            (.socks5, "\u{5}\u{0}\u{5}\u{5}"), (.socks5, "\u{5}\u{0}\u{5}\u{0}\u{0}\u{9}xx"),
            (.socks5, "\u{5}\u{0}INFO {}\r\n"),
            (.http, "INFO {}\r\n\r\n"), (.http, "HTTP/1.1 403 Forbidden\r\n\r\n"), (.http, "HTTP/2 200\r\n\r\n"),
            (.http, "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), (.http, "HTTP/1.1 101 Switching\r\n\r\n"),
            (.http, "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 100_000)),
            (.http, String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 4000)),
            (.http, String(repeating: "\0", count: 100_000)),
        ]
    )
    func hostile(kind: TestProxy.Kind, answer: String) async throws {
        let server = try ScriptedServer()
        let connecting = Task {
            try await NATSClient.connect(self.configuration(self.proxy(kind, server.port)))
        }
        let peer = try await server.accept()
        await peer.send(answer)
        await expectError(.proxyFailed) { _ = try await connecting.value }
        await server.close()
    }

    @Test("a proxy that closes in the middle is an error of the proxy", arguments: kinds)
    func closes(kind: TestProxy.Kind) async throws {
        let server = try ScriptedServer()
        let connecting = Task {
            try await NATSClient.connect(self.configuration(self.proxy(kind, server.port)))
        }
        try await server.accept().close()
        await expectError(.proxyFailed) { _ = try await connecting.value }
        await server.close()
    }

    @Test("what cannot be used is refused before anything is connected to")
    func configurations() async {
        let dialer: NATSClientConfiguration.Dialer = { _, _, _ in throw NATSError(.timeout, "") }
        for proxy in [
            Proxy.socks5(host: "", port: 1), .socks5(host: "a b"), .socks5(host: "a", port: 0),
            .socks5(host: "a", user: "", password: "x"),
            .socks5(host: "a", user: "x", password: String(repeating: "x", count: 256)),
            .httpConnect(host: "a\r\nb"), .httpConnect(host: "a", user: "a:b", password: "x"),
        ] {
            await expectError(.invalidConfiguration) { _ = try await NATSClient.connect(self.configuration(proxy)) }
        }
        var both = self.configuration(.socks5(host: "a"))
        both.dialer = dialer
        await expectError(.invalidConfiguration) { [both] in _ = try await NATSClient.connect(both) }
        await expectError(.invalidConfiguration) {
            _ = try await NATSClient.connect(quickConfiguration("nats://a\r\nX: y"))
        }
    }
}
