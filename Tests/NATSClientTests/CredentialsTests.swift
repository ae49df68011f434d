import NATSAuth
import NATSTestServer
import NATSTestSupport
import NATSWire
import NIOConcurrencyHelpers
import Testing

@testable import NATSClient

@Suite struct CredentialsTests {
    private typealias Credentials = NATSClientConfiguration.Credentials

    private struct Refusal: Error {}

    private func configuration(_ url: String, _ credentials: Credentials) -> NATSClientConfiguration {
        var configuration = quickConfiguration(url)
        configuration.credentials = credentials
        return configuration
    }

    /// Makes an account with a user, and starts a server that knows them.
    private func withOperator(
        _ server: ServerUnderTest,
        _ body: @Sendable (RunningServer, _ jwt: String, _ user: NKeyPair) async throws -> Void
    ) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("A")
        let user = try NKeyPair(kind: .user)
        let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: account, at: authority.now)
        try await server.withServer(authority) { running in
            try await body(running, jwt, user)
        }
    }

    /// Subscribes, publishes and receives.
    private func expectWorks(
        _ configuration: NATSClientConfiguration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withTestClient(configuration) { client in
            let subscription = try await client.subscribe("a", confirm: true)
            try await client.publish("x", to: "a")
            let message = try await subscription.next(timeout: .seconds(30))
            #expect(message?.string == "x", sourceLocation: sourceLocation)
        }
    }

    // MARK: Servers

    @Test("an nkey opens the server: by seed, file and signer", arguments: ServerUnderTest.available)
    func nkeys(_ server: ServerUnderTest) async throws {
        let pair = try NKeyPair(kind: .user)
        let other = try NKeyPair(kind: .user)
        let directory = try TemporaryDirectory()
        let file = try directory.write("a comment\n  \(pair.seed)\n", to: "user.nk")
        var wanted = ServerConfiguration(users: [.init(nkey: pair.publicKey.text)])
        wanted.authTimeout = .seconds(60)
        try await server.withServer(wanted) { running in
            let sign: Credentials.Signer = { try pair.sign($0) }
            for credentials: Credentials in [
                .nkey(seed: pair.seed), .nkey(seedFile: file), .nkey(publicKey: pair.publicKey.text, sign: sign),
                .provider { .nkey(seed: pair.seed) },
            ] {
                try await self.expectWorks(self.configuration(running.url, credentials))
            }
            for credentials: Credentials in [
                .nkey(seed: other.seed), .nkey(publicKey: other.publicKey.text, sign: sign), .none,
                .nkey(publicKey: pair.publicKey.text, sign: { try other.sign($0) }),
            ] {
                await expectError(.authorization) {
                    _ = try await NATSClient.connect(self.configuration(running.url, credentials))
                }
            }
        }
    }

    @Test(
        "a user's JWT opens a server of an operator: by file, contents and functions",
        arguments: ServerUnderTest.available
    )
    func jwts(_ server: ServerUnderTest) async throws {
        try await self.withOperator(server) { running, jwt, user in
            let directory = try TemporaryDirectory()
            let text = try CredentialsFile(jwt: jwt, keyPair: user).text
            let file = try directory.write(text, to: "user.creds")
            let sign: Credentials.Signer = { try user.sign($0) }
            for credentials: Credentials in [
                .credentialsFile(file), .credentials(Array(text.utf8)), .jwt({ jwt }, sign: sign),
                .provider { .credentialsFile(file) },
            ] {
                try await self.expectWorks(self.configuration(running.url, credentials))
            }
            for credentials: Credentials in [.jwt({ jwt }, sign: nil), .jwt({ "x" }, sign: sign)] {
                await expectError(.authorization) {
                    _ = try await NATSClient.connect(self.configuration(running.url, credentials))
                }
            }
        }
    }

    @Test("a provider is asked for user and password, and for a token", arguments: ServerUnderTest.available)
    func passwords(_ server: ServerUnderTest) async throws {
        try await server.withServer(ServerConfiguration(user: "u", password: "p", authTimeout: .seconds(60))) {
            running in
            let provider = Credentials.provider { .userPassword(user: "u", password: "p") }
            try await self.expectWorks(self.configuration(running.url, provider))
            // The URL wins.
            let url = "nats://u:p@127.0.0.1:\(running.port)"
            try await self.expectWorks(self.configuration(url, .provider { throw Refusal() }))
        }
        try await server.withServer(ServerConfiguration(token: "t", authTimeout: .seconds(60))) { running in
            try await self.expectWorks(self.configuration(running.url, .provider { .token("t") }))
        }
    }

    // MARK: Each connection

    @Test("files are read again, and providers asked again, for every connection")
    func rotation() async throws {
        let server = try ScriptedServer()
        let directory = try TemporaryDirectory()
        let users = [try NKeyPair(kind: .user), try NKeyPair(kind: .user)]
        func contents(_ index: Int) -> String { self.credentialsText(jwt: "jwt\(index)", users[index]) }
        let file = try directory.write(contents(0), to: "user.creds")
        let asked = Watched(0)
        let configuration = self.configuration(
            server.url,
            .provider {
                asked.update { $0 += 1 }
                return .credentialsFile(file)
            }
        )
        func expect(_ connect: String, nonce: String, user index: Int) throws {
            let payload = try ConnectPayload(json: Array(connect.utf8))
            let signature = try #require(Base64.decode(payload.signature))
            #expect(users[index].publicKey.isValidSignature(signature, for: Array(nonce.utf8)))
            #expect(!payload.signature.contains("=") && payload.jwt == "jwt\(index)" && payload.nkey.isEmpty)
        }
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (first, text) = try await server.acceptClient(info: ScriptedServer.info(extra: #","nonce":"n1""#))
        try expect(text, nonce: "n1", user: 0)
        let client = try await connecting.value
        _ = try directory.write(contents(1), to: "user.creds")
        first.close()
        let (second, other) = try await server.acceptClient(info: ScriptedServer.info(extra: #","nonce":"n2""#))
        try expect(other, nonce: "n2", user: 1)
        #expect(asked.value == 2)
        await client.close()
        second.close()
        await server.close()
    }

    private func credentialsText(jwt: String, _ user: NKeyPair) -> String {
        """
        -----BEGIN NATS USER JWT-----
        \(jwt)
        ------END NATS USER JWT------
        -----BEGIN USER NKEY SEED-----
        \(user.seed)
        ------END USER NKEY SEED------

        """
    }

    /// What the client says of itself on two connections, for which servers ask it to sign `n1` and `n2`.
    private func twoConnects(
        _ credentials: Credentials,
        between: () throws -> Void = {}
    ) async throws -> [ConnectPayload] {
        let server = try ScriptedServer()
        let configuration = self.configuration(server.url, credentials)
        let connecting = Task { try await NATSClient.connect(configuration) }
        let (first, text) = try await server.acceptClient(info: ScriptedServer.info(extra: #","nonce":"n1""#))
        let client = try await connecting.value
        try between()
        first.close()
        let (second, other) = try await server.acceptClient(info: ScriptedServer.info(extra: #","nonce":"n2""#))
        await client.close()
        second.close()
        await server.close()
        return try [text, other].map { try ConnectPayload(json: Array($0.utf8)) }
    }

    private func isSigned(_ payload: ConnectPayload, _ nonce: String, by user: NKeyPair) throws -> Bool {
        let signature = try #require(Base64.decode(payload.signature))
        return user.publicKey.isValidSignature(signature, for: Array(nonce.utf8))
    }

    @Test("the functions for a JWT and for its signature are called for every connection")
    func functionsAnew() async throws {
        let user = try NKeyPair(kind: .user)
        let asked = Watched(0)
        let signed = Watched<[[UInt8]]>([])
        let connects = try await self.twoConnects(
            .jwt(
                {
                    let count = asked.update { count -> Int in
                        count += 1
                        return count
                    }
                    return "jwt\(count)"
                },
                sign: { nonce in
                    signed.update { $0.append(nonce) }
                    return try user.sign(nonce)
                }
            )
        )
        #expect(connects.map(\.jwt) == ["jwt1", "jwt2"])
        #expect(signed.value == [Array("n1".utf8), Array("n2".utf8)])
        #expect(try self.isSigned(connects[0], "n1", by: user))
        #expect(try self.isSigned(connects[1], "n2", by: user))
    }

    @Test("a creds file is read for every connection")
    func fileAnew() async throws {
        let directory = try TemporaryDirectory()
        let users = [try NKeyPair(kind: .user), try NKeyPair(kind: .user)]
        let file = try directory.write(self.credentialsText(jwt: "jwt1", users[0]), to: "user.creds")
        let connects = try await self.twoConnects(.credentialsFile(file)) {
            _ = try directory.write(self.credentialsText(jwt: "jwt2", users[1]), to: "user.creds")
        }
        #expect(connects.map(\.jwt) == ["jwt1", "jwt2"])
        #expect(try self.isSigned(connects[0], "n1", by: users[0]))
        #expect(try self.isSigned(connects[1], "n2", by: users[1]))
    }

    @Test("a reconnect goes on while the file is missing")
    func missingForAWhile() async throws {
        let server = try ScriptedServer()
        let directory = try TemporaryDirectory()
        let pair = try NKeyPair(kind: .user)
        let file = try directory.write(pair.seed, to: "user.nk")
        let info = ScriptedServer.info(extra: #","nonce":"n""#)
        let configuration = self.configuration(server.url, .nkey(seedFile: file))
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let (first, text) = try await server.acceptClient(info: info)
        #expect(try ConnectPayload(json: Array(text.utf8)).nkey == pair.publicKey.text)
        let client = try await connecting.value
        try directory.rename("user.nk", to: "elsewhere")
        first.close()
        let second = try await server.accept()
        await second.send(info)
        try await eventually { client.lastError?.code == .badCredentials }
        try directory.rename("elsewhere", to: "user.nk")
        // Those that were made meanwhile are closed already.
        var last: RawConnection?
        while last == nil {
            let peer = try await server.accept()
            await peer.send(info)
            if let line = try? await peer.readLine(), line.hasPrefix("CONNECT") {
                await peer.send("PONG\r\n")
                last = peer
            }
        }
        try await eventually { client.isConnected }
        await client.close()
        last?.close()
        await server.close()
    }

    @Test("a provider that does not come back is cancelled when the handshake has had its time")
    func slowProvider() async throws {
        let server = try ScriptedServer()
        let cancelled = Watched(false)
        var configuration = self.configuration(
            server.url,
            .provider {
                do {
                    try await Task.sleep(for: .seconds(3600))
                } catch {
                    cancelled.update { $0 = true }
                }
                return .none
            }
        )
        configuration.connectTimeout = .seconds(5)
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        await peer.send(ScriptedServer.info())
        await expectError(.timeout) { _ = try await connecting.value }
        #expect(await cancelled.wait { $0 })
        peer.close()
        await server.close()
    }

    @Test("a client that is closed while it is asked for credentials is closed")
    func closedMeanwhile() async throws {
        let server = try ScriptedServer()
        let asked = Watched(false)
        let configuration = self.configuration(
            server.url,
            .provider {
                asked.update { $0 = true }
                try await Task.sleep(for: .seconds(3600))
                return .none
            }
        )
        let connecting = Task { [configuration] in try await NATSClient.connect(configuration) }
        let peer = try await server.accept()
        await peer.send(ScriptedServer.info())
        #expect(await asked.wait { $0 })
        connecting.cancel()
        await expectError(.cancelled) { _ = try await connecting.value }
        peer.close()
        await server.close()
    }

    // MARK: What cannot be used

    @Test("a server without a nonce knows no nkeys")
    func noNonce() async throws {
        let pair = try NKeyPair(kind: .user)
        try await NATSTestServer.withServer { server in
            let scripted = try ScriptedServer()
            let connecting = Task {
                try await NATSClient.connect(self.configuration(scripted.url, .nkey(seed: pair.seed)))
            }
            let peer = try await scripted.accept()
            await peer.send(ScriptedServer.info())
            await expectError(.nkeysNotSupported) { _ = try await connecting.value }
            peer.close()
            await scripted.close()
            // A JWT is sent all the same, and a server without users does not look at it.
            try await self.expectWorks(self.configuration(server.clientURL, .jwt({ "x" }, sign: { _ in [] })))
        }
    }

    @Test("what cannot be used is named, without the secret")
    func unusable() async throws {
        let server = try ScriptedServer()
        let directory = try TemporaryDirectory()
        let pair = try NKeyPair(kind: .user)
        let account = try NKeyPair(kind: .account)
        let secret = String(pair.seed.dropLast(4))
        let broken = try directory.write("-----BEGIN-----\njwt\n-----END-----\n\(secret)AAAA\n", to: "broken.creds")
        _ = try directory.write("", to: "empty")
        let huge = try directory.write(String(repeating: "x", count: SecretFile.maximumLength + 1), to: "huge")
        // Found before anybody connects.
        for credentials: Credentials in [
            .nkey(seed: ""), .nkey(seed: secret + "AAAA"), .nkey(seed: account.seed),
            .nkey(publicKey: account.publicKey.text, sign: { _ in [] }), .credentials([]), .credentials([0xff, 0, 10]),
            .credentials(Array(secret.utf8)),
        ] {
            do {
                _ = try await NATSClient.connect(self.configuration(server.url, credentials))
                Issue.record("connected with \(credentials)")
            } catch {
                #expect(error.code == .badCredentials && !"\(error)".contains(secret), "\(error)")
            }
        }
        #expect(server.acceptedCount == 0)
        // Found when the server asks.
        for credentials: Credentials in [
            .credentialsFile(directory.path + "/none"), .credentialsFile(directory.path), .credentialsFile(broken),
            .nkey(seedFile: directory.path + "/empty"), .nkey(seedFile: huge), .provider { throw Refusal() },
            .provider { .provider { .none } }, .jwt({ throw Refusal() }, sign: nil),
            .jwt({ "x" }, sign: { _ in throw Refusal() }),
        ] {
            let connecting = Task { try await NATSClient.connect(self.configuration(server.url, credentials)) }
            let peer = try await server.accept()
            await peer.send(ScriptedServer.info(extra: #","nonce":"n""#))
            do {
                _ = try await connecting.value
                Issue.record("connected with \(credentials)")
            } catch let error as NATSError {
                #expect(error.code == .badCredentials && !"\(error)".contains(secret), "\(error)")
            }
            peer.close()
        }
        await server.close()
    }

    @Test("no description shows a secret")
    func descriptions() {
        for credentials: Credentials in [
            .userPassword(user: "SECRET", password: "SECRET"), .token("SECRET"), .nkey(seed: "SECRET"),
            .credentials(Array("SECRET".utf8)),
        ] {
            var configuration = NATSClientConfiguration()
            configuration.credentials = credentials
            var dumped = ""
            dump(configuration, to: &dumped)
            for text in ["\(credentials)", "\(configuration)", String(reflecting: configuration), dumped] {
                #expect(!text.contains("SECRET") && !text.contains("83, 69"), "\(text)")
            }
        }
    }
}
