import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// The official Python client where an authorization service decides.
@Suite(
    "nats-py and auth callout",
    .serialized,
    .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py"))
)
struct PythonCalloutTests {
    private static let dummy = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"

    private func run(_ server: ConfiguredServer, _ arguments: String...) async throws -> [String] {
        let python = try #require(TestDependencies.python)
        let script = TestDependencies.packageRoot + "/Scripts/nats-py-authentication"
        let session = try ChildProcess(python, [script, "nats://127.0.0.1:\(server.port)"] + arguments)
        #expect(await session.waitForExit(timeout: .seconds(90)) == .exited(0), "\(session.output)")
        return session.output.split(separator: "\n").map(String.init)
    }

    /// Whoever gives its name as its password, the token `tok`, or a signature of the nonce.
    private static func isRight(_ claims: AuthorizationRequestClaims) -> Bool {
        let options = claims.options
        if !options.nkey.isEmpty {
            guard let key = try? NKeyPublicKey(options.nkey), let signature = Base64.decode(options.signature) else {
                return false
            }
            return key.isValidSignature(signature, for: Array(claims.client.nonce.utf8))
        }
        return options.token.isEmpty
            ? !options.user.isEmpty && options.user == options.password : options.token == "tok"
    }

    @Test(
        "password, token and nkey, right and wrong",
        .timeLimit(.minutes(5)),
        arguments: ServerUnderTest.available,
        [false, true]
    )
    func kinds(kind: ServerUnderTest, isSealed: Bool) async throws {
        let service = try CalloutService(isSealed: isSealed)
        let text = """
            authorization { timeout: 60, \(service.block()) }
            accounts {
              AUTH { users: [{user: auth, password: auth}] }
              APP { users: [{nkey: \(Self.dummy)}] }
            }

            """
        let pair = try NKeyPair(kind: .user)
        try await ConfiguredServer.with(kind, text) { server in
            try await service.serve(port: server.port) { question in
                guard Self.isRight(question.claims) else { return [.error("wrong")] }
                var claims = CalloutService.user(question, "APP", name: "somebody")
                claims.limits.permissions.publish.deny = ["no"]
                return [.user(claims)]
            } while: {
                let works = ["connected", "received", "violation"]
                #expect(try await self.run(server, "password", "bob", "bob") == works)
                #expect(try await self.run(server, "token", "tok") == ["connected", "received"])
                #expect(try await self.run(server, "nkey", pair.seed) == works)
                for output in [
                    try await self.run(server, "password", "bob", "alice"), try await self.run(server, "token", "tik"),
                ] {
                    #expect(output.count == 1)
                    #expect(output.first?.lowercased().contains("authorization violation") == true)
                }
            }
        }
    }
}
