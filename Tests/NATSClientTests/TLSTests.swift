import NATSTestServer
import NATSTestSupport
import NIOCore
import NIOSSL
import Testing

@testable import NATSClient

@Suite struct TLSTests {
    private typealias TLS = NATSClientConfiguration.TLS

    /// Files of an authority, a server and a client.
    private struct Files: Sendable {
        let directory: TemporaryDirectory
        let roots: String
        let rootsText: String
        let server: (certificate: String, key: String)
        let client: (certificate: String, key: String)

        /// For names only, a certificate is not for 127.0.0.1: it would do for any name there.
        init(dnsNames: [String] = ["localhost"], namesOnly: Bool = false) throws {
            let authority = try TestAuthority()
            let server = try authority.server(dnsNames: dnsNames, namesOnly: namesOnly)
            let client = try authority.client()
            let directory = try TemporaryDirectory()
            self.directory = directory
            self.rootsText = authority.text
            self.roots = try directory.write(authority.text, to: "ca.pem")
            self.server = (
                try directory.write(server.certificateText, to: "server.pem"),
                try directory.write(server.keyText, to: "server-key.pem")
            )
            self.client = (
                try directory.write(client.certificateText, to: "client.pem"),
                try directory.write(client.keyText, to: "client-key.pem")
            )
        }

        /// A server with the certificate, and time for slow machines.
        func configuration(
            _ change: (inout NATSTestServer.TLS) -> Void = { _ in }
        ) -> ServerConfiguration {
            var tls = NATSTestServer.TLS(certificate: .file(self.server.certificate), key: .file(self.server.key))
            tls.timeout = .seconds(30)
            change(&tls)
            return ServerConfiguration(authTimeout: .seconds(60), tls: tls)
        }

        /// A client that trusts the authority.
        var trusting: TLS {
            var tls = TLS()
            tls.trustRoots = .file(self.roots)
            return tls
        }
    }

    private func configuration(_ url: String, _ tls: TLS) -> NATSClientConfiguration {
        var configuration = quickConfiguration(url)
        configuration.secureReconnectJitter = .zero
        configuration.tls = tls
        return configuration
    }

    private func secured(_ running: RunningServer, host: String = "127.0.0.1") -> String {
        "tls://\(host):\(running.port)"
    }

    private func expectWorks(
        _ configuration: NATSClientConfiguration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withTestClient(configuration) { client in
            let subscription = try await client.subscribe("a", confirm: true)
            try await client.publish(String(repeating: "x", count: 100_000), to: "a")
            let message = try await subscription.next(timeout: .seconds(30))
            #expect(message?.payloadSize == 100_000, sourceLocation: sourceLocation)
            #expect(client.serverInfo?.clientID != nil, sourceLocation: sourceLocation)
        }
    }

    @Test(
        "whoever trusts the server's authority is connected, however it says so",
        arguments: ServerUnderTest.available
    )
    func trust(_ server: ServerUnderTest) async throws {
        let files = try Files()
        try await server.withServer(files.configuration()) { running in
            let text = files.rootsText
            var byText = TLS()
            byText.trustRoots = .text(text)
            var whole = TLS()
            whole.configuration = {
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
                return configuration
            }
            // A URL with nats: the server requires TLS.
            for url in [self.secured(running), running.url, self.secured(running, host: "localhost")] {
                try await self.expectWorks(self.configuration(url, files.trusting))
            }
            for tls in [byText, whole] {
                try await self.expectWorks(self.configuration(running.url, tls))
            }
        }
    }

    @Test("whoever does not trust the server's certificate is not connected", arguments: ServerUnderTest.available)
    func distrust(_ server: ServerUnderTest) async throws {
        let files = try Files(dnsNames: ["right.example"], namesOnly: true)
        let others = try Files()
        try await server.withServer(files.configuration()) { running in
            for tls in [TLS(), others.trusting] {
                await expectError(.tls) { _ = try await NATSClient.connect(self.configuration(running.url, tls)) }
            }
            // The authority is right, the name is not.
            for host in ["127.0.0.1", "localhost"] {
                await expectError(.tls) {
                    _ = try await NATSClient.connect(
                        self.configuration(self.secured(running, host: host), files.trusting)
                    )
                }
            }
            var wrong = files.trusting
            wrong.serverName = "wrong.example"
            await expectError(.tls) { _ = try await NATSClient.connect(self.configuration(running.url, wrong)) }
            var right = files.trusting
            right.serverName = "right.example"
            for host in ["127.0.0.1", "localhost"] {
                try await self.expectWorks(self.configuration(self.secured(running, host: host), right))
            }
            var careless = TLS()
            careless.skipsVerification = true
            try await self.expectWorks(self.configuration(running.url, careless))
        }
    }

