import NATSCommandSupport
import NATSTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A home directory with contexts of the `nats` command.
private final class Home: Sendable {
    let directory: TemporaryDirectory

    init(_ contexts: [String: String], selected: String? = nil) throws {
        self.directory = try TemporaryDirectory()
        for name in [".config", ".config/nats", ".config/nats/context"] {
            _ = mkdir("\(self.directory.path)/\(name)", 0o700)
        }
        for (name, text) in contexts { try self.directory.write(text, to: ".config/nats/context/\(name).json") }
        if let selected { try self.directory.write(selected, to: ".config/nats/context.txt") }
    }

    func settings(_ flags: [String] = [], _ environment: [String: String] = [:]) throws -> ConnectionSettings {
        let home = ["HOME": self.directory.path]
        return try ConnectionSettings(flags: flags, environment: home.merging(environment) { $1 })
    }

    /// What `body` throws, with the directory's name left out.
    func failure(_ body: () throws -> ConnectionSettings) -> String {
        do {
            return "no failure: \(try body())"
        } catch let error as ToolFailure {
            return "\(error.status.code) " + error.description.replacing(self.directory.path, with: "HOME")
        } catch {
            return "\(error)"
        }
    }
}

@Suite("Contexts")
struct ContextTests {
    private let everything = """
        {"description": "d", "url": "nats://a:1,b:2", "user": "u", "password": "p", "token": "", "creds": "",
         "nkey": "", "cert": "~/c.pem", "key": "/k.pem", "ca": "a.pem", "nsc": "", "jetstream_domain": "x",
         "inbox_prefix": "_IN", "socks_proxy": "socks5://s:9", "tls_first": true, "later": [1, {"x": null}]}
        """

    @Test("every field of a context counts, also of one in a file of its own, wherever contexts are")
    func fields() throws {
        let home = try Home(["prod": self.everything])
        let other = try home.directory.write(self.everything, to: "other.json")
        var tls = ConnectionSettings.TLS()
        tls.certificate = home.directory.path + "/c.pem"
        tls.privateKey = "/k.pem"
        tls.authorities = "a.pem"
        tls.handshakeFirst = true
        let configured = ["XDG_CONFIG_HOME": home.directory.path + "/.config"]
        for settings in [
            try home.settings(["--context=prod"]), try home.settings([], ["NATS_CONTEXT": "prod"]),
            try home.settings(["--context=\(other)"]), try home.settings(["--context=prod"], configured),
        ] {
            #expect(settings.servers == ["nats://a:1", "b:2"])
            #expect(settings.credentials == .userPassword(user: "u", password: "p"))
            #expect(settings.tls == tls)
            #expect(settings.inboxPrefix == "_IN")
            #expect(settings.proxy == ProxyAddress(host: "s", port: 9))
        }
        #expect(try home.settings(["--context=prod"]).context == "prod")
    }

