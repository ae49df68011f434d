import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// What becomes of clients in all the situations around an account's authorization service, on the official server and
/// ours.
@Suite("auth callout of accounts: situations")
struct OperatorCalloutSituationTests {
    private typealias Scene = OperatorCalloutScene

    private static let connect = "CONNECT {\"verbose\":false,\"pedantic\":false"

    /// Runs the same on all servers, and compares what clients got.
    @discardableResult
    private func compare(
        _ text: String,
        _ run: @Sendable (ConfiguredServer) async throws -> [String]
    ) async throws -> [String] {
        try await Scene.compare { kind in
            Scene.Transcript(lines: try await ConfiguredServer.with(kind, text) { try await run($0) })
        }
    }

    /// A guest that has read INFO and got an answer to CONNECT and PING.
    private static func enter(
        _ scene: Scene,
        _ server: ConfiguredServer,
        _ more: String = ""
    ) async throws -> (peer: RawConnection, answer: String) {
        let peer = try await server.connect()
        let answer = await Scene.outcome(peer, "\(Self.connect)\(scene.guestMembers(more))}\r\nPING\r\n")
        return (peer, answer)
    }

    @Test("what the service is told", .timeLimit(.minutes(1)), arguments: [false, true])
    func questions(isSealed: Bool) async throws {
        let scene = try Scene(isSealed: isSealed)
        let plain = try Tenant(of: scene.auth, scene.authority)
        let text = try scene.configuration("server_name: s1\nserver_tags: [a, b]\ndefault_sentinel: \(scene.guest.jwt)")
        try await self.compare(text) { server in
            let questions = Watched<[String]>([])
            try await scene.serve(server) { question in
                let claims = question.claims
                let isInTime = (1...61).contains(claims.registered.expires - CalloutService.now)
                let seal = question.key.map { $0 == claims.server.xkey ? "sealed" : "other key" } ?? "open"
                let isOfAccount = claims.subject == scene.auth.publicKey.text
                let nonce = claims.client.nonce.isEmpty ? "" : "nonce"
                var token = CalloutSituationTests.stable(question.token)
                // A signature, which is another one each time.
                if !claims.options.signature.isEmpty {
                    token = token.replacing(claims.options.signature, with: "signature")
                }
                questions.update {
                    $0.append("\(isInTime) \(seal) \(claims.issuer == claims.server.id) \(isOfAccount) \(nonce)")
                    $0.append(token)
                }
                return [.error("no")]
            } while: {
                _ = try await scene.attempt(server, scene.guestMembers(",\"name\":\"n\",\"user\":\"u\",\"pass\":\"p\""))
                _ = try await scene.attempt(server, scene.guestMembers(",\"lang\":\"swift\",\"version\":\"1\""))
                _ = try await scene.attempt(server, ",\"jwt\":\"\(plain.jwt)\"", signedBy: plain.keys)
                _ = try await scene.attempt(server, ",\"auth_token\":\"t\"")
            }
            return questions.value.map(scene.stable)
        }
    }

    @Test("an answer of before counts for nobody else", .timeLimit(.minutes(1)), arguments: [false, true])
    func replayed(isSealed: Bool) async throws {
        let scene = try Scene(isSealed: isSealed)
        let lines = try await self.compare(try scene.configuration()) { server in
            let former = Watched<AuthorizationResponseClaims?>(nil)
            return try await scene.serve(server) { question in
                if let former = former.value { return [.response(former)] }
                var response = CalloutService.response(question)
                response.jwt = try scene.user(question, signedBy: scene.app)
                former.update { [response] in $0 = response }
                return [.response(response)]
            } while: {
                [
                    try await scene.attempt(server, scene.guestMembers()),
                    try await scene.attempt(server, scene.guestMembers()),
                ]
            }
        }
        #expect(lines.last == "-ERR 'Authorization Violation' END")
    }