    @Test("a certificate for the socket's address alone is not one for a name", arguments: ServerUnderTest.available)
    func addressForName(_ server: ServerUnderTest) async throws {
        let files = try Files(dnsNames: [])
        try await server.withServer(files.configuration()) { running in
            await expectError(.tls) {
                _ = try await NATSClient.connect(
                    self.configuration(self.secured(running, host: "localhost"), files.trusting)
                )
            }
            var named = files.trusting
            named.serverName = "127.0.0.1"
            for (host, tls) in [("127.0.0.1", files.trusting), ("localhost", named)] {
                try await self.expectWorks(self.configuration(self.secured(running, host: host), tls))
            }
        }
    }

    @Test(
        "a server that wants a certificate gets it, and one without is an error of TLS",
        arguments: ServerUnderTest.available
    )
    func clientCertificate(_ server: ServerUnderTest) async throws {
        let files = try Files()
        let wanted = files.configuration {
            $0.verify = true
            $0.authorities = .file(files.roots)
        }
        try await server.withServer(wanted) { running in
            var tls = files.trusting
            tls.certificate = .file(files.client.certificate)
            tls.privateKey = .file(files.client.key)
            try await self.expectWorks(self.configuration(running.url, tls))
            tls.certificate = .text(files.directory.read("client.pem"))
            tls.privateKey = .text(files.directory.read("client-key.pem"))
            try await self.expectWorks(self.configuration(running.url, tls))
            await expectError(.tls) {
                _ = try await NATSClient.connect(self.configuration(running.url, files.trusting))
            }
        }
    }

    @Test("the handshake may come before INFO", arguments: ServerUnderTest.available)
    func handshakeFirst(_ server: ServerUnderTest) async throws {
        let files = try Files()
        try await server.withServer(files.configuration { $0.handshakeFirst = .on }) { running in
            var tls = files.trusting
            tls.handshakeFirst = true
            try await self.expectWorks(self.configuration(running.url, tls))
        }
    }

    @Test("a server that offers TLS gets it from those who want it", arguments: ServerUnderTest.available)
    func available(_ server: ServerUnderTest) async throws {
        let files = try Files()
        try await server.withServer(files.configuration { $0.allowNonTLS = true }) { running in
            try await self.expectWorks(self.configuration(running.url, TLS()))
            var wanted = files.trusting
            wanted.isRequired = true
            try await withTestClient(self.configuration(running.url, wanted)) { client in
                #expect(client.serverPool.map(\.url) == [self.secured(running)])
            }
        }
        try await server.withServer { running in
            await expectError(.secureConnectionWanted) {
                _ = try await NATSClient.connect(quickConfiguration(self.secured(running)))
            }
            // Whoever says how TLS is to be made wants it.
            var named = TLS()
            named.serverName = "a.example"
            var careless = TLS()
            careless.skipsVerification = true
            var whole = TLS()
            whole.configuration = { .makeClientConfiguration() }
            for tls in [files.trusting, named, careless, whole] {
                await expectError(.secureConnectionWanted) {
                    _ = try await NATSClient.connect(self.configuration(running.url, tls))
                }
            }
        }
    }

    @Test("a secured connection that is lost is made again, secured")
    func reconnect() async throws {
        let files = try Files()
        try await NATSTestServer.withServer(files.configuration().options) { server in
            try await withTestClient(self.configuration(server.clientURL, files.trusting)) { client in
                let subscription = try await client.subscribe("a")
                for index in 1...3 {
                    try client.forceReconnect()
                    try await eventually { client.statistics.reconnects == index && client.isConnected }
                    try await client.publish("\(index)", to: "a")
                    #expect(try await subscription.next(timeout: .seconds(30))?.string == "\(index)")
                }
                #expect(client.serverPool.map(\.url) == ["tls://127.0.0.1:\(server.port)"])
                try await client.drain()
            }
        }
    }

