import NATSAuth
import NATSTestSupport
import NIOSSL
import Testing

@testable import NATSServerCore

/// A web server as resolver: what it is asked, and what is made of its answers; the same of the official server and ours.
@Suite("resolver by HTTP", .serialized, .timeLimit(.minutes(3)))
struct URLResolverTests {
    /// An operator without a system account, so that nothing is asked for but what clients need.
    private static func authority() throws -> TestOperator {
        var authority = try TestOperator()
        authority.claims.systemAccount = ""
        return authority
    }

    private static func configuration(_ authority: TestOperator, _ url: String, _ more: String = "") throws -> String {
        """
        operator: \(try authority.claims.encoded(signedBy: authority.keys, at: authority.now))
        authorization { timeout: 60 }
        resolver: "URL(\(url))"
        \(more)

        """
    }

    /// Replaces what is different each time.
    private static func stable(_ text: String, _ web: AccountWebServer) -> String {
        text.replacing(":\(web.port)", with: ":PORT")
    }

    @Test(
        "what is asked: path, query, credentials",
        arguments: [
            ("http://HOST", "GET / of HOST"), ("http://HOST/", "GET / of HOST"),
            ("http://HOST/jwt/v1/accounts", "GET /jwt/v1/accounts/ of HOST"),
            ("http://HOST//a//", "GET //a// of HOST"), ("HTTP://HOST/A", "GET /A/ of HOST"),
            ("http://joe:pa%20ss@HOST/a", "GET /a/ of HOST authorization Basic am9lOnBhIHNz"),
            ("http://joe@HOST/a", "GET /a/ of HOST authorization Basic am9lOg=="),
            ("http://:secret@HOST/a", "GET /a/ of HOST authorization Basic OnNlY3JldA=="),
            ("http://HOST/a?key=1&other=2", "GET /a?key=1&other=2/ of HOST"), ("http://HOST/?", "GET /?/ of HOST"),
            ("http://HOST/a?b#fragment", "GET /a?b of HOST"), ("http://HOST/a#fragment", "GET /a of HOST"),
            ("http://HOST/a%2Fb/c", "GET /a%2Fb/c/ of HOST"), ("http://HOST/a%2Fb/é", "GET /a/b/%C3%A9/ of HOST"),
            ("http://HOST/<a>^|", "GET /%3Ca%3E%5E%7C/ of HOST"), ("http://HOST/%41*!", "GET /%41*!/ of HOST"),
        ]
    )
    func requests(url: String, expected: String) async throws {
        let authority = try Self.authority()
        try await AccountWebServer.with { _ in
            .text("hello")
        } _: { web in
            let text = try Self.configuration(authority, url.replacing("HOST", with: "127.0.0.1:\(web.port)"))
            for kind in ServerUnderTest.available {
                try await ConfiguredServer.with(kind, text) { _ in }
                let requests = web.takeRequests().map { Self.stable($0.description, web) }
                #expect(requests == [expected.replacing("HOST", with: "127.0.0.1:PORT")], "\(kind)")
            }
        }
    }

    @Test(
        "redirections are followed, and only those that asked for a password's page give it",
        arguments: [
            (301, "/new/?x"), (302, "../new/?x"), (303, "new"), (307, "http://localhost:PORT/new"), (308, "?y#z"),
            (302, "//127.0.0.1:PORT/new"), (302, "/a/./b/../c/."),
        ]
    )
    func redirections(code: Int, location: String) async throws {
        let authority = try Self.authority()
        let port = Watched<Int>(0)
        try await AccountWebServer.with { target in
            target.hasPrefix("/old/") && target.hasSuffix("/")
                ? .redirect(code, location.replacing("PORT", with: "\(port.value)")) : .text("hello")
        } _: { web in
            port.update { $0 = web.port }
            let text = try Self.configuration(authority, "http://joe:secret@127.0.0.1:\(web.port)/old")
            var requests: [[String]] = []
            for kind in ServerUnderTest.available {
                try await ConfiguredServer.with(kind, text) { _ in }
                requests.append(web.takeRequests().map { Self.stable($0.description, web) })
            }
            #expect(requests.first?.count == 2)
            for others in requests.dropFirst() { #expect(others == requests.first) }
        }
    }

    @Test("users of the accounts that a web server has", arguments: ServerUnderTest.available)
    func accounts(kind: ServerUnderTest) async throws {
        var authority = try Self.authority()
        let good = try authority.addAccount("good")
        let other = try authority.addAccount("other")
        let missing = try NKeyPair(kind: .account)
        let broken = try NKeyPair(kind: .account)
        var answers = authority.accounts
        // Somebody else's.
        answers[other.publicKey.text] = answers[good.publicKey.text]
        answers[broken.publicKey.text] = "no JWT"
        let known = answers
        try await AccountWebServer.with { target in
            guard target.hasPrefix("/accounts/") else { return .status(403) }
            let name = String(target.dropFirst("/accounts/".count))
            return name.isEmpty ? .text("") : known[name].map { .text($0) } ?? .status(404)
        } _: { web in
            let text = try Self.configuration(authority, "http://127.0.0.1:\(web.port)/accounts")
            try await ConfiguredServer.with(kind, text) { server in
                var results: [String] = []
                for keys in [good, other, missing, broken, good] {
                    results.append(try await Tenant(of: keys, authority).attempt(server).answer)
                }
                let refused = "-ERR 'Authorization Violation'"
                #expect(results == ["PONG", refused, refused, refused, "PONG"])
            }
            #expect(web.takeRequests().contains { $0.target == "GET /accounts/\(good.publicKey.text)" })
        }
    }

    // MARK: What stops a start

    /// The line that the official server ends with.
    private static func officialFailure(_ text: String) async throws -> String? {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "server.conf")
        let path = try #require(TestDependencies.officialServer(.current))
        let process = try ChildProcess(path, ["-a", "127.0.0.1", "-p", "-1", "-c", file])
        let exit = await process.waitForExit()
        await process.stop()
        guard exit == .exited(1) else { return nil }
        let line = process.output.split(separator: "\n").last { $0.hasPrefix("nats-server: ") }
        return line.map { String($0.dropFirst("nats-server: ".count)) }
    }