    @Test("an answer that comes when the client has left, or too late, is nobody's", .timeLimit(.minutes(1)))
    func tooLate() async throws {
        let scene = try Scene()
        try await self.compare(try scene.configuration(timeout: "2")) { server in
            let listener = try await scene.serviceUser.connect(to: server)
            defer { listener.close() }
            try await listener.flush("SUB $SYS.REQ.USER.AUTH 1\r\n")
            func reply() async throws -> String {
                let line = try await listener.readLine()
                return line.split(separator: " ").dropFirst(3).first.map(String.init) ?? ""
            }
            let client = try await server.connect()
            await client.send("\(Self.connect)\(scene.guestMembers())}\r\nPING\r\n")
            let first = try await reply()
            client.reset()
            await listener.send("PUB \(first) 2\r\nhi\r\nPING\r\n")
            _ = try await listener.read(until: "PONG\r\n")
            let late = try await server.connect()
            defer { late.close() }
            await late.send("\(Self.connect)\(scene.guestMembers())}\r\nPING\r\n")
            let second = try await reply()
            let outcome = await Scene.outcome(late, "")
            _ = listener.takeAll()
            await listener.send("PUB \(second) 2\r\nhi\r\nPING\r\n")
            let rest = String(decoding: try await listener.read(until: "PONG\r\n"), as: UTF8.self)
            return [outcome, rest, first == second ? "same" : "another"]
        }
    }

    @Test("those whose JWT runs out while they are there have to go", .timeLimit(.minutes(1)))
    func expiry() async throws {
        let scene = try Scene()
        let short = try Tenant(of: scene.auth, scene.authority) { claims in
            claims.limits.bearerToken = true
            claims.registered.expires = CalloutService.now + 4
        }
        let lines = try await self.compare(try scene.configuration()) { server in
            try await scene.serve(server) { question in
                let isShort = question.claims.options.name == "short"
                return [
                    .token(
                        try scene.user(question, signedBy: scene.app) {
                            if isShort { $0.registered.expires = CalloutService.now + 2 }
                        }
                    )
                ]
            } while: {
                let (first, entered) = try await Self.enter(scene, server, ",\"name\":\"short\"")
                defer { first.close() }
                _ = await first.wait(timeout: .seconds(30)) { $0.end != nil }
                // The JWT of the one who is asked about has its own time. It may have gone by on a slow machine.
                let second = try await server.connect()
                defer { second.close() }
                await second.send("\(Self.connect),\"jwt\":\"\(short.jwt)\"}\r\n")
                _ = await second.wait(timeout: .seconds(30)) { $0.end != nil }
                return [
                    entered + String(decoding: first.takeAll(), as: UTF8.self),
                    second.hasEnded ? "end" : "stays",
                ]
            }
        }
        #expect(lines == ["PONG-ERR 'User Authentication Expired'\r\n", "end"])
    }

    @Test("revocations and signing keys of the account that they were put into", .timeLimit(.minutes(2)))
    func changes() async throws {
        let before = try Scene()
        var after = before
        var claims = try JWT.decode(
            AccountClaims.self,
            from: before.authority.accounts[before.app.publicKey.text] ?? ""
        )
        // Everybody up to now.
        claims.revocations.revoke("*", upTo: CalloutService.now + 30)
        try after.authority.add(claims)
        var unsigned = before
        claims.revocations = RevocationList()
        claims.signingKeys = SigningKeys()
        claims.defaultPermissions.publish.deny = ["x"]
        try unsigned.authority.add(claims)
        let sentinel = "default_sentinel: \(before.guest.jwt)"
        let texts = try [
            before.configuration(sentinel), unsigned.configuration(sentinel), after.configuration(sentinel),
        ]
        try await self.compare(texts[0]) { [texts] server in
            try await before.serve(server) { question in
                let isSigned = question.claims.options.name == "signed"
                return [
                    .token(
                        try before.user(
                            question,
                            of: isSigned ? before.app : nil,
                            signedBy: isSigned ? before.appSigner : before.app
                        )
                    )
                ]
            } while: {
                let (signed, _) = try await Self.enter(before, server, ",\"name\":\"signed\"")
                let (other, _) = try await Self.enter(before, server)
                defer {
                    signed.close()
                    other.close()
                }
                try await server.reload(texts[1])
                _ = await signed.wait(timeout: .seconds(30)) { $0.end != nil }
                var lines = [String(decoding: signed.takeAll(), as: UTF8.self)]
                lines.append(await Scene.outcome(other, "PUB x 0\r\n\r\nPUB denied 0\r\n\r\nPING\r\n"))
                try await server.reload(texts[2])
                _ = await other.wait(timeout: .seconds(30)) { $0.end != nil }
                lines.append(String(decoding: other.takeAll(), as: UTF8.self))
                return lines
            }
        }
    }

