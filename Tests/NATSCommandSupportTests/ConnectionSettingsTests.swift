import ArgumentParser
import NATSCommandSupport
import NATSTestSupport
import Testing

@Suite("Connection settings")
struct ConnectionSettingsTests {
    private func settings(_ flags: [String], _ environment: [String: String] = [:]) throws -> ConnectionSettings {
        try ConnectionSettings(flags: flags, environment: environment)
    }

    @Test("defaults")
    func defaults() throws {
        let settings = try self.settings([])
        #expect(settings.servers == ["nats://127.0.0.1:4222"])
        #expect(settings.credentials == .none)
        #expect(settings.tls == ConnectionSettings.TLS())
        #expect(settings.proxy == nil && settings.inboxPrefix == nil && settings.context == nil)
        #expect(settings.timeout == .seconds(2) && !settings.hasExplicitTimeout)
        #expect(settings.name == "NATS Sample Publisher")
    }

    @Test("a flag beats the environment, which beats the default")
    func precedence() throws {
        let environment = ["NATS_URL": "nats://env:1", "NATS_TIMEOUT": "7s"]
        #expect(try self.settings([], environment).servers == ["nats://env:1"])
        #expect(try self.settings([], environment).timeout == .seconds(7))
        let both = try self.settings(["--server=a, b,nats://c:3", "--timeout=300ms"], environment)
        #expect(both.servers == ["a", "b", "nats://c:3"])
        #expect(both.timeout == .milliseconds(300))
        #expect(try self.settings([], ["NATS_URL": "", "NATS_TIMEOUT": ""]).servers == ["nats://127.0.0.1:4222"])
    }

    @Test(
        "credentials are of one kind, that of the first who has any",
        arguments: [
            (["--user=u", "--password=p"], [:], .userPassword(user: "u", password: "p")),
            (["--user=u"], ["NATS_PASSWORD": "p", "NATS_TOKEN": "t"], .userPassword(user: "u", password: "p")),
            (["--password=p"], ["NATS_USER": "u"], .userPassword(user: "u", password: "p")),
            ([], ["NATS_USER": "u", "NATS_PASSWORD": "p"], .userPassword(user: "u", password: "p")),
            (["--user=secret"], [:], .token("secret")),
            (["--token=t"], ["NATS_USER": "u", "NATS_PASSWORD": "p"], .token("t")),
            ([], ["NATS_TOKEN": "t", "NATS_PASSWORD": "p"], .token("t")),
            ([], ["NATS_PASSWORD": "p"], .none),
            (["--creds=f"], ["NATS_TOKEN": "t", "NATS_CREDS": "g"], .creds(.file("f"))),
            ([], ["NATS_CREDS": "g"], .creds(.file("g"))),
            (["--nkey=f"], ["NATS_CREDS": "g"], .nkey(.file("f"))),
            ([], ["NATS_NKEY": "g"], .nkey(.file("g"))),
            (["--jwt=f"], ["NATS_SEED": "g"], .jwt(.file("f"), seed: .file("g"))),
            (["--seed=g"], ["NATS_JWT": "f"], .jwt(.file("f"), seed: .file("g"))),
            ([], ["NATS_JWT": "f"], .jwt(.file("f"), seed: nil)),
        ] as [([String], [String: String], ConnectionCredentials)]
    )
    func credentials(flags: [String], environment: [String: String], expected: ConnectionCredentials) throws {
        #expect(try self.settings(flags, environment).credentials == expected)
    }

    @Test("a credential flag beats the user in the environment's URL, and not the one in a URL given by flag")
    func userInfo() throws {
        let environment = ["NATS_URL": "nats://a:b@h:1,h2"]
        #expect(try self.settings([], environment).servers == ["nats://a:b@h:1", "h2"])
        #expect(try self.settings(["--token=t"], environment).servers == ["nats://h:1", "h2"])
        #expect(try self.settings(["--creds=f"], environment).servers == ["nats://h:1", "h2"])
        #expect(try self.settings(["--token=t", "--server=nats://a:b@h"], [:]).servers == ["nats://a:b@h"])
        #expect(try self.settings(["--server=nats://a:b@h"], ["NATS_TOKEN": "t"]).servers == ["nats://a:b@h"])
    }

