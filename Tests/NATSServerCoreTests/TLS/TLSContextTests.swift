import Logging
import NATSTestSupport
import NIOCore
import NIOSSL
import Testing

@testable import NATSServerCore

@Suite("TLSContext: files and names")
struct TLSContextTests {
    private func text(_ text: String) -> TLSOptions.Source { .text(Array(text.utf8)) }

    private func options(_ certificate: TestCertificate) -> TLSOptions {
        var options = TLSOptions()
        options.timeout = .seconds(30)
        options.keyPairs = [
            .init(certificate: self.text(certificate.certificateText), key: self.text(certificate.keyText))
        ]
        return options
    }

    private func failure(_ options: TLSOptions) -> String? {
        do throws(TLSContext.LoadError) {
            _ = try TLSContext(options)
            return nil
        } catch {
            return error.description
        }
    }

    private func failure(certificate: String, key: String) -> String? {
        TLSContext.problem(certificate: Array(certificate.utf8), key: Array(key.utf8))
    }

    @Test("what is wrong with a pair is told as the official server does")
    func pairs() throws {
        let authority = try TestAuthority()
        let server = try authority.server()
        let other = try authority.server()
        #expect(self.failure(certificate: server.certificateText, key: server.keyText) == nil)
        #expect(
            self.failure(certificate: server.certificateText, key: other.keyText)
                == "tls: private key does not match public key"
        )
        #expect(
            self.failure(certificate: server.keyText, key: server.keyText)
                == """
                tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may \
                have been switched
                """
        )
        #expect(
            self.failure(certificate: server.certificateText, key: server.certificateText)
                == "tls: found a certificate rather than a key in the PEM for the private key"
        )
        #expect(
            self.failure(certificate: "x", key: server.keyText)
                == "tls: failed to find any PEM data in certificate input"
        )
        #expect(
            self.failure(certificate: server.certificateText, key: "x")
                == "tls: failed to find any PEM data in key input"
        )
        #expect(
            self.failure(
                certificate: "-----BEGIN X-----\nAA==\n-----END X-----\n",
                key: server.keyText
            )
                == """
                tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the \
                following types: [X]
                """
        )
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        #expect(self.failure(certificate: broken, key: server.keyText) == "x509: malformed certificate")
        // Only the first one matters, and what else is in the file does no harm.
        let first = server.certificateText
        #expect(self.failure(certificate: broken + first, key: server.keyText) == "x509: malformed certificate")
        #expect(self.failure(certificate: "\(first)\n\(broken)", key: server.keyText) == nil)
        #expect(self.failure(certificate: "\(server.keyText)\n\(first)", key: server.keyText) == nil)
        let brokenKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        #expect(
            self.failure(certificate: server.certificateText, key: brokenKey) == "tls: failed to parse private key"
        )
        #expect(TLSContext.problem(authorities: Array("x".utf8)) == "failed to parse root ca certificate")
        #expect(TLSContext.problem(authorities: Array(authority.text.utf8)) == nil)
    }

    @Test("of authorities what cannot be parsed is left out, wherever it stands")
    func authorities() throws {
        let authority = try TestAuthority()
        let other = try TestAuthority()
        let server = try authority.server()
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let rest = "Bag\n-----BEGIN CERTIFICATE-----\nopen"
        func problem(_ parts: String...) -> String? {
            TLSContext.problem(authorities: Array(parts.joined(separator: "\n").utf8))
        }
        #expect(problem(broken) == "failed to parse root ca certificate")
        #expect(problem(server.keyText) == "failed to parse root ca certificate")
        #expect(problem(broken, authority.text) == nil)
        #expect(problem(authority.text, broken, rest) == nil)
        // One may be there twice, with Windows' line ends and with a key in between.
        let windows = authority.text.split(separator: "\n").joined(separator: "\r\n")
        #expect(problem(broken, authority.text, server.keyText, windows, other.text) == nil)
        var options = self.options(server)
        options.verify = true
        options.authorities = self.text(broken + authority.text + server.keyText + windows + "\n" + other.text)
        #expect(self.failure(options) == nil)
    }

    @Test("files that cannot be read")
    func files() throws {
        var options = TLSOptions()
        options.keyPairs = [.init(certificate: .file("/nowhere/a.pem"), key: .file("/nowhere/a.key"))]
        #expect(
            self.failure(options)
                == "error parsing X509 certificate/key pair: open /nowhere/a.pem: no such file or directory"
        )
        options.keyPairs.append(options.keyPairs[0])
        #expect(
            self.failure(options)
                == "error parsing X509 certificate/key pair 1/2: open /nowhere/a.pem: no such file or directory"
        )
        options = self.options(try TestAuthority().server())
        options.authorities = .file("/nowhere/ca.pem")
        #expect(self.failure(options) == "open /nowhere/ca.pem: no such file or directory")
        #expect(throws: PlainFile.Failure.self) { try PlainFile.read("/") }
    }

    @Test("cipher suites and curves by name")
    func names() throws {
        let certificate = try TestAuthority().server()
        func failure(suites: [String] = [], curves: [String] = [], allowInsecure: Bool = false) -> String? {
            var options = self.options(certificate)
            options.cipherSuites = suites
            options.curvePreferences = curves
            options.allowInsecureCipherSuites = allowInsecure
            return self.failure(options)
        }
        #expect(failure() == nil)
        #expect(failure(suites: ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]) == nil)
        #expect(failure(suites: ["TLS_AES_128_GCM_SHA256"]) == nil)
        #expect(failure(suites: ["x"]) == "unrecognized cipher x")
        #expect(
            failure(suites: ["TLS_RSA_WITH_AES_128_CBC_SHA"])
                == """
                insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: \
                TLS_RSA_WITH_AES_128_CBC_SHA
                """
        )
        #expect(failure(suites: ["TLS_RSA_WITH_AES_128_CBC_SHA"], allowInsecure: true) == nil)
        #expect(
            failure(suites: ["TLS_RSA_WITH_RC4_128_SHA"], allowInsecure: true)
                == "cipher suite TLS_RSA_WITH_RC4_128_SHA is not supported: BoringSSL does not have it"
        )
        #expect(failure(curves: ["CurveP256", "X25519", "X25519MLKEM768", "CurveP384", "CurveP521"]) == nil)
        #expect(failure(curves: ["x"]) == "unrecognized curve preference x")
        #expect(
            failure(curves: ["SecP256r1MLKEM768"])
                == "curve preference SecP256r1MLKEM768 is not supported: BoringSSL does not have it"
        )
        #expect(TLSNames.cipherSuite(0x1301) == "TLS_AES_128_GCM_SHA256")
        #expect(TLSNames.cipherSuite(0x00ff) == "0x00FF")
        #expect(TLSNames.version(0x0304) == "1.3")
    }

    @Test(
        "host names of certificates",
        arguments: [
            ("a.b", "a.b", true), ("*.b", "a.b", true), ("*.b", "b", false), ("*.b", "x.a.b", false),
            ("*.b", ".b", false),
            ("", "", false), ("a.b", "a.c", false),
        ]
    )
    func hostNames(pattern: String, host: String, matches: Bool) {
        #expect(HostNamePattern.matches(Array(pattern.utf8), Array(host.utf8)) == matches)
    }

    @Test("a ServerHello is found however its bytes are split")
    func serverHello() {
        func hello(version: UInt16, extensions: [UInt8]) -> [UInt8] {
            var body: [UInt8] = [UInt8(version >> 8), UInt8(version & 0xff)] + [UInt8](repeating: 7, count: 32)
            body += [2, 1, 2, 0x13, 0x01, 0]
            body += [UInt8(extensions.count >> 8), UInt8(extensions.count & 0xff)] + extensions
            let message = [2, 0, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
            return [22, 3, 3, UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
        }
        let old = hello(version: 0x0303, extensions: [0, 23, 0, 0])
        let new = hello(version: 0x0303, extensions: [0, 51, 0, 1, 9, 0, 43, 0, 2, 3, 4])
        for (bytes, version) in [(old, 0x0303), (new, 0x0304)] as [([UInt8], UInt16)] {
            for count in 0..<bytes.count {
                #expect(TLSServerHello.find(in: ByteBuffer(bytes: bytes[..<count])) == .needsMore)
            }
            let expected = TLSServerHello(version: version, cipherSuite: 0x1301)
            #expect(TLSServerHello.find(in: ByteBuffer(bytes: bytes + [1, 2, 3])) == .found(expected))
        }
        // An alert instead.
        #expect(TLSServerHello.find(in: ByteBuffer(bytes: [21, 3, 3, 0, 2, 2, 40])) == .notThere)
        #expect(TLSServerHello.find(in: ByteBuffer(bytes: [22, 3, 3, 0, 2, 2, 40])) == .notThere)
    }

    @Test("reasons of failed handshakes")
    func failures() {
        #expect(
            TLSHandshakeFailure.reason(
                "Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at a/b.cc:12"
            ) == "WRONG_VERSION_NUMBER"
        )
        #expect(TLSHandshakeFailure(reasons: ["WRONG_VERSION_NUMBER"]).isProbe)
        #expect(
            TLSHandshakeFailure(reasons: ["TLSV1_ALERT_UNKNOWN_CA"]).text
                == "remote error: tls: unknown certificate authority"
        )
        #expect(
            TLSHandshakeFailure(reasons: ["SSLV3_ALERT_BAD_CERTIFICATE"]).text == "remote error: tls: bad certificate"
        )
        #expect(TLSHandshakeFailure(reasons: ["SOMETHING_ELSE"]).text == "tls: something else")
        #expect(TLSHandshakeFailure(reasons: []).text == "tls: handshake failed")
        #expect(TLSHandshakeFailure(NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))).text == "EOF")
    }

    // MARK: A server

    private func server(_ tls: TLSOptions) async throws -> Server {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.host = "127.0.0.1"
        options.port = 0
        options.tls = tls
        let server = Server(options: options)
        try await server.start()
        return server
    }

    @Test("new connections get the new certificate, old ones stay", .timeLimit(.minutes(1)))
    func replaced() async throws {
        let authority = try TestAuthority()
        let first = try authority.server()
        let second = try authority.server()
        let server = try await self.server(self.options(first))
        let client = SecureConnection.Options(authority: authority.text)
        let old = try await SecureConnection.connect(port: server.boundPort, client)
        #expect(try await old.connect() == "PONG\r\n")
        #expect(try await old.serverCertificate() == first.bytes)
        await server.useTLS(try Server.loadTLS(self.options(second)))
        let new = try await SecureConnection.connect(port: server.boundPort, client)
        #expect(try await new.connect() == "PONG\r\n")
        #expect(try await new.serverCertificate() == second.bytes)
        await old.send("PING\r\n")
        #expect(try await old.read(until: "\r\n") == "PONG\r\n")
        // Without TLS from now on.
        await server.useTLS(nil)
        let clear = try RawConnection.connect(port: server.boundPort)
        await clear.send("CONNECT {\"verbose\":false}\r\nPING\r\n")
        _ = try await clear.read(until: "PONG\r\n")
        await server.shutdown()
    }

    @Test("clients whose key is no longer pinned are closed", .timeLimit(.minutes(1)))
    func pinsReplaced() async throws {
        let authority = try TestAuthority()
        let identity = try authority.client()
        var options = self.options(try authority.server())
        options.verify = true
        options.authorities = self.text(authority.text)
        let server = try await self.server(options)
        let client = SecureConnection.Options(authority: authority.text, identity: identity)
        let connection = try await SecureConnection.connect(port: server.boundPort, client)
        #expect(try await connection.connect() == "PONG\r\n")
        options.pinnedCerts = [identity.publicKeyDigest]
        await server.useTLS(try Server.loadTLS(options))
        await connection.send("PING\r\n")
        #expect(try await connection.read(until: "\r\n") == "PONG\r\n")
        options.pinnedCerts = [String(repeating: "0", count: 64)]
        await server.useTLS(try Server.loadTLS(options))
        #expect(await connection.readToEnd().isEmpty)
        await server.shutdown()
    }

    @Test("several certificates: the one for the host name", .timeLimit(.minutes(1)))
    func several() async throws {
        let authority = try TestAuthority()
        let other = try authority.server(dnsNames: ["other.example"])
        let local = try authority.server(dnsNames: ["localhost"])
        var options = self.options(other)
        options.keyPairs += self.options(local).keyPairs
        let server = try await self.server(options)
        let connection = try await SecureConnection.connect(
            port: server.boundPort,
            SecureConnection.Options(authority: authority.text)
        )
        #expect(try await connection.connect() == "PONG\r\n")
        #expect(try await connection.serverCertificate() == local.bytes)
        await server.shutdown()
    }

    @Test("monitoring pages by HTTPS, without client certificates", .timeLimit(.minutes(1)))
    func monitoring() async throws {
        let authority = try TestAuthority()
        let certificate = try authority.server()
        var tls = self.options(certificate)
        tls.authorities = self.text(authority.text)
        tls.verifyAndMap = true
        let log = CollectedLog()
        var options = ServerOptions(logger: log.logger)
        options.host = "127.0.0.1"
        options.port = 0
        options.tls = tls
        options.tls?.timeout = .seconds(30)
        options.monitoring.httpsPort = -1
        options.authorization.users = [.init(name: "CN=client")]
        let server = Server(options: options)
        try await server.start()
        let port = server.boundMonitoringPort
        let identity = try authority.client()
        let client = try await SecureConnection.connect(
            port: server.boundPort,
            SecureConnection.Options(authority: authority.text, identity: identity)
        )
        #expect(try await client.connect() == "PONG\r\n")

        let silent = try RawConnection.connect(port: port)
        func get(_ path: String) async throws -> String {
            var options = SecureConnection.Options(authority: authority.text)
            options.handshakeFirst = true
            // The server gives a request five seconds, which may be too short on a busy machine.
            for _ in 0..<10 {
                let page = try await SecureConnection.connect(port: port, options)
                await page.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let answer = await page.readToEnd()
                if !answer.isEmpty { return answer }
            }
            return ""
        }
        let connections = try await get("/connz?auth=1")
        #expect(connections.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(connections.contains(#""tls_version": "1.3""#))
        #expect(connections.contains(#""tls_cipher_suite": "TLS_"#))
        #expect(connections.contains(#""subject": "CN=client""#))
        #expect(connections.contains(#""spki_sha256": "\#(identity.publicKeyDigest)""#))
        let variables = try await get("/varz")
        #expect(variables.contains(#""tls_required": true"#))
        #expect(variables.contains(#""tls_verify": true"#))
        #expect(variables.contains(#""tls_cert_not_after": "2"#))

        let clear = try RawConnection.connect(port: port)
        await clear.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = String(decoding: try await clear.readToEnd(), as: UTF8.self)
        #expect(answer == "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
        let garbage = try RawConnection.connect(port: port)
        await garbage.send("garbage, which is no HTTP")
        _ = try await garbage.readToEnd()
        #expect(await log.wait(for: "[ERR] monitoring: TLS handshake error from 127.0.0.1:"))
        #expect(await log.wait(for: "client sent an HTTP request to an HTTPS server"))
        #expect(await log.wait(for: "tls: first record does not look like a TLS handshake"))
        #expect(log.lines.contains { $0.hasPrefix("[INF] Starting https monitor on 127.0.0.1:") })
        // Who never begins is told of as well, and nobody twice.
        _ = try await silent.readToEnd()
        #expect(await log.wait(for: "i/o timeout"))
        let told = log.lines.filter { $0.contains("monitoring: TLS handshake error") }
            .compactMap { $0.split(separator: " ").first { $0.hasPrefix("127.0.0.1:") } }
        // On a busy machine a page may have been asked for again.
        #expect(told.count >= 3 && Set(told).count == told.count, "\(told)")
        await server.shutdown()
    }

    @Test("handshakes per second are limited", .timeLimit(.minutes(1)))
    func rateLimit() async throws {
        let authority = try TestAuthority()
        var options = self.options(try authority.server())
        options.connectionRateLimit = 1
        let server = try await self.server(options)
        let throttled = "-ERR 'Connection throttling is active. Please try again later.'\r\n"
        // One a second may; of so many in a row some may not.
        var refused = 0
        for _ in 0..<20 where refused == 0 {
            let peers = try (0..<10).map { _ in try RawConnection.connect(port: server.boundPort) }
            for peer in peers {
                try await peer.readInfo()
                if await peer.wait(timeout: .milliseconds(100), until: { $0.end != nil }) {
                    #expect(String(decoding: peer.takeAll(), as: UTF8.self) == throttled)
                    refused += 1
                }
            }
        }
        #expect(refused > 0)
        await server.shutdown()
    }

    @Test("a server does not start with what cannot be loaded")
    func startFails() async throws {
        var options = TLSOptions()
        options.keyPairs = [.init(certificate: .file("/nowhere/a.pem"), key: .file("/nowhere/a.key"))]
        await #expect {
            _ = try await self.server(options)
        } throws: {
            "\($0)" == "error parsing X509 certificate/key pair: open /nowhere/a.pem: no such file or directory"
        }
    }
}
