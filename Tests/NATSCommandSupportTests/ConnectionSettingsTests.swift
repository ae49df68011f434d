import ArgumentParser
import NATSCommandSupport
import Testing

@Suite("Connection settings")
struct ConnectionSettingsTests {
    private func settings(_ flags: [String], _ environment: [String: String] = [:]) throws -> ConnectionSettings {
        try ConnectionSettings(
            options: try ConnectionOptions.parse(flags),
            environment: environment,
            defaultName: "NATS Sample Publisher"
        )
    }

    @Test("defaults")
    func defaults() throws {
        let settings = try self.settings([])
        #expect(settings.servers == ["nats://127.0.0.1:4222"])
        #expect(settings.user == nil && settings.password == nil && settings.token == nil)
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
        #expect(try self.settings([], ["NATS_URL": ""]).servers == ["nats://127.0.0.1:4222"])
    }

    @Test("credentials of one source are not mixed with those of another kind")
    func credentials() throws {
        let environment = ["NATS_USER": "u", "NATS_PASSWORD": "p"]
        let fromEnvironment = try self.settings([], environment)
        #expect(fromEnvironment.user == "u" && fromEnvironment.password == "p" && fromEnvironment.token == nil)
        let token = try self.settings(["--token=t"], environment)
        #expect(token.user == nil && token.password == nil && token.token == "t")
        let user = try self.settings(["--user=x"], ["NATS_PASSWORD": "p", "NATS_TOKEN": "t"])
        #expect(user.user == "x" && user.password == "p" && user.token == nil)
        #expect(try self.settings([], ["NATS_TOKEN": "t"]).token == "t")
    }

    @Test("a user without password is a token")
    func userAlone() throws {
        let settings = try self.settings(["--user=secret"])
        #expect(settings.user == nil && settings.token == "secret")
    }

    @Test("a credential flag beats the user in the environment's URL, and not the one in a URL given by flag")
    func userInfo() throws {
        let environment = ["NATS_URL": "nats://a:b@h:1,h2"]
        #expect(try self.settings([], environment).servers == ["nats://a:b@h:1", "h2"])
        #expect(try self.settings(["--token=t"], environment).servers == ["nats://h:1", "h2"])
        #expect(try self.settings(["--token=t", "--server=nats://a:b@h"], [:]).servers == ["nats://a:b@h"])
    }

    @Test("passwords in URLs are not shown")
    func redaction() {
        #expect(ConnectionSettings.redacted("nats://u:p@h:1") == "nats://u:xxxxx@h:1")
        #expect(ConnectionSettings.redacted("nats://t@h:1,u:p@q@h2,h3") == "nats://xxxxx@h:1,u:xxxxx@h2,h3")
        #expect(ConnectionSettings.redacted("nats://h:1/@x") == "nats://h:1/@x")
    }

    @Test("what is not implemented in the environment is refused", arguments: ["NATS_CREDS", "NATS_CONTEXT"])
    func unsupportedEnvironment(name: String) {
        #expect(throws: UsageError("environment variable not supported yet: \(name)")) {
            try self.settings([], [name: "x"])
        }
    }

    @Test("settings that cannot be meant are refused")
    func refusals() {
        #expect(throws: UsageError.self) { try self.settings(["--server=,"]) }
        #expect(throws: UsageError.self) { try self.settings([], ["NATS_TIMEOUT": "soon"]) }
        #expect(throws: UsageError.self) { try self.settings(["--timeout=0"]) }
        #expect(throws: UsageError.self) { try self.settings(["--password=p"]) }
    }
}