    @Test("a selected context is looked up where contexts are, even if its name ends with .json")
    func selectedFile() throws {
        let home = try Home(["x.json": #"{"url":"nats://right:1"}"#], selected: "x.json")
        #expect(try home.settings().servers == ["nats://right:1"])
        let missing = try Home([:], selected: "Package.json")
        #expect(
            missing.failure { try missing.settings() }
                == "1 unknown context \"Package.json\": no file HOME/.config/nats/context/Package.json.json"
        )
    }

    @Test(
        "credentials of a context",
        arguments: [
            ("{}", .none), ("null", .none), (#"{"user":"t"}"#, .token("t")), (#"{"token":"t"}"#, .token("t")),
            (#"{"creds":"/c"}"#, .creds(.file("/c"))), (#"{"nkey":"file:///n"}"#, .nkey(.file("/n"))),
            (#"{"user_jwt":"/j","user_seed":"/s"}"#, .jwt(.file("/j"), seed: .file("/s"))),
            (#"{"creds":"data:;base64,YWJj"}"#, .creds(.contents(Array("abc".utf8)))),
            (#"{"creds":"env://SECRET"}"#, .creds(.contents(Array("abc".utf8)))),
        ] as [(String, ConnectionCredentials)]
    )
    func credentials(text: String, expected: ConnectionCredentials) throws {
        let settings = try Home(["x": text]).settings(["--context=x"], ["SECRET": "abc"])
        #expect(settings.credentials == expected)
        #expect(settings.servers == ["nats://127.0.0.1:4222"])
    }

    @Test("a flag beats the environment, which beats a named context")
    func precedence() throws {
        let home = try Home(["prod": #"{"url":"nats://a:b@prod","user":"u","password":"p","inbox_prefix":"_P"}"#])
        let flag = try home.settings(["--context=prod", "--server=other"], ["NATS_URL": "env", "NATS_PASSWORD": "q"])
        #expect(flag.servers == ["other"])
        #expect(flag.credentials == .userPassword(user: "u", password: "q"))
        #expect(flag.inboxPrefix == "_P")
        let token = try home.settings(["--context=prod"], ["NATS_TOKEN": "t"])
        #expect(token.servers == ["nats://prod"])
        #expect(token.credentials == .token("t"))
        let both = try Home(["a": #"{"url":"a"}"#, "b": #"{"url":"b"}"#])
        #expect(try both.settings(["--context=a"], ["NATS_CONTEXT": "b"]).servers == ["a"])
    }

    @Test(
        "the selected context gives way to whatever names a server or a credential",
        arguments: [
            ([], [:], true), (["--inbox-prefix=_I", "--tls", "--timeout=1s"], ["NATS_CA": "a"], true),
            (["--server=h"], [:], false), (["--user=u"], [:], false), (["--creds=f"], [:], false),
            (["--tlscert=f", "--tlskey=g"], [:], false), (["--no-context"], [:], false),
            ([], ["NATS_URL": "h"], false), ([], ["NATS_TOKEN": "t"], false), ([], ["NATS_SEED": "f"], false),
            ([], ["NATS_URL": "", "NATS_CONTEXT": ""], true),
            (["--no-context"], ["NATS_CONTEXT": "prod"], false), (["--context=other"], [:], false),
        ] as [([String], [String: String], Bool)]
    )
    func selected(flags: [String], environment: [String: String], isUsed: Bool) throws {
        let home = try Home(["prod": self.everything, "other": "{}"], selected: " prod\r\n")
        let settings = try home.settings(flags, environment)
        #expect((settings.context == "prod") == isUsed)
        #expect((settings.credentials == .userPassword(user: "u", password: "p")) == isUsed)
        #expect(settings.tls.handshakeFirst == isUsed)
    }

    @Test("nothing is selected where nothing is written down", arguments: [nil, "", " \n"])
    func nothingSelected(text: String?) throws {
        #expect(try Home([:], selected: text).settings().context == nil)
        #expect(try ConnectionSettings(flags: [], environment: ["HOME": "/nowhere/at all"]).context == nil)
        #expect(try ConnectionSettings(flags: [], environment: [:]).context == nil)
    }

    @Test(
        "a context that cannot be used has one line and status 1, without its secrets",
        arguments: [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("[]", "not a JSON object"),
            (#"{"password":"secret"} x"#, "unexpected bytes after the document at offset 22"),
            (#"{"url":["secret"]}"#, "url: not a string"),
            (#"{"tls_first":"secret"}"#, "tls_first: not a boolean"),
            (#"{"nsc":"nsc://secret/a/u"}"#, "nsc is not supported"),
            (#"{"windows_cert_store":"secret"}"#, "windows_cert_store is not supported"),
            (#"{"url":"a\nb"}"#, "url has control characters"),
            (#"{"creds":"\u001b[2J"}"#, "creds has control characters"),
            (#"{"user":"secret","creds":"f"}"#, "user and creds exclude each other"),
            (#"{"cert":"f"}"#, "cert needs key"),
            (#"{"socks_proxy":"u:secret@h:x"}"#, "socks_proxy is not of the form socks5://[user:password@]host[:port]"),
            (#"{"inbox_prefix":">"}"#, "inbox_prefix: \">\" is not a subject without wildcards"),
            (#"{"creds":"data:secret"}"#, "creds: malformed data:;base64, value"),
            (#"{"creds":"op://vault/secret"}"#, "creds: op:// values are not supported"),
        ]
    )
    func broken(text: String, reason: String) throws {
        let home = try Home(["x": text], selected: "x")
        let expected = "1 context \"x\": \(reason)"
        #expect(home.failure { try home.settings(["--context=x"]) } == expected)
        #expect(home.failure { try home.settings() } == expected)
    }

    @Test("a context that is not there")
    func missing() throws {
        let home = try Home([:], selected: "gone")
        #expect(
            home.failure { try home.settings() }
                == "1 unknown context \"gone\": no file HOME/.config/nats/context/gone.json"
        )
        #expect(
            home.failure { try home.settings(["--context=/nowhere/x.json"]) }
                == "1 no context in the file /nowhere/x.json"
        )
        #expect(
            home.failure { try home.settings(["--context=x"], ["HOME": ""]) }
                == "1 context \"x\": neither XDG_CONFIG_HOME nor HOME says where contexts are"
        )
        let traversal = try Home([:], selected: "../../x")
        #expect(traversal.failure { try traversal.settings() } == "1 invalid context name \"../../x\" is selected")
    }

    @Test("a file that is no context does not fill the memory")
    func tooLarge() throws {
        let home = try Home(["x": String(repeating: " ", count: ToolFile.maximumLength + 1)])
        let expected = "1 cannot read the file HOME/.config/nats/context/x.json: larger than 1048576 bytes"
        #expect(home.failure { try home.settings(["--context=x"]) } == expected)
        _ = mkdir(home.directory.path + "/.config/nats/context/d.json", 0o700)
        #expect(home.failure { try home.settings(["--context=d"]) }.hasPrefix("1 cannot read the file HOME/"))
    }

    @Test("no cut and no changed byte of a context makes anything but settings or one line")
    func hostile() throws {
        let bytes = Array(self.everything.utf8)
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 0x42
            for candidate in [Array(bytes[..<position]), changed] {
                let home = try Home(["x": String(decoding: candidate, as: UTF8.self)])
                let failure = home.failure { try home.settings(["--context=x"]) }
                #expect(!failure.contains("\n"))
            }
        }
    }
}

@Suite("Values that stand for secrets")
struct SecretValueTests {
    @Test(
        "a seed or a JWT with a character too much or too little is not quoted",
        arguments: ["--nkey", "--jwt", "--creds"]
    )
    func nearlySecret(flag: String) throws {
        for text in ["\(self.seed)A", "\(self.seed.dropLast())", "eyJ" + String(repeating: "x", count: 60)] {
            do {
                _ = try ConnectionSettings(flags: ["\(flag)=\(text)"], environment: [:])
                Issue.record("\(flag) takes \(text)")
            } catch {
                #expect("\(error)".hasPrefix("\(flag) is neither") && !"\(error)".contains(text), "\(error)")
            }
        }
        let blanks = try ConnectionSettings(flags: ["--nkey= \(self.seed) "], environment: [:])
        #expect(blanks.credentials == .nkey(.contents(Array(self.seed.utf8))))
    }

    private let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"

    @Test("seeds and JWTs that stand where a file should are taken as such")
    func literals() throws {
        let nkey = try ConnectionSettings(flags: ["--nkey=\(self.seed)"], environment: [:])
        #expect(nkey.credentials == .nkey(.contents(Array(self.seed.utf8))))
        let jwt = try ConnectionSettings(flags: [], environment: ["NATS_JWT": "eyJ.a.b", "NATS_SEED": self.seed])
        #expect(
            jwt.credentials
                == .jwt(.contents(Array("eyJ.a.b".utf8)), seed: .contents(Array(self.seed.utf8)))
        )
    }

    @Test(
        "a password file is one line",
        arguments: [("p", "p"), ("p q \n", "p q "), ("p\r\n", "p"), ("\u{E9}:@/\n", "\u{E9}:@/")]
    )
    func passwordFile(text: String, password: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "password")
        let settings = try ConnectionSettings(flags: ["--user=u", "--password-file=\(file)"], environment: [:])
        #expect(settings.credentials == .userPassword(user: "u", password: password))
    }

    @Test("a file that is no password", arguments: ["", "\n", "a\nb\n"])
    func noPassword(text: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(text, to: "password")
        #expect(throws: ToolFailure("the file \(file) is not one line with a password")) {
            try ConnectionSettings(flags: ["--user=u", "--password-file=\(file)"], environment: [:])
        }
        #expect(throws: ToolFailure("cannot read the file /nowhere/p: No such file or directory")) {
            try ConnectionSettings(flags: ["--user=u", "--password-file=/nowhere/p"], environment: [:])
        }
    }

    @Test(
        "a JWT and its seed are found with and without decoration",
        arguments: [
            ("eyJ.a.b", "SUAX"), ("eyJ.a.b\r\n", "  SUAX \r\n"),
            ("---BEGIN---\neyJ.a.b\n---END---\n", "# mine\nSUAX\n"),
        ]
    )
    func jwtAndSeed(jwt: String, seed: String) throws {
        let directory = try TemporaryDirectory()
        let files = (try directory.write(jwt, to: "jwt"), try directory.write(seed, to: "seed"))
        let flags = ["--jwt=\(files.0)", "--seed=file://\(files.1)"]
        _ = try ConnectionSettings(flags: flags, environment: [:]).credentials.clientCredentials()
        let reversed = try ConnectionSettings(flags: ["--jwt=\(files.1)", "--seed=\(files.0)"], environment: [:])
        #expect(throws: ToolFailure("there is no JWT in the file \(files.1)")) {
            try reversed.credentials.clientCredentials()
        }
        let twice = try ConnectionSettings(flags: ["--jwt=\(files.0)", "--seed=\(files.0)"], environment: [:])
        #expect(throws: ToolFailure("there is no seed of a user in the file \(files.0)")) {
            try twice.credentials.clientCredentials()
        }
    }
}