    private static func ourFailure(_ text: String) async throws -> String? {
        do {
            try await ConfiguredServer.with(.ours, text) { _ in }
            return nil
        } catch let error as ServerStartError {
            return error.description
        }
    }

    @Test(
        "what stops a start, in the official words and without the password",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server")),
        arguments: [
            "http://u:secret@HOST/404", "http://HOST/500?z=u:p@x", "http://HOST/799", "http://HOST/304",
            "http://u:secret@HOST/nothing", "http://HOST/half", "http://u:secret@HOST/silence",
            "http://u:secret@HOST/circle", "http://HOST/elsewhere", "http://HOST/nowhere",
            "http://u:secret@HOST/wrong",
            "http://u:secret@127.0.0.1:1/x?pass=1#f", "http://u@127.0.0.1:1/x", "http://u:@127.0.0.1:1/a%2Fb/é?é",
            "HTTP://127.0.0.1:1/A", "http://127.0.0.1:99999/x", "ftp://u:secret@HOST/x", "http:///x", "http:/x/y",
            "http:x?u:p@h", "/x", "",
        ]
    )
    func failures(url: String) async throws {
        let authority = try Self.authority()
        try await AccountWebServer.with { target in
            let word = target.dropFirst().prefix { !"/?#".contains($0) }
            return switch word {
            case "nothing": .nothing
            case "half": .half
            case "silence": .silence
            case "circle": .redirect(302, "/circle/again")
            case "elsewhere": .redirect(302, "ftp://127.0.0.1/x")
            case "nowhere": .redirect(302, "")
            case "wrong": .redirect(302, "/a%zz")
            default: .status(Int(word) ?? 200)
            }
        } _: { web in
            let text = try Self.configuration(authority, url.replacing("HOST", with: "127.0.0.1:\(web.port)"))
            let official = try await Self.officialFailure(text)
            let requests = web.takeRequests().count
            let own = try await Self.ourFailure(text)
            #expect(web.takeRequests().count == requests)
            #expect(official != nil)
            #expect(own == official)
            #expect(own?.contains("secret") == false)
        }
    }

    // MARK: TLS

    private static func context(_ identity: TestCertificate, clients authority: TestAuthority?) throws -> NIOSSLContext
    {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificateText.utf8))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.keyText.utf8), format: .pem))
        )
        if let authority {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authority.text.utf8))
            )
        }
        return try NIOSSLContext(configuration: configuration)
    }

    @Test("resolver_tls says whom to trust, and who the server is", arguments: ServerUnderTest.available)
    func security(kind: ServerUnderTest) async throws {
        var authority = try Self.authority()
        let account = try authority.addAccount("web")
        let accounts = authority.accounts
        let directory = try TemporaryDirectory()
        let trusted = try TestAuthority()
        let ca = try directory.write(trusted.text, to: "ca.pem")
        let client = try trusted.client().write(to: directory, as: "client")
        let trust = "ca_file: \"\(ca)\""
        let identity = "cert_file: \"\(client.certificate)\", key_file: \"\(client.key)\""
        let cases: [(block: String?, wantsClient: Bool, isExpired: Bool, works: Bool)] = [
            (nil, false, false, false), (trust, false, false, true), ("insecure: true", false, false, true),
            (trust, false, true, false), ("\(trust), \(identity)", true, false, true), (trust, true, false, false),
            ("\(trust), min_version: \"1.3\"", false, false, true),
        ]
        for (block, wantsClient, isExpired, works) in cases {
            let own = try trusted.server(isExpired: isExpired)
            let context = try Self.context(own, clients: wantsClient ? trusted : nil)
            try await AccountWebServer.with(tls: context) { target in
                accounts[String(target.dropFirst())].map { .text($0) } ?? .text("")
            } _: { web in
                let text = try Self.configuration(
                    authority,
                    "https://127.0.0.1:\(web.port)",
                    block.map { "resolver_tls { \($0) }" } ?? ""
                )
                var answer: String?
                do {
                    answer = try await ConfiguredServer.with(kind, text) { server in
                        try await Tenant(of: account, authority).attempt(server).answer
                    }
                } catch {
                    #expect("\(error)".contains("could not fetch <\"https://127.0.0.1:\(web.port)/\">"))
                }
                #expect(answer == (works ? "PONG" : nil), "\(block ?? "no block"), \(wantsClient), \(isExpired)")
            }
        }
    }
}