    @Test("TLS, proxy, inbox prefix and name")
    func connection() throws {
        let environment = [
            "NATS_CERT": "~/c", "NATS_KEY": "k", "NATS_CA": "a", "NATS_SOCKS_PROXY": "p:1", "HOME": "/h",
        ]
        let fromEnvironment = try self.settings([], environment)
        #expect(fromEnvironment.tls.certificate == "/h/c")
        #expect(fromEnvironment.tls.privateKey == "k")
        #expect(fromEnvironment.tls.authorities == "a")
        #expect(fromEnvironment.proxy == ProxyAddress(host: "p", port: 1))
        let flags = try self.settings(
            [
                "--tlscert=c2", "--tlskey=k2", "--tlscacert=a2", "--tls", "--tlsfirst", "--tls-insecure",
                "--tls-name=n", "--socks-proxy=socks5://q", "--inbox-prefix=_IN.me", "--connection-name=me",
            ],
            environment
        )
        var tls = ConnectionSettings.TLS()
        tls.certificate = "c2"
        tls.privateKey = "k2"
        tls.authorities = "a2"
        tls.isRequired = true
        tls.handshakeFirst = true
        tls.skipsVerification = true
        tls.serverName = "n"
        #expect(flags.tls == tls)
        #expect(flags.proxy == ProxyAddress(host: "q", port: 1080))
        #expect(flags.inboxPrefix == "_IN.me")
        #expect(flags.name == "me")
    }

    @Test(
        "what cannot be meant is refused in one line",
        arguments: [
            (["--server=,"], [:], "no server in \",\""),
            ([], ["NATS_URL": " "], "no server in \" \""),
            (["--server=a\u{1B}[2J"], [:], "--server has control characters"),
            ([], ["NATS_TIMEOUT": "soon"], "invalid duration in NATS_TIMEOUT: \"soon\""),
            (["--timeout=0"], [:], "--timeout must be greater than zero"),
            (["--password=p"], [:], "--password needs --user"),
            (["--password=p"], ["NATS_TOKEN": "t"], "--password needs --user"),
            (["--password=p", "--password-file=f"], [:], "--password and --password-file exclude each other"),
            (["--creds=f", "--nkey=g"], [:], "--creds and --nkey exclude each other"),
            (["--user=u", "--token=t"], [:], "--user and --token exclude each other"),
            (["--token=t", "--jwt=f", "--seed=g"], [:], "--token and --jwt exclude each other"),
            ([], ["NATS_CREDS": "f", "NATS_NKEY": "g"], "NATS_CREDS and NATS_NKEY exclude each other"),
            (["--seed=f"], [:], "--seed needs --jwt"),
            (["--creds=file://"], [:], "--creds names no file"),
            (["--creds=env://NOBODY"], [:], "--creds: the environment variable NOBODY is not set"),
            (["--creds=data:;base64,?"], [:], "--creds: malformed data:;base64, value"),
            (["--creds=data:QUJD"], [:], "--creds: malformed data:;base64, value"),
            ([], ["NATS_CREDS": "op://vault/item"], "NATS_CREDS: op:// values are not supported"),
            (["--nkey=nsc://o/a/u"], [:], "--nkey: nsc:// values are not supported"),
            (["--tlscert=f"], [:], "--tlscert needs --tlskey"),
            ([], ["NATS_KEY": "f"], "NATS_KEY needs NATS_CERT"),
            (["--inbox-prefix=a.*"], [:], "--inbox-prefix: \"a.*\" is not a subject without wildcards"),
            (["--inbox-prefix=a."], [:], "--inbox-prefix: \"a.\" is not a subject without wildcards"),
            (
                ["--socks-proxy=u:secret@"], [:],
                "--socks-proxy is not of the form socks5://[user:password@]host[:port]"
            ),
            (["--context=x", "--no-context"], [:], "--context and --no-context exclude each other"),
            (["--context=a/b"], [:], "invalid context name \"a/b\""),
            ([], ["NATS_CONTEXT": "../../x"], "invalid context name \"../../x\""),
        ] as [([String], [String: String], String)]
    )
    func refusals(flags: [String], environment: [String: String], expected: String) {
        #expect(throws: UsageError(expected)) { try self.settings(flags, environment) }
    }