    @Test("a reload", .timeLimit(.minutes(1)), arguments: [false, true])
    func reload(hasSentinel: Bool) async throws {
        let scene = try Scene()
        let text = try scene.configuration(hasSentinel ? "default_sentinel: \(scene.guest.jwt)" : "")
        try await self.compare(text) { server in
            let asked = Watched<[String]>([])
            let lines = try await scene.serve(server) { question in
                asked.update { $0.append(question.claims.options.name) }
                return [.token(try scene.user(question, signedBy: scene.app))]
            } while: {
                var lines: [String] = []
                var peers: [RawConnection] = []
                for more in [
                    ",\"name\":\"a\"", ",\"name\":\"b\",\"user\":\"u\"", ",\"name\":\"c\",\"auth_token\":\"t\"",
                ] {
                    let (peer, answer) = try await Self.enter(scene, server, more)
                    lines.append(answer)
                    peers.append(peer)
                }
                try await server.reload(text + "max_control_line: 2048\n")
                // Without the JWT of before nobody is who it was; the sentinel is somebody.
                if hasSentinel {
                    _ = await asked.wait(timeout: .seconds(30)) { $0.count >= 6 }
                } else {
                    for peer in peers { _ = await peer.wait(timeout: .seconds(30)) { $0.end != nil } }
                }
                for peer in peers {
                    lines.append(await Scene.outcome(peer, "PING\r\n"))
                    peer.close()
                }
                return lines
            }
            return lines + asked.value.sorted()
        }
    }

