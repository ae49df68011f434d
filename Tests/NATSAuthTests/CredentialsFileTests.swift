import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

@Suite("creds files")
struct CredentialsFileTests {
    private func user() throws -> (jwt: String, pair: NKeyPair) {
        let pair = try TestKeys.pair(.user)
        let claims = UserClaims(subject: pair.publicKey.text, name: "u")
        return (try claims.encoded(signedBy: TestKeys.pair(.account), at: 1), pair)
    }

    @Test("what is written has the official layout and is read again")
    func roundTrip() throws {
        let (jwt, pair) = try self.user()
        let file = try CredentialsFile(jwt: jwt, keyPair: pair)
        #expect(
            file.text == """
                -----BEGIN NATS USER JWT-----
                \(jwt)
                ------END NATS USER JWT------

                ************************* IMPORTANT *************************
                NKEY Seed printed below can be used to sign and prove identity.
                NKEYs are sensitive and should be treated as secrets.

                -----BEGIN USER NKEY SEED-----
                \(pair.seed)
                ------END USER NKEY SEED------

                *************************************************************

                """
        )
        for text in [file.text, file.text.replacing("\n", with: "\r\n"), "x\n" + file.text + "y"] {
            let read = try CredentialsFile(Array(text.utf8))
            #expect(read.jwt == jwt)
            #expect(read.keyPair.seed == pair.seed)
        }
        #expect(!"\(file)".contains(pair.seed) && "\(file)".contains(pair.publicKey.text))
    }

    @Test("JWT and seed alone are found too")
    func parts() throws {
        let (jwt, pair) = try self.user()
        #expect(CredentialsFile.jwt(inFile: Array(" \(jwt)\n".utf8)) == jwt)
        #expect(CredentialsFile.jwt(inFile: Array("--- JWT ---\n\(jwt)\n------\n".utf8)) == jwt)
        #expect(try CredentialsFile.keyPair(inFile: Array("# x\n  \(pair.seed)\r\n".utf8)).seed == pair.seed)
        #expect(throws: CredentialsFile.Failure.noSeed) { try CredentialsFile.keyPair(inFile: Array(jwt.utf8)) }
        #expect(throws: CredentialsFile.Failure.noSeed) { try CredentialsFile([UInt8]()) }
        let accountSeed = try TestKeys.pair(.account).seed
        #expect(throws: CredentialsFile.Failure.notUserSeed) {
            try CredentialsFile.keyPair(inFile: Array(accountSeed.utf8))
        }
        #expect(throws: CredentialsFile.Failure.invalidSeed(.wrongChecksum)) {
            try CredentialsFile.keyPair(inFile: Array((pair.seed.dropLast() + "A").utf8))
        }
    }

    @Test("only a user's JWT and the user's own key make a file")
    func mismatches() throws {
        let (jwt, pair) = try self.user()
        let account = try TestKeys.pair(.account)
        #expect(throws: CredentialsFile.Failure.differentSubject) {
            try CredentialsFile(jwt: jwt, keyPair: TestKeys.pair(.user, 2))
        }
        #expect(throws: CredentialsFile.Failure.notUserSeed) { try CredentialsFile(jwt: jwt, keyPair: account) }
        #expect(throws: CredentialsFile.Failure.invalidJWT(.notThreeChunks)) {
            try CredentialsFile(jwt: "x", keyPair: pair)
        }
        let accountJWT = try AccountClaims(subject: account.publicKey.text).encoded(signedBy: account, at: 1)
        #expect(throws: CredentialsFile.Failure.notUser("account")) {
            try CredentialsFile(jwt: accountJWT, keyPair: pair)
        }
    }

    @Test("no file makes the reader fail otherwise than by an error")
    func hostileFiles() throws {
        let (jwt, pair) = try self.user()
        let text = Array(try CredentialsFile(jwt: jwt, keyPair: pair).text.utf8)
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var bytes = text
            for _ in 0..<8 {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = generator.pick(UInt8(ascii: "-"), 0x0a, 0x0d, 0, 0xff, UInt8(ascii: "S"))
            }
            _ = try? CredentialsFile(bytes)
            _ = CredentialsFile.jwt(inFile: bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
        }
    }

    @Test(
        "nats-py reads what is written",
        .enabled(if: TestDependencies.canRun(TestDependencies.python, "Python with nats-py")),
        .timeLimit(.minutes(5))
    )
    func python() async throws {
        let (jwt, pair) = try self.user()
        let directory = try TemporaryDirectory()
        let path = try directory.write(CredentialsFile(jwt: jwt, keyPair: pair).text, to: "u.creds")
        let script = """
            import base64, sys, nats.aio.client as c
            client = c.Client()
            client._user_credentials = sys.argv[1]
            client._setup_nkeys_jwt_connect()
            print(bytes(client._user_jwt_cb()).decode())
            signature = client._signature_cb("nonce")
            print(base64.b64encode(base64.b64decode(signature)).decode())
            """
        let python = try #require(TestDependencies.python)
        let process = try ChildProcess(python, ["-c", script, path])
        #expect(await process.waitForExit(timeout: .seconds(90)) == .exited(0), "\(process.output)")
        let lines = process.output.split(separator: "\n").map(String.init)
        #expect(lines.first == jwt)
        let signature = try #require(lines.last.flatMap { Base64.decode($0) })
        #expect(pair.publicKey.isValidSignature(signature, for: Array("nonce".utf8)))
    }
}