    @Test("the other names of flags")
    func otherNames() {
        let request = PublishOptions.request(
            ["-tlsca", "a", "--tls-first", "--no-context", "--no-tls", "-s=u", "foo"],
            flags: CommandFlag.publish
        )
        guard case .run(let options) = request else {
            Issue.record("\(request)")
            return
        }
        #expect(options.connection.tlscacert == "a")
        #expect(options.connection.tlsfirst)
        #expect(options.connection.noContext)
        #expect(!options.connection.tls)
        #expect(options.connection.server == "u")
    }

    @Test("passwords in URLs are not shown")
    func redaction() {
        #expect(ConnectionSettings.redacted("nats://u:p@h:1") == "nats://u:xxxxx@h:1")
        #expect(ConnectionSettings.redacted("nats://t@h:1,u:p@q@h2,h3") == "nats://xxxxx@h:1,u:xxxxx@h2,h3")
        #expect(ConnectionSettings.redacted("nats://h:1/@x") == "nats://h:1/@x")
    }

    @Test("no description shows a secret")
    func descriptions() throws {
        let seed = "S" + String(repeating: "UAQ", count: 19)
        for flags in [
            ["--server=nats://u:secret@h"], ["--user=u", "--password=secret"], ["--token=secret"],
            ["--socks-proxy=u:secret@h"], ["--nkey=\(seed)"], ["--jwt=eyJsecret.secret.secret", "--seed=\(seed)"],
        ] {
            let settings = try self.settings(flags)
            var dumped = "\(settings) \(settings.credentials) \(settings.proxy.map { "\($0)" } ?? "")"
            dump(settings, to: &dumped)
            #expect(!dumped.contains("secret") && !dumped.contains(seed), "\(dumped)")
        }
    }
}

@Suite("SOCKS proxies")
struct ProxyAddressTests {
    @Test(
        "accepted forms",
        arguments: [
            ("h", ProxyAddress(host: "h")), ("h:1", ProxyAddress(host: "h", port: 1)),
            ("socks5://h", ProxyAddress(host: "h")), ("socks5h://h:65535/", ProxyAddress(host: "h", port: 65_535)),
            ("[::1]:9", ProxyAddress(host: "::1", port: 9)), ("socks5://[::1]", ProxyAddress(host: "::1")),
            ("u:p@h:1", ProxyAddress(host: "h", port: 1, user: "u", password: "p")),
            ("socks5://a%40b:%3A:@h", ProxyAddress(host: "h", user: "a@b", password: "::")),
            ("u:p@q@h", ProxyAddress(host: "h", user: "u", password: "p@q")),
        ]
    )
    func accepted(text: String, expected: ProxyAddress) {
        #expect(ProxyAddress(parsing: text) == expected)
    }

    @Test(
        "refused forms",
        arguments: [
            "", "socks5://", ":1", "h:", "h:0", "h:65536", "h:x", "h:1:2", "[::1", "[::1]x", "[]:1", "u@h", "u:@h",
            ":p@h", "u:p%4@h", "u:p%FF@h", "http://h:1", "socks4://h", "h/x", "a b", "u:p@",
        ]
    )
    func refused(text: String) {
        #expect(ProxyAddress(parsing: text) == nil)
    }
}

extension ConnectionSettings {
    /// The settings of a publisher.
    init(flags: [String], environment: [String: String]) throws {
        try self.init(
            options: try ConnectionOptions.parse(flags),
            environment: { environment[$0] },
            defaultName: "NATS Sample Publisher"
        )
    }
}