    @Test("those who watch for failures in the account are told", .timeLimit(.minutes(1)))
    func advisories() async throws {
        let scene = try Scene()
        let plain = try Tenant(of: scene.auth, scene.authority)
        // What a connection attempt with these members gets, and what is told of it.
        @Sendable func attempt(_ members: String, _ server: ConfiguredServer) async throws -> [String] {
            let watcher = try await scene.serviceUser.connect(to: server)
            defer { watcher.close() }
            try await watcher.flush("SUB $SYS.ACCOUNT.> 1\r\n")
            var lines = [try await scene.attempt(server, members)]
            _ = try await watcher.readLine()
            let text = try await watcher.readLine()
            for key in ["acc", "user", "reason", "issuer_key", "name_tag", "tags"] {
                guard let range = text.firstRange(of: "\"\(key)\":") else { continue }
                lines.append(scene.stable("\(key): \(text[range.upperBound...].prefix { $0 != "," && $0 != "}" })"))
            }
            return lines
        }
        // Nobody answers.
        try await self.compare(try scene.configuration(timeout: "1")) { server in
            var lines = try await attempt(scene.guestMembers(), server)
            lines += try await attempt(",\"jwt\":\"\(plain.jwt)\"", server)
            lines += try await attempt(",\"jwt\":\"\(scene.revoked)\",\"user\":\"u\"", server)
            return lines
        }
        try await self.compare(try scene.configuration()) { server in
            try await scene.serve(server) { question in
                question.claims.options.name == "error" ? [.error("bad luck")] : [.raw([])]
            } while: {
                var lines: [String] = []
                for name in ["error", "empty"] {
                    lines += try await attempt(scene.guestMembers(",\"name\":\"\(name)\""), server)
                }
                return lines
            }
        }
    }

    @Test("further CONNECTs are asked about too, and messages wait for the answer", .timeLimit(.minutes(1)))
    func again() async throws {
        let scene = try Scene()
        try await self.compare(try scene.configuration("default_sentinel: \(scene.guest.jwt)")) { server in
            try await scene.serve(server) { question in
                switch question.claims.options.user {
                case "no": [.error("no")]
                case "own": [.token(try scene.user(question, signedBy: scene.auth))]
                default: [.token(try scene.user(question, signedBy: scene.app))]
                }
            } while: {
                let peer = try await server.connect()
                let watcher = try await scene.serviceUser.connect(to: server)
                defer {
                    peer.close()
                    watcher.close()
                }
                try await watcher.flush("SUB x 9\r\n")
                var lines = [
                    await Scene.outcome(
                        peer,
                        """
                        \(Self.connect),"user":"app"}\r\nSUB x 1\r\nPUB x 1\r\na\r\n\(Self.connect),"user":"own"}\r
                        SUB x 2\r\nPUB x 1\r\nb\r\nPING\r\n
                        """
                    )
                ]
                try await watcher.flushKeepingInput()
                lines.append(String(decoding: watcher.takeAll(), as: UTF8.self))
                lines.append(await Scene.outcome(peer, "\(Self.connect),\"user\":\"no\"}\r\nPUB x 1\r\nc\r\nPING\r\n"))
                try await watcher.flushKeepingInput()
                lines.append(String(decoding: watcher.takeAll(), as: UTF8.self))
                return lines
            }
        }
    }

    // The official server panics when it is to ask.
    @Test(
        "without a system account services are asked too",
        .timeLimit(.minutes(1)),
        arguments: [ServerUnderTest.ours, .oursOnManyLoops]
    )
    func withoutSystemAccount(_ server: ServerUnderTest) async throws {
        let service = try CalloutService(isSealed: false)
        let configured = """
            authorization { timeout: 60, \(service.block()) }
            accounts { AUTH { users: [{user: auth, password: auth}] } }
            no_system_account: true

            """
        try await ConfiguredServer.with(server, configured) { running in
            try await service.serve(port: running.port) { question in
                question.claims.options.user == "yes"
                    ? [.user(CalloutService.user(question, "AUTH"))] : [.error("no")]
            } while: {
                _ = try await running.connect("yes")
                let refused = try await running.connect()
                await refused.send("\(Self.connect),\"user\":\"no\"}\r\n")
                try await refused.expect("-ERR 'Authorization Violation'\r\n", thenEndWithin: .seconds(30))
            }
        }
        let scene = try Scene()
        let preload = scene.authority.accounts.filter { $0.key != scene.authority.systemKeys.publicKey.text }
            .map { "\($0.key): \($0.value)" }.joined(separator: "\n")
        let claimed = """
            trusted_keys: [\(scene.authority.keys.publicKey)]
            authorization { timeout: 60 }
            resolver: MEMORY
            resolver_preload: {
            \(preload)
            }
            no_system_account: true

            """
        try await ConfiguredServer.with(server, claimed) { running in
            try await scene.serve(running) { question in
                guard question.claims.options.name == "yes" else { return [.error("no")] }
                return [.token(try scene.user(question, signedBy: scene.app))]
            } while: {
                let admitted = try await Self.enter(scene, running, ",\"name\":\"yes\"")
                let refused = try await Self.enter(scene, running)
                #expect(admitted.answer == "PONG")
                #expect(refused.answer == "-ERR 'Authorization Violation' END")
                admitted.peer.close()
                refused.peer.close()
            }
        }
    }

    @Test("accounts in a directory, and many clients at once", .timeLimit(.minutes(2)))
    func crowd() async throws {
        let scene = try Scene(isSealed: true)
        for server in ServerUnderTest.available {
            let directory = try TemporaryDirectory()
            for (key, jwt) in scene.authority.accounts { _ = try directory.write(jwt, to: "\(key).jwt") }
            let text = """
                operator: \(try scene.authority.claims.encoded(signedBy: scene.authority.keys, at: scene.authority.now))
                authorization { timeout: 60 }
                resolver: { type: full, dir: "\(directory.path)" }

                """
            try await ConfiguredServer.with(server, text) { running in
                // Nobody has been there: all of them want the same account to be looked for.
                let peers = try await withThrowingTaskGroup(of: RawConnection.self) { tasks in
                    for _ in 0..<40 { tasks.addTask { try await running.connect() } }
                    return try await tasks.reduce(into: []) { $0.append($1) }
                }
                defer { for peer in peers { peer.close() } }
                for peer in peers.prefix(20) { await peer.send("\(Self.connect)\(scene.guestMembers())}\r\nPING\r\n") }
                try await scene.serve(running) { question in
                    [.token(try scene.user(question, signedBy: scene.app))]
                } while: {
                    // The first ones may have been there before the service; their questions are nobody's.
                    for peer in peers.prefix(10) { peer.reset() }
                    for (index, peer) in peers.enumerated().dropFirst(20) {
                        let connect = "\(Self.connect)\(scene.guestMembers())}\r\nPING\r\n"
                        await peer.send(connect + "SUB x.\(index) 1\r\nPUB x.\(index) 0\r\n\r\n")
                    }
                    for (index, peer) in peers.enumerated().dropFirst(20) {
                        try await peer.expect("PONG\r\nMSG x.\(index) 1 0\r\n\r\n")
                    }
                }
            }
        }
    }
}