    @Test(
        "what is said in clear behind an INFO that requires TLS ends the connection, also when that is longer than a read",
        arguments: ["PONG\r\n", "PONG", "x"],
        [0, 70_000]
    )
    func injection(_ text: String, padding: Int) async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let peer = try await server.accept()
        let pad = String(repeating: "x", count: padding)
        await peer.send(ScriptedServer.info(extra: #","tls_required":true,"pad":""# + pad + "\"") + text)
        await expectError(.protocolViolation) { _ = try await connecting.value }
        peer.close()
        await server.close()
    }

    @Test("the handshake names the server: its host, or the name that is wanted, and never an address")
    func serverName() async throws {
        let server = try ScriptedServer()
        for (host, wanted, expected) in [
            ("localhost", nil, "localhost"), ("localhost", "right.example", "right.example"),
            ("127.0.0.1", "right.example", "right.example"), ("127.0.0.1", nil, nil),
        ] as [(String, String?, String?)] {
            var tls = TLS()
            tls.serverName = wanted
            let configuration = self.configuration("tls://\(host):\(server.port)", tls)
            let connecting = Task { try await NATSClient.connect(configuration) }
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info(extra: #","tls_required":true"#))
            // A handshake record, whole: its length is in the fourth and fifth byte.
            let isWhole = await peer.wait { inbox in
                inbox.bytes.count >= 5 && inbox.bytes.count >= 5 + Int(inbox.bytes[3]) * 256 + Int(inbox.bytes[4])
            }
            #expect(isWhole)
            // Whoever listens can read it.
            let hello = String(decoding: peer.takeAll(), as: UTF8.self)
            for name in ["localhost", "right.example", "127.0.0.1"] {
                #expect(hello.contains(name) == (name == expected), "\(host) \(wanted ?? "-") \(name)")
            }
            peer.close()
            do {
                _ = try await connecting.value
                Issue.record("connected")
            } catch let error as NATSError {
                #expect(error.code == .tls || error.code == .disconnected, "\(error)")
            }
        }
        await server.close()
    }

    @Test(
        "a server that ends the handshake in the middle, or talks of something else, is an error of TLS or the connection"
    )
    func brokenHandshake() async throws {
        let server = try ScriptedServer()
        for answer in ["", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
            let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info(extra: #","tls_required":true"#))
            // The first byte of a handshake record.
            #expect(await peer.wait { $0.bytes.first == 22 })
            await peer.send(answer)
            if answer.isEmpty {
                peer.close()
            }
            do {
                _ = try await connecting.value
                Issue.record("connected")
            } catch let error as NATSError {
                #expect(error.code == .tls || error.code == .disconnected, "\(error)")
            }
            peer.close()
        }
        await server.close()
    }

    @Test("closing waits only a moment for the other side, whoever made the configuration")
    func shutdown() throws {
        var tls = TLS()
        #expect(try SecureContext.configuration(tls).shutdownTimeout == SecureContext.shutdownTimeout)
        tls.configuration = { .makeClientConfiguration() }
        #expect(try SecureContext.configuration(tls).shutdownTimeout == SecureContext.shutdownTimeout)
        tls.configuration = {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.shutdownTimeout = .milliseconds(1)
            return configuration
        }
        #expect(try SecureContext.configuration(tls).shutdownTimeout == .milliseconds(1))
    }

    @Test("what cannot be used is found before anybody connects, and no text of a key is shown")
    func unusable() async throws {
        let server = try ScriptedServer()
        let files = try Files()
        func expect(
            _ code: NATSError.Code,
            sourceLocation: SourceLocation = #_sourceLocation,
            _ change: (inout TLS) -> Void
        ) async {
            var tls = files.trusting
            change(&tls)
            let configuration = self.configuration(server.url, tls)
            await expectError(code, sourceLocation: sourceLocation) { _ = try await NATSClient.connect(configuration) }
        }
        await expect(.tls) { $0.trustRoots = .file(files.directory.path + "/none") }
        await expect(.tls) { $0.trustRoots = .file(files.directory.path) }
        await expect(.tls) { $0.trustRoots = .text("") }
        await expect(.tls) { $0.trustRoots = .text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") }
        await expect(.tls) {
            $0.certificate = .file(files.client.certificate)
            $0.privateKey = .text("x")
        }
        await expect(.tls) {
            $0.certificate = .file(files.client.certificate)
            $0.privateKey = .file(files.server.key)
        }
        await expect(.invalidConfiguration) { $0.certificate = .file(files.client.certificate) }
        await expect(.invalidConfiguration) { $0.privateKey = .file(files.client.key) }
        await expect(.invalidConfiguration) { $0.configuration = { .makeClientConfiguration() } }
        #expect(server.acceptedCount == 0)
        await server.close()
        var tls = TLS()
        tls.privateKey = .text("SECRET")
        var dumped = ""
        dump(tls, to: &dumped)
        #expect(!dumped.contains("SECRET") && !"\(tls)".contains("SECRET"))
    }

    @Test("each connection to a server whose certificate goes unchecked logs a warning, and no other one does")
    func warning() async throws {
        let files = try Files()
        var careless = TLS()
        careless.skipsVerification = true
        try await NATSTestServer.withServer(files.configuration().options) { server in
            for (tls, warnings) in [(careless, 1), (files.trusting, 0)] {
                let log = CollectedLog()
                let configuration = self.configuration(server.clientURL, tls)
                try await NATSClient.withClient(configuration, logger: log.logger) { client in
                    #expect(log.lines.count { $0.hasPrefix("[WRN]") } == warnings)
                    try client.forceReconnect()
                    try await eventually(timeout: .seconds(60)) {
                        client.statistics.reconnects == 1 && client.isConnected
                    }
                }
                let lines = log.detailedLines.filter { $0.hasPrefix("[WRN]") }
                let text = "[WRN] the certificate of the NATS server is not verified"
                #expect(lines.count == 2 * warnings && lines.allSatisfy { $0.hasPrefix(text) }, "\(lines)")
                #expect(lines.allSatisfy { $0.hasSuffix("://127.0.0.1:\(server.port)") }, "\(lines)")
            }
        }
    }

    @Test("files of certificates are read anew for each connection, and may be wrong for a while")
    func rotation() async throws {
        let files = try Files()
        let certificate = files.directory.read("client.pem")
        let key = files.directory.read("client-key.pem")
        let foreign = try TestAuthority().client()
        let wanted = files.configuration {
            $0.verify = true
            $0.authorities = .file(files.roots)
        }
        var tls = files.trusting
        tls.certificate = .file(files.client.certificate)
        tls.privateKey = .file(files.client.key)
        try await NATSTestServer.withServer(wanted.options) { server in
            try await withTestClient(self.configuration(server.clientURL, tls)) { client in
                let events = EventRecorder(client)
                try files.directory.write(foreign.certificateText, to: "client.pem")
                try files.directory.write(foreign.keyText, to: "client-key.pem")
                try client.forceReconnect()
                _ = await events.recorded.wait(timeout: .seconds(60)) { events in
                    events.contains {
                        switch $0 {
                        case .reconnectAttemptFailed, .reconnected: true
                        default: false
                        }
                    }
                }
                // Attempts go on.
                #expect(Set(events.names) == ["disconnected", "reconnectAttemptFailed"])
                #expect(!client.isConnected && client.lastError?.code == .tls, "\(events.recorded.value)")
                try files.directory.write(certificate, to: "client.pem")
                try files.directory.write(key, to: "client-key.pem")
                try await eventually(timeout: .seconds(60)) { client.isConnected }
                try await client.flush(timeout: .seconds(60))
                #expect(client.statistics.reconnects == 1)
            }
        }
    }

    @Test("a whole TLS configuration is made anew for each connection")
    func madeAnew() async throws {
        let files = try Files()
        let text = files.rootsText
        let calls = Watched(0)
        var tls = TLS()
        tls.configuration = {
            calls.update { $0 += 1 }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
            return configuration
        }
        try await NATSTestServer.withServer(files.configuration().options) { server in
            try await withTestClient(self.configuration(server.clientURL, tls)) { client in
                let atFirst = calls.value
                #expect(atFirst > 0)
                for index in 1...2 {
                    try client.forceReconnect()
                    try await eventually(timeout: .seconds(60)) {
                        client.statistics.reconnects == index && client.isConnected
                    }
                    #expect(calls.value == atFirst + index)
                }
            }
        }
    }

    /// So long that no part of it that is chosen at random is likely to pass in a test.
    private static let forever = Duration.seconds(100_000_000)

    @Test("a lost connection is made again after the jitter of its kind", arguments: [true, false])
    func jitter(isSecured: Bool) async throws {
        let files = try Files()
        let options = isSecured ? files.configuration().options : NATSTestServer.Options()
        let (server, port) = try await NATSTestServer.startOnReservedPort(options)
        defer { port.release() }
        var configuration = self.configuration(server.clientURL, isSecured ? files.trusting : TLS())
        configuration.reconnectJitter = isSecured ? Self.forever : .zero
        configuration.secureReconnectJitter = isSecured ? .zero : Self.forever
        try await withTestClient(configuration) { client in
            try await server.restart()
            try await eventually(timeout: .seconds(60)) { client.statistics.reconnects > 0 && client.isConnected }
        }
        await server.stop()
    }

    @Test("a client that is to be secured waits for its first attempt as such, whoever says so")
    func firstJitter() async throws {
        let server = try ScriptedServer()
        var required = TLS()
        required.isRequired = true
        for (scheme, tls, isSecured) in [("tls", TLS(), true), ("nats", required, true), ("nats", TLS(), false)] {
            var configuration = self.configuration("\(scheme)://127.0.0.1:\(server.port)", tls)
            configuration.retryOnFailedConnect = true
            configuration.reconnectJitter = isSecured ? Self.forever : .zero
            configuration.secureReconnectJitter = isSecured ? .zero : Self.forever
            let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
            let peer = try? await server.accept(timeout: .seconds(60))
            #expect(peer != nil, "\(scheme) \(isSecured)")
            connecting.cancel()
            await expectError(.cancelled) { _ = try await connecting.value }
            peer?.close()
        }
        await server.close()
    }
}
