import NATSServerConfig
import Testing

@testable import nats_server

@Suite struct InvocationTests {
    private func invocation(_ arguments: String...) -> Invocation {
        Invocation(arguments: arguments)
    }

    private func request(_ arguments: [String]) throws -> StartRequest {
        guard case .start(let request) = Invocation(arguments: arguments) else {
            throw FlagParser.Failure(message: "\(Invocation(arguments: arguments))")
        }
        return request
    }

    private func configuration(
        _ arguments: String...,
        over file: NATSServerConfig.ServerConfiguration = .init()
    ) throws -> NATSServerConfig.ServerConfiguration {
        var configuration = file
        try self.request(arguments).overrides.apply(to: &configuration)
        return configuration
    }

    private func refusal(_ arguments: String..., over file: NATSServerConfig.ServerConfiguration = .init()) -> String? {
        do {
            var configuration = file
            try self.request(arguments).overrides.apply(to: &configuration)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("without flags the official defaults hold")
    func defaults() throws {
        #expect(try self.configuration() == NATSServerConfig.ServerConfiguration())
        let configuration = try self.configuration()
        #expect(configuration.host == "0.0.0.0" && configuration.port == 4222)
        #expect(configuration.logtime && !configuration.debug && !configuration.trace)
        #expect(configuration.authorization == nil)
    }

    @Test("every spelling of a flag sets the same thing")
    func spellings() throws {
        for flag in ["-a", "-addr", "--net"] {
            #expect(try self.configuration(flag, "127.0.0.1").host == "127.0.0.1")
        }
        for flag in ["-n", "--name", "--server_name"] {
            #expect(try self.configuration(flag, "one").serverName == "one")
        }
        for flag in ["-l", "--log"] {
            #expect(try self.configuration(flag, "/tmp/x").logFile == "/tmp/x")
        }
        for flag in ["-P", "--pid"] {
            #expect(try self.configuration(flag, "/tmp/x").pidFile == "/tmp/x")
        }
        for flag in ["-T=false", "--logtime=0"] {
            #expect(try !self.configuration(flag).logtime)
        }
        for flag in ["-D", "--debug"] {
            #expect(try self.configuration(flag).debug)
        }
        for flag in ["-V", "--trace=true"] {
            #expect(try self.configuration(flag).trace)
        }
        for flag in ["-m", "--http_port"] {
            #expect(try self.configuration(flag, "8222").httpPort == 8222)
        }
        for flag in ["-ms", "--https_port"] {
            #expect(try self.configuration(flag, "0x10").httpsPort == 16)
        }
        for flag in ["-s", "--syslog"] {
            #expect(try self.configuration(flag).syslog)
        }
        for flag in ["-r", "--remote_syslog"] {
            #expect(try self.configuration(flag, "udp://a:1").remoteSyslog == "udp://a:1")
        }
        for flag in ["-js", "--jetstream"] {
            #expect(try self.configuration(flag).jetstream?.enabled == true)
        }
        for flag in ["-sd", "--store_dir"] {
            #expect(try self.configuration(flag, "/d").storeDir == "/d")
        }
        for flag in ["-cluster", "--cluster_listen"] {
            #expect(try self.configuration(flag, "nats://h:6222").cluster?.port == 6222)
        }
        let authorization = try self.configuration("--user", "u", "-pass", "p", "--auth=t").authorization
        #expect(authorization?.user == "u" && authorization?.password == "p" && authorization?.token == "t")
        let others = try self.configuration(
            "--logtime_utc",
            "--log_size_limit",
            "100",
            "--max_traced_msg_len=5",
            "--client_advertise",
            "h:1",
            "--ports_file_dir",
            "/p"
        )
        #expect(others.logtimeUTC && others.logSizeLimit == 100 && others.maxTracedMsgLen == 5)
        #expect(others.clientAdvertise == "h:1" && others.portsFileDir == "/p")
        for flag in ["-c", "--config"] {
            #expect(try self.request([flag, "x.conf"]).configFile == "x.conf")
        }
    }

    @Test("the last of several wins, but -DV, -DVV and -VV win over -D and -V wherever they stand")
    func repetition() throws {
        #expect(try self.configuration("-p", "1", "--port=2").port == 2)
        let on = try self.configuration("-DV", "-D=false")
        #expect(on.debug && on.trace && !on.traceVerbose)
        let off = try self.configuration("-D", "-DV=false", "-V")
        #expect(!off.debug && !off.trace)
        let verbose = try self.configuration("-VV")
        #expect(!verbose.debug && verbose.trace && verbose.traceVerbose)
        let all = try self.configuration("-DVV")
        #expect(all.debug && all.trace && all.traceVerbose)
        // Go looks at them by name: VV comes last.
        let mixed = try self.configuration("-VV=false", "-DVV")
        #expect(mixed.debug && !mixed.trace && !mixed.traceVerbose)
    }

    @Test("port 0 and an empty host mean the defaults, port -1 any free port")
    func specialValues() throws {
        #expect(try self.configuration("-p", "0").port == 4222)
        #expect(try self.configuration("-p", "-1").port == -1)
        #expect(try self.configuration("-a", "").host == "0.0.0.0")
        #expect(try self.configuration("-n", "").serverName == nil)
        #expect(try self.configuration("--user", "", "--auth", "").authorization == nil)
    }

    @Test("flags that were given win over the file, whatever their value")
    func precedence() throws {
        var file = NATSServerConfig.ServerConfiguration()
        file.debug = true
        file.trace = true
        file.logtime = true
        file.port = 4333
        file.httpPort = 8222
        file.logFile = "/a"
        file.serverName = "file"
        var authorization = AuthorizationConfiguration()
        authorization.user = "fred"
        authorization.password = "f"
        authorization.timeout = .seconds(9)
        file.authorization = authorization
        file.tls = TLSConfiguration()
        var cluster = ClusterConfiguration()
        cluster.name = "c"
        cluster.port = 6222
        cluster.authorization = SimpleAuthorization()
        cluster.authorization?.user = "r"
        cluster.authorization?.password = "p"
        cluster.authorization?.timeout = .seconds(5)
        file.cluster = cluster

        #expect(try self.configuration(over: file) == file)
        let over = try self.configuration(
            "-D=false",
            "-T=false",
            "-p",
            "0",
            "-m",
            "0",
            "-l",
            "",
            "-n",
            "flag",
            "--user",
            "w",
            "--tls=false",
            "--cluster",
            "nats://1.2.3.4:-1",
            over: file
        )
        #expect(!over.debug && over.trace && !over.logtime)
        #expect(over.port == 4222 && over.httpPort == 0 && over.logFile == nil && over.serverName == "flag")
        #expect(over.authorization?.user == "w" && over.authorization?.password == "f")
        #expect(over.authorization?.timeout == .seconds(9))
        #expect(over.tls == nil)
        // The cluster's address and user are the flag's, the rest stays.
        #expect(over.cluster?.host == "1.2.3.4" && over.cluster?.port == -1 && over.cluster?.name == "c")
        #expect(over.cluster?.authorization?.user == nil && over.cluster?.authorization?.timeout == .seconds(5))
        #expect(try self.configuration("--cluster", "", over: file).cluster == nil)
    }

    @Test("old forms of cluster and routes are understood")
    func oldForms() throws {
        let configuration = try self.configuration(
            "-cluster",
            "nats-route://ruser:T0pS3cr3t@127.0.0.1:6222",
            "-routes",
            "nats-route://u:p@h:6223, nats://h2:6224",
            "--cluster_name",
            "c",
            "--no_advertise",
            "--connect_retries",
            "3",
            "--cluster_advertise",
            "a:1"
        )
        let cluster = try #require(configuration.cluster)
        #expect(cluster.host == "127.0.0.1" && cluster.port == 6222)
        #expect(cluster.authorization?.user == "ruser" && cluster.authorization?.password == "T0pS3cr3t")
        #expect(cluster.routes.count == 2)
        #expect(cluster.name == "c" && cluster.noAdvertise && cluster.connectRetries == 3 && cluster.advertise == "a:1")
    }

    @Test(
        "wrong cluster and TLS flags are refused in the official words",
        arguments: [
            (["--cluster", "nats://127.0.0.1"], "address 127.0.0.1: missing port in address"),
            (["--cluster", "foo"], "missing port in address"),
            (["--cluster", "localhost:6222"], "missing port in address"),
            (["--cluster", "nats://u@127.0.0.1:55"], "expected cluster password to be set"),
            (["--cluster", "nats://h:x"], #"parse "nats://h:x": invalid port ":x" after host"#),
            (["--cluster", "nats://h:"], "EOF"),
            (
                ["--cluster", "127.0.0.1:6222"],
                #"parse "127.0.0.1:6222": first path segment in URL cannot contain colon"#
            ),
            (["--cluster", "nats://[::1"], #"parse "nats://[::1": missing ']' in host"#),
            (["--cluster", "http://a%zz:44"], #"parse "http://a%zz:44": invalid URL escape "%zz""#),
            (["--routes", "nats://x:1"], "solicited routes require cluster capabilities, e.g. --cluster"),
            (["--tls"], "TLS Server certificate must be present and valid"),
            (["--tlsverify"], "TLS Server certificate must be present and valid"),
            (["--tlscert", "x"], "TLS Server private key must be present and valid"),
            (
                ["--tlscert", "/no/c", "--tlskey", "/no/k"],
                "error parsing X509 certificate/key pair: open /no/c: no such file or directory"
            ),
        ]
    )
    func refusals(arguments: [String], text: String) throws {
        var configuration = NATSServerConfig.ServerConfiguration()
        let overrides = try self.request(arguments).overrides
        #expect(throws: FlagOverrides.Refusal(description: text)) { try overrides.apply(to: &configuration) }
    }

    @Test("TLS flags that -tls=false takes back are not looked at")
    func tlsSwitchedOff() throws {
        #expect(try self.configuration("--tlscert", "x", "--tls=false").tls == nil)
    }

    @Test("version, help, TLS help, operands, signal, and then everything else; a syntax error comes first")
    func order() {
        #expect(self.invocation("-h", "-v") == .showVersion)
        #expect(self.invocation("version", "-h") == .showVersion)
        #expect(self.invocation("-h", "bogus", "--help_tls") == .showHelp)
        #expect(self.invocation("--help_tls", "bogus") == .showTLSHelp)
        #expect(self.invocation("VERSION") == .showVersion)
        #expect(self.invocation("Help", "bogus") == .showHelp)
        #expect(self.invocation("-D", "bogus", "-v") == .refuse(#"unrecognized command: "bogus""#))
        #expect(self.invocation("-sl", "reload", "bogus") == .refuse(#"unrecognized command: "bogus""#))
        #expect(self.invocation("-sl", "reload=1", "-c", "x", "-t") == .signal("reload=1"))
        #expect(self.invocation("-c", "x", "-v") == .showVersion)
        #expect(self.invocation("-v=false", "bogus") == .refuse(#"unrecognized command: "bogus""#))
        #expect(self.invocation("-v", "-foo") == .misuse("flag provided but not defined: -foo"))
        #expect(
            self.invocation("-t")
                == .refuse("must specify [-c, --config] option to check configuration file syntax")
        )
    }

    @Test("a flag of a feature that is not there is refused by the name that was used, unless it asks for nothing")
    func unsupported() throws {
        func first(_ arguments: String...) throws -> String? {
            try self.request(arguments).overrides.firstUnsupported()
        }
        #expect(try first("-D", "--jetstream") == "-jetstream")
        #expect(try first("-js=false", "--cluster", "", "--connect_retries", "0") == nil)
        #expect(try first("-cluster_listen", "nats://h:1", "--profile", "1") == "-profile")
        #expect(try first("-js", "-js=false") == nil)
        #expect(try first("--tlscert", "x", "--tls=false") == nil)
        for flag in Flag.all where Flag.notYetSupported.contains(flag.setting) {
            for name in flag.names {
                let arguments = flag.kind == .boolean ? ["-\(name)"] : ["-\(name)", "1"]
                #expect(try self.request(arguments).overrides.firstUnsupported() == "-\(name)")
            }
        }
    }

    @Test("the help lists every flag, in the official groups")
    func help() {
        let text = HelpText(release: "9.8.7", compatibleVersion: "2.15.1").render(Flag.all)
        #expect(text.hasPrefix("\nUsage: nats-server [options]\n"))
        #expect(text.hasSuffix("\n\n"))
        #expect(text.contains("9.8.7") && text.contains("2.15.1"))
        #expect(text.contains("\n    -p, --port <port>                Client port"))
        #expect(text.contains("\n        --user <user>                User"))
        let headings = text.split(separator: "\n").filter { $0.hasSuffix(" Options:") }
        #expect(
            headings == [
                "Server Options:", "Logging Options:", "JetStream Options:", "Authorization Options:", "TLS Options:",
                "Cluster Options:", "Profiling Options:", "Common Options:",
            ]
        )
        for flag in Flag.all {
            for name in flag.names {
                let dashed = name.count <= 2 || name == name.uppercased() ? " -\(name)" : " --\(name)"
                #expect([" ", ",", "\n"].contains { text.contains(dashed + $0) }, "\(name)")
            }
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 110 })
    }

    @Test("each setting has one flag")
    func settings() {
        for setting in Flag.Setting.allCases {
            #expect(Flag.all.count { $0.setting == setting } == 1, "\(setting)")
        }
    }

    @Test("what others may see of the command line has no secrets")
    func redaction() {
        let shown = ArgumentRedaction.redacted([
            "nats-server", "-user", "u", "--pass=p", "-auth", "t", "-routes", "nats://a:b@h:1,nats://h2:2",
            "--cluster=nats://c:d@h:-1", "-cluster_listen", "nats://h:1", "-p", "4222", "--pass",
        ])
        #expect(
            shown == [
                "nats-server", "-user", "[REDACTED]", "--pass=[REDACTED]", "-auth", "[REDACTED]", "-routes",
                "nats://[REDACTED]@h:1,nats://h2:2", "--cluster=nats://[REDACTED]@h:-1", "-cluster_listen",
                "nats://h:1",
                "-p", "4222", "--pass",
            ]
        )
    }

    @Test("the descriptor warning appears only when the limit is too low")
    func fileLimit() {
        #expect(OpenFileLimit.warning(limit: nil, maximumConnections: 65_536) == nil)
        #expect(OpenFileLimit.warning(limit: 1_048_576, maximumConnections: 65_536) == nil)
        let text = "Open file limit of 20000 is too low for max_connections of 65536"
        #expect(OpenFileLimit.warning(limit: 20_000, maximumConnections: 65_536) == text)
        #expect(OpenFileLimit.warning(limit: 65_536, maximumConnections: 65_536) != nil)
        #expect(OpenFileLimit.warning(limit: 65_600, maximumConnections: 65_536) == nil)
        // Whatever a configuration file says.
        #expect(OpenFileLimit.warning(limit: 65_536, maximumConnections: .max) != nil)
        #expect(OpenFileLimit.warning(limit: 0, maximumConnections: .min) == nil)
    }
}
