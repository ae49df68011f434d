import NATSAuth
import NATSServerCore
import NATSTestSupport
import NATSWire
import Testing

/// What becomes of clients in all the situations around an authorization service, on the official server and ours.
@Suite("auth callout: situations")
struct CalloutSituationTests {
    private static let connect = "CONNECT {\"verbose\":false,\"pedantic\":false"

    private static func configuration(
        _ service: CalloutService,
        timeout: String = "60",
        users: String = "auth",
        block: String = "",
        _ more: String = ""
    ) -> String {
        """
        authorization { timeout: \(timeout), \(service.block(users: users, block)) }
        accounts {
          AUTH { users: [{user: auth, password: auth}, {user: other, password: other}] }
          APP { users: [{user: known, password: known}, {user: bcrypt, password: "\(Self.hash)"}] }
          OUT { users: [{user: out, password: out}] }
        }
        \(more)

        """
    }

    /// Of `secret`.
    private static let hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

    /// Everything that a peer gets until the answer to its PING or the end.
    private static func outcome(_ peer: RawConnection, _ text: String) async -> String {
        await peer.send(text)
        guard
            await peer.wait(
                timeout: .seconds(60),
                until: { $0.end != nil || $0.bytes.suffix(6) == Array("PONG\r\n".utf8)[...] }
            )
        else { return "silence" }
        return String(decoding: peer.takeAll(), as: UTF8.self).split(separator: "\r\n").joined(separator: " | ")
    }

    private static func attempt(_ server: ConfiguredServer, _ members: String) async throws -> String {
        // The time of a connection whose CONNECT is a second on its way, on a busy machine, is over before anybody is
        // asked: that says nothing about the service.
        for _ in 0..<20 {
            let peer = try await server.connect()
            defer { peer.close() }
            let outcome = await Self.outcome(peer, "\(Self.connect)\(members)}\r\nPING\r\n")
            if outcome != "-ERR 'Authentication Timeout'" { return outcome }
        }
        return "always too late"
    }

    private static func user(_ name: String, _ password: String? = nil) -> String {
        ",\"user\":\"\(name)\",\"pass\":\"\(password ?? name)\""
    }

