import NATSServerConfig
import NATSServerCore
import Testing

@Suite struct OptionTests {
    @Test("an empty file gives the official defaults and a warning") func defaults() throws {
        let loaded = try ConfigurationText.load("")
        #expect(loaded.configuration == NATSServerConfig.ServerConfiguration())
        #expect(loaded.report == "test.conf: config has no values or is empty\n")
        #expect(String(decoding: loaded.canonicalBytes, as: UTF8.self) == "{}\n")
    }

    @Test("plain values reach their fields") func plainValues() throws {
        let options = try ConfigurationText.options(
            """
            listen: "127.0.0.1:4333"
            server_name: s1
            server_tags: [A, " b ", a]
            max_payload: 2mb
            max_connections: 0
            ping_interval: "1m30s"
            ping_max: 0
            write_timeout: retry
            http: 8222
            trace_verbose: true
            logtime: false
            """
        )
        #expect(options.host == "127.0.0.1")
        #expect(options.port == 4333)
        #expect(options.serverName == "s1")
        #expect(options.serverTags == ["a", "b"])
        #expect(options.maxPayload == 2 << 20)
        #expect(options.maxConnections == -1)
        #expect(options.pingInterval == .seconds(90))
        #expect(options.pingMax == 2)
        #expect(options.writeTimeout == .retry)
        #expect(options.httpPort == 8222)
        #expect(options.httpHost == nil)
        #expect(options.traceVerbose && options.trace)
        #expect(!options.logtime)
    }

    @Test("the keys that a file has are known by their official names and places") func givenKeys() throws {
        let options = try ConfigurationText.options("net: a\nmonitor_port: 1\ncluster {\n  port: 2\n}\nx: 1\nport: $x")
        #expect(Set(options.given.keys) == ["host", "http_port", "cluster", "cluster.port", "port"])
        #expect(options.given["cluster.port"] == SourcePosition(file: "test.conf", line: 4, column: 3))
    }

    @Test("features that are not there yet are named in the order of the file") func unsupported() throws {
        let options = try ConfigurationText.options("port: 1\nwebsocket { no_tls: true }\njetstream: true\naccounts {}")
        let unsupported = options.unsupported(except: ["port", "accounts"])
        #expect(unsupported.map(\.key) == ["websocket", "jetstream"])
        #expect(unsupported.first.map { "\($0.position)" } == "test.conf:2:1")
    }

    @Test("users carry credentials, permissions and connection types") func users() throws {
        let options = try ConfigurationText.options(
            """
            authorization {
              permissions { publish: "a.>" }
              users = [
                { user: a, password: b }
                { nkey: UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN,
                  permissions { subscribe: { allow: ["b q", c], deny: d }, allow_responses: true },
                  allowed_connection_types: [standard, mqtt] }
              ]
              timeout: 1.5
            }
            """
        )
        let block = try #require(options.authorization)
        let users = try #require(block.users)
        #expect(block.timeout == .milliseconds(1500))
        #expect(users.count == 2)
        #expect(users[0].identity == .password(user: "a", password: "b"))
        #expect(users[0].permissions?.publish == SubjectPermission(allow: ["a.>"]))
        #expect(users[1].permissions?.subscribe == SubjectPermission(allow: ["b q", "c"], deny: ["d"]))
        #expect(users[1].permissions?.publish == SubjectPermission(allow: []))
        #expect(users[1].permissions?.allowResponses?.expires == .seconds(120))
        #expect(users[1].allowedConnectionTypes == ["STANDARD", "MQTT"])
    }

    @Test("an empty list of subjects restricts nothing, as in the official server") func emptyLists() throws {
        let options = try ConfigurationText.options(
            "authorization { users: [ { user: a, permissions { publish: [], subscribe { allow: [] } } } ] }"
        )
        let permissions = options.authorization?.users?.first?.permissions
        #expect(permissions?.publish == SubjectPermission())
        #expect(permissions?.subscribe == SubjectPermission())
    }

    @Test("a tls block keeps names, versions and the way of the handshake") func tls() throws {
        let options = try ConfigurationText.options(
            """
            tls {
              cipher_suites: ["TLS_AES_128_GCM_SHA256"], curve_preferences: ["X25519"], min_version: "1.3"
              verify_and_map: true, timeout: 3, handshake_first: "100ms", connection_rate_limit: 5
            }
            """
        )
        let tls = try #require(options.tls)
        #expect(tls.cipherSuites == ["TLS_AES_128_GCM_SHA256"])
        #expect(tls.minVersion == .v13)
        #expect(tls.verify && tls.verifyAndMap)
        #expect(tls.timeout == .seconds(3))
        #expect(tls.handshakeFirst == .fallback(after: .milliseconds(100)))
        #expect(tls.connectionRateLimit == 5)
    }

    @Test("certificates are read and handed to the caller's check") func certificateCheck() throws {
        let pem = { (kind: String) in "-----BEGIN \(kind)-----\nAA==\n-----END \(kind)-----\n" }
        var checks = ConfigurationChecks()
        checks.keyPair = { _, _ in "tls: private key does not match public key" }
        let loaded = try ConfigurationText.load(
            "tls { cert_file: c.pem, key_file: k.pem }",
            files: ["c.pem": pem("CERTIFICATE"), "k.pem": pem("PRIVATE KEY")],
            checks: checks
        )
        #expect(
            loaded.report
                == "test.conf:1:0: error parsing X509 certificate/key pair: tls: private key does not match public key\n"
        )
    }

    @Test("warnings come before errors, each sorted by place") func order() throws {
        let loaded = try ConfigurationText.load("foo: 1\nping_interval: 5\nport: x\nwrite_deadline: 5")
        #expect(
            loaded.report.split(separator: "\n").map { $0.prefix(13) } == [
                "test.conf:2:1", "test.conf:4:1", "test.conf:1:0", "test.conf:3:1",
            ]
        )
    }

    @Test(
        "options that do not go together stop a start",
        arguments: [
            (
                "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"31s\"",
                "lame duck grace period (31s) should be strictly lower than lame duck duration (30s)"
            ),
            (
                "max_payload: 100mib\nmax_pending: 10mib",
                "max_payload (104857600) cannot be higher than max_pending (10485760)"
            ),
            ("no_auth_user: x", "no_auth_user: \"x\" present, but users/nkeys are not defined"),
            (
                "no_auth_user: x\nauthorization { users: [{user: a}] }",
                "no_auth_user: \"x\" not present as user or nkey in authorization block or account configuration"
            ),
            ("system_account: x", "error resolving system account: account missing"),
            ("websocket { port: 8080 }", "websocket requires TLS configuration"),
            ("mqtt { port: 1883 }", "mqtt requires JetStream to be enabled if running in standalone mode"),
            ("gateway { port: 7222 }", "gateway has no name"),
        ]
    )
    func startFailures(text: String, failure: String) throws {
        #expect(try ConfigurationText.options(text).startFailure == failure)
    }

    @Test("a configuration that goes together has no start failure") func noStartFailure() throws {
        let text = "no_auth_user: a\nauthorization { users: [{user: a}] }\nmax_payload: 8mb"
        #expect(try ConfigurationText.options(text).startFailure == nil)
    }

    @Test("numbers that no duration can hold are cut, not trapped on") func hugeDurations() throws {
        let text = "ping_interval: 9223372036854775807\nauthorization { user: a, timeout: 999999999999999999999999.5 }"
        let options = try ConfigurationText.load(text).configuration
        #expect(options.pingInterval > .seconds(9_000_000_000))
        #expect(options.authorization?.timeout.map { $0 > .seconds(9_000_000_000) } == true)
    }
}
