import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@testable import NATSClient

/// What an application may get wrong: an error that names it, and never the secret in it.
@Suite struct BadInputTests {
    private static let secret = "S3CRET"

    private func expectRefused(
        _ code: NATSError.Code,
        names part: String,
        _ configuration: NATSClientConfiguration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do {
            _ = try await NATSClient.connect(configuration)
            Issue.record("connected", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            let whole = "\(error) \(String(reflecting: error)) \(error.message) \(String(describing: error.cause))"
            #expect(error.message.contains(part), "\(error)", sourceLocation: sourceLocation)
            #expect(!whole.contains(Self.secret), "\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test(
        "a URL that is none is refused, and its password stays out of the error",
        arguments: [
            ("http://user:S3CRET@a", "scheme"), ("user:S3CRET@nats://a", "scheme"), ("nats://user:S3CRET@", "host"),
            ("nats://user:S3CRET@a:0", "port"), ("nats://user:S3CRET@a:65536", "port"),
            ("nats://user:S3CRET@a:x", "port"), ("nats://user:S3CRET@a:-1", "port"),
            ("nats://user:S3CRET@a:99999999999999999999", "port"), ("nats://user:S3CRET@[::1", "bracket"),
            ("nats://user:S3CRET@[::1]x", "IPv6"), ("nats://user:S3CRET%@a", "userinfo"),
            ("nats://S3CRET%zz:x@a", "userinfo"), ("nats://user:S3CRET@a b", "host"),
            ("nats://user:S3CRET@a/path", "host"), ("nats://user:S3CRET@a?x", "host"),
            ("nats://user:S3CRET@:4222", "host"),
            ("nats://user:S3CRET@\u{0}", "host"), ("nats://user:S3CRET@a\r\nb", "host"), ("://S3CRET@a", "scheme"),
            // A comma ends a URL: what is behind it is another one, and the first has no @ any more.
            ("nats://user:S3CRET,rest@a:1", "port"),
        ]
    )
    func urls(_ url: String, _ part: String) async {
        await self.expectRefused(.invalidConfiguration, names: part, quickConfiguration(url))
    }

    @Test("seeds, keys and contents of creds files that are none are refused before anybody connects")
    func credentials() async throws {
        let user = try NKeyPair(kind: .user)
        let account = try NKeyPair(kind: .account)
        let server = try ScriptedServer()
        // One character in the middle: the last has bits that mean nothing.
        var characters = Array(user.seed)
        characters[30] = characters[30] == "A" ? "B" : "A"
        let flipped = String(characters)
        typealias Credentials = NATSClientConfiguration.Credentials
        let seeds = [
            "", " ", "SU", user.publicKey.text, account.seed, String(user.seed.dropLast()), flipped, user.seed + "A",
            user.seed.lowercased(), String(repeating: "SU", count: 10_000), "SUé", "SU\u{0}",
        ]
        var all = seeds.map { (Credentials.nkey(seed: $0), $0) }
        for contents in [
            "", "-----BEGIN NATS USER JWT-----", "-----BEGIN NATS USER JWT-----\njwt\n------END NATS USER JWT------\n",
            "-----BEGIN NATS USER JWT-----\njwt\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n"
                + "\(flipped)\n------END USER NKEY SEED------\n", "\u{0}\u{0}", String(repeating: "-", count: 100_000),
        ] {
            all.append((.credentials(Array(contents.utf8)), flipped))
        }
        for (credentials, secret) in all {
            var configuration = quickConfiguration(server.url)
            configuration.credentials = credentials
            do {
                _ = try await NATSClient.connect(configuration)
                Issue.record("connected with \(credentials)")
            } catch {
                #expect(error.code == .badCredentials, "\(error)")
                let whole = "\(error) \(String(reflecting: error)) \(String(describing: error.cause))"
                #expect(secret.count < 10 || !whole.contains(secret), "\(error)")
                #expect(!whole.contains(user.seed.dropLast(4)), "\(error)")
                #expect(error.message.contains("seed") || error.message.contains("credentials"), "\(error)")
            }
        }
        #expect(server.acceptedCount == 0)
        await server.close()
    }

    @Test("configurations that cannot work say which part of them")
    func configurations() async {
        func expect(
            _ part: String,
            sourceLocation: SourceLocation = #_sourceLocation,
            _ change: (inout NATSClientConfiguration) -> Void
        ) async {
            var configuration = quickConfiguration("nats://user:S3CRET@127.0.0.1:1")
            change(&configuration)
            await self.expectRefused(
                .invalidConfiguration,
                names: part,
                configuration,
                sourceLocation: sourceLocation
            )
        }
        for prefix in ["", "a b", "a.*", ">", "a.", ".a", "a..b", "a\r\nPUB"] {
            await expect("inbox prefix") { $0.inboxPrefix = prefix }
        }
        await expect("connect timeout") { $0.connectTimeout = .zero }
        await expect("pending limits") { $0.pendingLimits.messages = 0 }
        await expect("pending limits") { $0.pendingLimits.bytes = -1 }
    }

    @Test("subjects, queue groups and headers that would break the protocol never reach it")
    func operations() async throws {
        let server = try ScriptedServer()
        let connecting = Task { try await NATSClient.connect(quickConfiguration(server.url)) }
        let (peer, _) = try await server.acceptClient()
        let client = try await connecting.value
        for subject in ["", " ", "a b", "a\tb", "a\r\nPING", ".a", "a.", "a..b", "a\n"] {
            await expectError(.badSubject) { try await client.publish("", to: subject) }
            await expectError(.badSubject) { try await client.publish("", to: "a", reply: subject) }
            await expectError(.badSubject) { try client.tryPublish("", to: subject) }
            await expectError(.badSubject) { _ = try await client.request("", to: subject) }
            await expectError(.badSubject) { _ = try await client.subscribe(subject) }
        }
        for subject in ["*", ">", "a.*", "a.>"] {
            await expectError(.badSubject) { try await client.publish("", to: subject) }
            await expectError(.badSubject) { _ = try await client.request("", to: subject) }
        }
        for subject in ["a.>.b", ">.a"] {
            await expectError(.badSubject) { _ = try await client.subscribe(subject) }
        }
        for queue in ["", "a b", "a\r\n", "a\tb"] {
            await expectError(.badQueue) { _ = try await client.subscribe("a", queue: queue) }
        }
        for (name, value) in [
            ("", "x"), ("a b", "x"), ("a:b", "x"), ("a\r\n", "x"), ("a", "x\r\nb: c"), ("a", "x\n"), ("é", "x"),
            ("a\u{0}", "x"),
        ] {
            var headers = NATSHeaders()
            headers.append(name: name, value: value)
            await expectError(.badHeader) { try await client.publish("", to: "a", headers: headers) }
            await expectError(.badHeader) { try client.tryPublish("", to: "a", headers: headers) }
            await expectError(.badHeader) { _ = try await client.request("", to: "a", headers: headers) }
        }
        // Nothing of all that was sent, but what requests begin with.
        try await client.publish("x", to: "good")
        #expect(try await peer.readLine().hasPrefix("SUB _INBOX."))
        try await peer.expect("PUB good 1\r\nx\r\n")
        await client.close()
        peer.close()
        await server.close()
    }
}