    /// Runs the same on all servers and compares what came of it.
    private func compare(_ run: @Sendable (ServerUnderTest) async throws -> [String]) async throws -> [String] {
        var transcripts: [(server: ServerUnderTest, lines: [String])] = []
        for server in ServerUnderTest.available { transcripts.append((server, try await run(server))) }
        let first = try #require(transcripts.first)
        for (server, lines) in transcripts.dropFirst() {
            #expect(lines.count == first.lines.count)
            for (line, theirs) in zip(lines, first.lines) { #expect(line == theirs, "\(server)") }
        }
        return first.lines
    }

    private static let violation = "-ERR 'Authorization Violation'"

    @Test("without a service nobody gets in but its own users, and nobody waits for ever", .timeLimit(.minutes(1)))
    func nobodyAnswers() async throws {
        let service = try CalloutService(isSealed: false)
        let lines = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service, timeout: "1")) { server in
                [
                    try await Self.attempt(server, Self.user("somebody")),
                    try await Self.attempt(server, Self.user("known")),
                    try await Self.attempt(server, ""), try await Self.attempt(server, Self.user("auth")),
                    // Its name is on the list: whether the password is right the server itself says.
                    try await Self.attempt(server, Self.user("auth", "wrong")),
                    // In the same account, but not on the list.
                    try await Self.attempt(server, Self.user("other")),
                ]
            }
        }
        let no = Self.violation
        #expect(lines == [no, no, no, "PONG", no, no])
    }

    @Test("whom the service is asked about, and whom not", .timeLimit(.minutes(2)))
    func whom() async throws {
        let service = try CalloutService(isSealed: true)
        let text = Self.configuration(service, block: ", allowed_accounts: [APP]")
        _ = try await self.compare { kind in
            try await ConfiguredServer.with(kind, text) { server in
                let asked = Watched<[String]>([])
                let lines = try await service.serve(port: server.port) { question in
                    asked.update { $0.append(question.claims.options.user + "/" + question.claims.client.user) }
                    return [.user(CalloutService.user(question, "APP"))]
                } while: {
                    [
                        try await Self.attempt(server, Self.user("known")),
                        try await Self.attempt(server, Self.user("known", "wrong")),
                        try await Self.attempt(server, Self.user("bcrypt", "secret")),
                        try await Self.attempt(server, Self.user("bcrypt", "wrong")),
                        try await Self.attempt(server, Self.user("out")),
                        try await Self.attempt(server, Self.user("out", "wrong")),
                        try await Self.attempt(server, Self.user("nobody")),
                        try await Self.attempt(server, ",\"auth_token\":\"token\""), try await Self.attempt(server, ""),
                        try await Self.attempt(server, ",\"account\":\"X\",\"user\":\"u\""),
                    ]
                }
                return lines + asked.value
            }
        }
    }

    @Test("a service may not be asked in the server's place", .timeLimit(.minutes(1)))
    func onlyTheServerAsks() async throws {
        let service = try CalloutService(isSealed: false)
        let lines = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service, users: "auth, out")) { server in
                let own = try await server.connect("auth")
                let out = try await server.connect("out")
                defer {
                    own.close()
                    out.close()
                }
                let publish =
                    "PUB $SYS.REQ.USER.AUTH r 2\r\nhi\r\nPUB $SYS.REQ.USER.AUT 0\r\n\r\nSUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n"
                return [await Self.outcome(own, publish), await Self.outcome(out, publish)]
            }
        }
        #expect(lines.first == "-ERR 'Permissions Violation for Publish to \"$SYS.REQ.USER.AUTH\"' | PONG")
    }

    @Test("of two services the first answer counts", .timeLimit(.minutes(1)), arguments: [false, true])
    func twoServices(isSealed: Bool) async throws {
        let service = try CalloutService(isSealed: isSealed)
        let lines = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service)) { server in
                try await service.serve(port: server.port) { question in
                    [.user(CalloutService.user(question, "APP"))]
                } while: {
                    try await service.serve(port: server.port) { question in
                        [.user(CalloutService.user(question, "APP"))]
                    } while: {
                        var lines: [String] = []
                        for _ in 0..<5 { lines.append(try await Self.attempt(server, Self.user("a"))) }
                        return lines
                    }
                }
            }
        }
        #expect(lines == Array(repeating: "PONG", count: 5))
    }

    @Test("an answer that comes when the client has left, or too late, is nobody's", .timeLimit(.minutes(1)))
    func tooLate() async throws {
        let service = try CalloutService(isSealed: false)
        let lines = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service, timeout: "2")) { server in
                // Somebody who remembers the question.
                let listener = try await server.connect("auth")
                defer { listener.close() }
                try await listener.flush("SUB $SYS.REQ.USER.AUTH 1\r\n")
                let client = try await server.connect()
                await client.send("\(Self.connect)\(Self.user("x"))}\r\nPING\r\n")
                let line = try await listener.readLine()
                let reply = line.split(separator: " ").dropFirst(3).first.map(String.init) ?? ""
                client.reset()
                await listener.send("PING\r\n")
                _ = try await listener.read(until: "PONG\r\n")
                await listener.send("PUB \(reply) 2\r\nhi\r\nPING\r\n")
                let first = String(decoding: try await listener.read(until: "PONG\r\n"), as: UTF8.self)
                // And one whose time is over.
                let late = try await server.connect()
                defer { late.close() }
                await late.send("\(Self.connect)\(Self.user("y"))}\r\nPING\r\n")
                let second = try await listener.readLine()
                let other = second.split(separator: " ").dropFirst(3).first.map(String.init) ?? ""
                let outcome = await Self.outcome(late, "")
                _ = listener.takeAll()
                await listener.send("PUB \(other) 2\r\nhi\r\nPING\r\n")
                let third = String(decoding: try await listener.read(until: "PONG\r\n"), as: UTF8.self)
                let form = reply.split(separator: ".").prefix(2).joined(separator: ".") + " \(reply.count)"
                return [form, first, outcome, third, reply == other ? "same" : "another"]
            }
        }
        #expect(lines == ["$SYS._INBOX 29", "PONG\r\n", Self.violation, "PONG\r\n", "another"])
    }

    @Test("what the service is told", .timeLimit(.minutes(1)), arguments: [false, true])
    func questions(isSealed: Bool) async throws {
        let service = try CalloutService(isSealed: isSealed)
        let text = "server_name: s1\nserver_tags: [a, b]\n" + Self.configuration(service)
        let key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
        _ = try await self.compare { kind in
            try await ConfiguredServer.with(kind, text) { server in
                let questions = Watched<[String]>([])
                let members = [
                    Self.user("a", "b") + #","name":"n","lang":"swift","version":"1.2.3","protocol":1,"jwt":"x.y.z""#,
                    ",\"auth_token\":\"tok\"", "", ",\"nkey\":\"\(key)\",\"sig\":\"c2ln\"",
                    ",\"user\":\"\\u00fc\\\"\\\\\",\"pass\":\"\\u0007\"",
                ]
                try await service.serve(port: server.port) { question in
                    let now = CalloutService.now
                    let claims = question.claims
                    let isInTime = (1...61).contains(claims.registered.expires - now)
                    // The clock that counts seconds may be a moment behind.
                    let isFresh = claims.registered.issuedAt <= now + 1 && claims.registered.issuedAt > now - 30
                    let seal = question.key.map { $0 == claims.server.xkey ? "sealed" : "other key" } ?? "open"
                    questions.update {
                        $0.append("\(isInTime) \(isFresh) \(seal) \(claims.issuer == claims.server.id)")
                        $0.append(Self.stable(question.token))
                    }
                    return [.error("no")]
                } while: {
                    for member in members { _ = try await Self.attempt(server, member) }
                }
                return questions.value
            }
        }
    }

    /// The claims of a token, as written, without what is different each time.
    static func stable(_ token: String) -> String {
        let parts = token.split(separator: ".")
        guard parts.count == 3, let header = Base64.decode(String(parts[0])), let body = Base64.decode(String(parts[1]))
        else { return token }
        var text = String(decoding: body, as: UTF8.self)
        for key in ["exp", "iat", "id"] {
            var start = text.startIndex
            while let range = text[start...].firstRange(of: "\"\(key)\":") {
                let end = text[range.upperBound...].firstIndex { !$0.isNumber } ?? text.endIndex
                let offset = text.distance(from: text.startIndex, to: range.upperBound)
                if end > range.upperBound { text.replaceSubrange(range.upperBound..<end, with: "…") }
                start = text.index(text.startIndex, offsetBy: offset)
            }
        }
        for key in ["jti", "iss", "id", "user_nkey", "xkey", "nonce", "sub"] {
            var start = text.startIndex
            while let range = text[start...].firstRange(of: "\"\(key)\":\"") {
                let end = text[range.upperBound...].firstIndex(of: "\"") ?? text.endIndex
                let value = text[range.upperBound..<end]
                let short = value.count > 10 ? "\(value.count)" : String(value)
                let offset = text.distance(from: text.startIndex, to: range.upperBound)
                text.replaceSubrange(range.upperBound..<end, with: short)
                start = text.index(text.startIndex, offsetBy: offset)
            }
        }
        return String(decoding: header, as: UTF8.self) + " " + text
    }

    @Test("a reload asks about so many at a time that a service can answer in time", .timeLimit(.minutes(1)))
    func reloadOfMany() async throws {
        let service = try CalloutService(isSealed: false)
        let before = Self.configuration(service)
        let (atOnce, many) = (8, 20)
        let connect = "\(Self.connect),\"auth_token\":\"stay\"}\r\nPING\r\n"
        try await ConfiguredServer.with(.ours, before, change: { $0.mostCalloutsAtOnce = atOnce }) { server in
            var peers: [RawConnection] = []
            try await service.serve(port: server.port) {
                [.user(CalloutService.user($0, "APP"))]
            } while: {
                for _ in 0..<many {
                    let peer = try await server.connect()
                    #expect(await Self.outcome(peer, connect) == "PONG")
                    peers.append(peer)
                }
            }
            let auth = try await server.connect()
            #expect(await Self.outcome(auth, "\(Self.connect)\(Self.user("auth"))}\r\nPING\r\n") == "PONG")
            await auth.send("SUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n")
            try await auth.expect("PONG\r\n")
            try await server.reload(before.replacing("user: other,", with: "user: another,"))
            var questions: [CalloutService.Question] = []
            for _ in 0..<atOnce {
                questions.append(try #require(try await service.nextQuestion(auth)))
            }
            await auth.send("PING\r\n")
            #expect(try await service.nextQuestion(auth) == nil)
            for number in 0..<many {
                if number >= questions.count { questions.append(try #require(try await service.nextQuestion(auth))) }
                let user = CalloutService.user(questions[number], "APP")
                try await service.send(.user(user), to: questions[number], over: auth)
            }
            for peer in peers {
                #expect(await Self.outcome(peer, "PING\r\n") == "PONG")
                peer.close()
            }
            auth.close()
        }
    }

    @Test("a reload asks again, or closes, and names what cannot work", .timeLimit(.minutes(1)))
    func reload() async throws {
        let service = try CalloutService(isSealed: false)
        _ = try await self.compare { kind in
            let before = Self.configuration(service, "debug: true")
            let after = before.replacing("user: other,", with: "user: another,")
            return try await ConfiguredServer.with(kind, before) { server in
                let asked = Watched<[String]>([])
                let lines = try await service.serve(port: server.port) { question in
                    let isAgain = asked.update { asked in
                        let name = question.claims.options.user + question.claims.options.token
                        defer { asked.append(name) }
                        return asked.contains(name)
                    }
                    return isAgain && question.claims.options.token == "out"
                        ? [.error("not again")] : [.user(CalloutService.user(question, "APP"))]
                } while: {
                    var peers: [RawConnection] = []
                    for members in [
                        Self.user("unknown"), Self.user("known"), ",\"auth_token\":\"stay\"", ",\"auth_token\":\"out\"",
                    ] {
                        let peer = try await server.connect()
                        _ = await Self.outcome(peer, "\(Self.connect)\(members)}\r\nPING\r\n")
                        peers.append(peer)
                    }
                    try await server.reload(after)
                    var lines: [String] = []
                    for (index, peer) in peers.enumerated() {
                        // Of those that stay the second question is what is waited for.
                        if index == 1 || index == 2 {
                            let count = 5 + index
                            _ = await asked.wait { $0.count >= min(count, 7) }
                            lines.append(await Self.outcome(peer, "PING\r\n"))
                        } else {
                            _ = await peer.wait { $0.end != nil }
                            lines.append(String(decoding: peer.takeAll(), as: UTF8.self))
                        }
                        peer.close()
                    }
                    return lines
                }
                return lines + asked.value.sorted()
            }
        }
    }

    @Test("a user's leave ends with its JWT", .timeLimit(.minutes(1)))
    func expiry() async throws {
        let service = try CalloutService(isSealed: false)
        let lines = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service)) { server in
                try await service.serve(port: server.port) { question in
                    var claims = CalloutService.user(question, "APP")
                    claims.registered.expires = CalloutService.now + 4
                    return [.user(claims)]
                } while: {
                    let peer = try await server.connect()
                    defer { peer.close() }
                    await peer.send("\(Self.connect)\(Self.user("x"))}\r\n")
                    _ = await peer.wait(timeout: .seconds(30)) { $0.end != nil }
                    return [String(decoding: peer.takeAll(), as: UTF8.self)]
                }
            }
        }
        #expect(lines == ["-ERR 'User Authentication Expired'\r\n"])
    }

    @Test("further CONNECTs are asked about too, and messages wait for the answer", .timeLimit(.minutes(1)))
    func again() async throws {
        let service = try CalloutService(isSealed: false)
        _ = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service)) { server in
                try await service.serve(port: server.port) { question in
                    question.claims.options.user == "no"
                        ? [.error("no")] : [.user(CalloutService.user(question, question.claims.options.user))]
                } while: {
                    let peer = try await server.connect()
                    let auth = try await server.connect("auth")
                    defer {
                        peer.close()
                        auth.close()
                    }
                    try await auth.flush("SUB x 9\r\n")
                    var lines: [String] = []
                    // Everything at once: what follows belongs to whoever the client is by then.
                    lines.append(
                        await Self.outcome(
                            peer,
                            """
                            \(Self.connect)\(Self.user("APP"))}\r\nSUB x 1\r\nPUB x 1\r\na\r\n\(Self.connect)\(Self.user("AUTH"))}\r
                            SUB x 2\r\nPUB x 1\r\nb\r\nPING\r\n
                            """
                        )
                    )
                    try await auth.flushKeepingInput()
                    lines.append(String(decoding: auth.takeAll(), as: UTF8.self))
                    lines.append(
                        await Self.outcome(peer, "\(Self.connect)\(Self.user("no"))}\r\nPUB x 1\r\nc\r\nPING\r\n")
                    )
                    try await auth.flushKeepingInput()
                    lines.append(String(decoding: auth.takeAll(), as: UTF8.self))
                    return lines
                }
            }
        }
    }

    @Test("those who are watched for failures in the service's account are told", .timeLimit(.minutes(1)))
    func advisories() async throws {
        let service = try CalloutService(isSealed: false)
        _ = try await self.compare { kind in
            var lines: [String] = []
            /// The outcome of an attempt, and what is told of it.
            func attempt(_ server: ConfiguredServer, _ members: String, _ watcher: RawConnection) async throws {
                lines.append(try await Self.attempt(server, members))
                _ = try await watcher.readLine()
                let text = try await watcher.readLine()
                for key in ["acc", "user", "reason"] {
                    guard let range = text.firstRange(of: "\"\(key)\":\"") else { continue }
                    lines.append("\(key): \(text[range.upperBound...].prefix { $0 != "\"" })")
                }
            }
            // Nobody answers.
            try await ConfiguredServer.with(kind, Self.configuration(service, timeout: "3")) { server in
                let watcher = try await server.connect("auth")
                defer { watcher.close() }
                try await watcher.flush("SUB $SYS.ACCOUNT.> 1\r\n")
                try await attempt(server, Self.user("silence"), watcher)
            }
            // Somebody does, however long it takes on a busy machine.
            try await ConfiguredServer.with(kind, Self.configuration(service, timeout: "30")) { server in
                let watcher = try await server.connect("auth")
                defer { watcher.close() }
                try await watcher.flush("SUB $SYS.ACCOUNT.> 1\r\n")
                try await attempt(server, Self.user("auth", "wrong"), watcher)
                try await service.serve(port: server.port) { question in
                    question.claims.options.user == "error" ? [.error("bad luck")] : [.raw([])]
                } while: {
                    try await attempt(server, Self.user("error"), watcher)
                    try await attempt(server, Self.user("empty"), watcher)
                }
            }
            return lines
        }
    }

    @Test(
        "a client without credentials and without CONNECT is asked about as the one that it is",
        .timeLimit(.minutes(1))
    )
    func withoutConnect() async throws {
        let service = try CalloutService(isSealed: false)
        _ = try await self.compare { kind in
            try await ConfiguredServer.with(kind, Self.configuration(service, "no_auth_user: known")) { server in
                let asked = Watched<[String]>([])
                let lines = try await service.serve(port: server.port) { question in
                    asked.update { $0.append(question.claims.options.user) }
                    var claims = CalloutService.user(question, "AUTH")
                    claims.limits.permissions.publish.allow = ["ok"]
                    return [.user(claims)]
                } while: {
                    let peer = try await server.connect()
                    let other = try await server.connect()
                    defer {
                        peer.close()
                        other.close()
                    }
                    return [
                        await Self.outcome(peer, "PUB no 0\r\n\r\nPUB ok 0\r\n\r\nPING\r\n"),
                        await Self.outcome(other, "\(Self.connect)}\r\nPUB no 0\r\n\r\nPING\r\n"),
                    ]
                }
                return lines + asked.value
            }
        }
    }

    @Test(
        "a reload while a client without CONNECT is asked about: it gets what it asked for and no more",
        .timeLimit(.minutes(1)),
        arguments: [true, false]
    )
    func reloadWithoutConnect(isStillAsked: Bool) async throws {
        let service = try CalloutService(isSealed: false)
        let before = Self.configuration(service, "no_auth_user: known")
        // Without the service, or with one more user.
        let after =
            isStillAsked
            ? before.replacing("user: other,", with: "user: another,")
            : before.replacing(service.block(), with: "")
        // The official server waits for the first answer.
        for kind in [ServerUnderTest.ours, .oursOnManyLoops] {
            try await ConfiguredServer.with(kind, before) { server in
                let asked = Watched<Int>(0)
                try await service.serve(port: server.port) { question in
                    asked.update { count in
                        count += 1
                        return count == 1 ? [] : [.user(CalloutService.user(question, "APP"))]
                    }
                } while: {
                    let peer = try await server.connect()
                    defer { peer.close() }
                    await peer.send("SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n")
                    _ = await asked.wait { $0 == 1 }
                    try await server.reload(after)
                    // Who has sent no CONNECT is verbose: one for SUB, one for PUB.
                    try await peer.expect("+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n")
                    try await peer.expectNothing()
                }
                #expect(asked.value == (isStillAsked ? 2 : 1))
            }
        }
    }
}
