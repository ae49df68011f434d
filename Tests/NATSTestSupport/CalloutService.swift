package import NATSAuth
import NATSClient
import NATSXKeys

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An authorization service for tests of auth callout, on our client.
package struct CalloutService: Sendable {
    /// What it was asked, and how.
    package struct Question: Sendable {
        package var claims: AuthorizationRequestClaims
        /// The JWT itself.
        package var token: String
        /// The value of the header `Nats-Server-Xkey`.
        package var key: String?
        /// Whether it had to be opened.
        package var wasSealed: Bool
        package var subject: String
        package var reply: String
    }

    /// What it answers.
    package enum Answer: Sendable {
        /// The user, signed by the issuer, in a response signed by the issuer.
        case user(UserClaims)
        /// The user, signed by the issuer, in a response signed by somebody else.
        case userSigned(UserClaims, by: NKeyPair)
        /// A user JWT as it is, in such a response.
        case token(String)
        /// No.
        case error(String)
        /// A response as it is, signed by the issuer.
        case response(AuthorizationResponseClaims)
        /// A response signed by somebody else.
        case signed(AuthorizationResponseClaims, by: NKeyPair)
        /// Bytes as they are.
        case raw([UInt8])
        /// The same as another answer, but not sealed.
        indirect case open(Answer)
    }

    /// Whose key signs the answers.
    package let issuer: NKeyPair
    /// With what questions are opened and answers sealed, if they are.
    package let xkeys: XKeyPair?

    package init(isSealed: Bool) throws {
        self.issuer = try NKeyPair(kind: .account)
        self.xkeys = isSealed ? XKeyPair() : nil
    }

    /// A service whose answers an account's own key signs.
    package init(issuer: NKeyPair, isSealed: Bool) {
        self.init(issuer: issuer, xkeys: isSealed ? XKeyPair() : nil)
    }

    /// Seconds since 1970.
    package static var now: Int64 { Int64(time(nil)) }

    /// The `auth_callout` block for it, with more keys.
    package func block(account: String = "AUTH", users: String = "auth", _ more: String = "") -> String {
        let xkey = self.xkeys.map { ", xkey: \($0.publicKey.text)" } ?? ""
        return
            "auth_callout { issuer: \(self.issuer.publicKey.text), account: \(account), auth_users: [\(users)]\(xkey)\(more) }"
    }

    /// Claims of a user that a question is about, for an account.
    package static func user(
        _ question: Question,
        _ account: String,
        name: String = "",
        limits: UserLimits = .unlimited
    ) -> UserClaims {
        var claims = UserClaims(subject: question.claims.userKey, name: name, limits: limits)
        claims.registered.audience = account
        return claims
    }

    /// A response about the user of a question, to who has asked.
    package static func response(_ question: Question) -> AuthorizationResponseClaims {
        AuthorizationResponseClaims(subject: question.claims.userKey, audience: question.claims.server.id)
    }

    /// Answers while something runs.
    ///
    /// - Parameters:
    ///   - port: Of the server on 127.0.0.1.
    ///   - user: Who it is; its password is the same.
    ///   - rules: The answers to a question, sent in that order.
    ///   - body: What runs meanwhile.
    /// - Returns: what the body returns.
    /// - Throws: what the body, the rules or the client throw.
    package func serve<Result: Sendable>(
        port: Int,
        user: String = "auth",
        rules: @escaping @Sendable (Question) throws -> [Answer],
        while body: () async throws -> Result
    ) async throws -> Result {
        var configuration = NATSClientConfiguration(servers: ["nats://127.0.0.1:\(port)"])
        configuration.credentials = .userPassword(user: user, password: user)
        configuration.connectTimeout = .seconds(30)
        configuration.allowReconnect = false
        return try await NATSClient.withClient(configuration) { client in
            let questions = try await client.subscribe("$SYS.REQ.USER.AUTH")
            try await client.flush(timeout: .seconds(30))
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for try await message in questions {
                        guard let reply = message.reply, let question = try self.question(message, reply) else {
                            continue
                        }
                        for answer in try rules(question) {
                            try await client.publish(try self.bytes(answer, to: question), to: reply)
                        }
                    }
                }
                let result = try await body()
                questions.unsubscribe()
                try await tasks.waitForAll()
                return result
            }
        }
    }

    /// The same for a service that is connected already; the connection has no other subscriptions.
    package func serve<Result: Sendable>(
        over peer: RawConnection,
        rules: @escaping @Sendable (Question) throws -> [Answer],
        while body: () async throws -> Result
    ) async throws -> Result {
        await peer.send("SUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n")
        try await peer.expect("PONG\r\n")
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while let question = try await self.nextQuestion(peer) {
                    for answer in try rules(question) { try await self.send(answer, to: question, over: peer) }
                }
            }
            let result = try await body()
            // Its answer ends the loop.
            await peer.send("UNSUB 1\r\nPING\r\n")
            try await tasks.waitForAll()
            return result
        }
    }

    /// What a subscribed connection is asked next; `nil` after the answer to a PING, and at the end of the connection.
    package func nextQuestion(_ peer: RawConnection) async throws -> Question? {
        while let (payload, key, reply) = try await Self.nextMessage(peer) {
            // Others may be able to publish there too.
            if let question = try? self.question(payload, key, reply) { return question }
        }
        return nil
    }

    package func send(_ answer: Answer, to question: Question, over peer: RawConnection) async throws {
        let bytes = try self.bytes(answer, to: question)
        await peer.send(Array("PUB \(question.reply) \(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// A message, its key and its reply subject; `nil` after the answer to a PING, and at the end of the connection.
    private static func nextMessage(
        _ peer: RawConnection
    ) async throws -> (payload: [UInt8], key: String?, reply: String)? {
        guard await peer.wait(timeout: .seconds(170), until: { $0.end != nil || $0.bytes.contains(10) }),
            peer.inbox.value.bytes.contains(10)
        else { return nil }
        let line = try await peer.readLine()
        let words = line.split(separator: " ").map(String.init)
        guard let verb = words.first, verb == "MSG" || verb == "HMSG", words.count > 4,
            let size = words.last.flatMap(Int.init)
        else { return nil }
        let bytes = try await peer.read(count: size + 2).dropLast(2)
        guard verb == "HMSG", let headers = Int(words[words.count - 2]) else { return (Array(bytes), nil, words[3]) }
        let key = String(decoding: bytes.prefix(headers), as: UTF8.self)
            .split(separator: "Nats-Server-Xkey: ").dropFirst().first?.prefix { !$0.isWhitespace }
        return (Array(bytes.dropFirst(headers)), key.map(String.init), words[3])
    }

    private func question(_ message: NATSMessage, _ reply: String) throws -> Question? {
        try self.question(
            message.withPayloadBytes { Array($0) },
            message.headers["Nats-Server-Xkey"],
            reply,
            message.subject
        )
    }

    private func question(
        _ payload: [UInt8],
        _ key: String?,
        _ reply: String,
        _ subject: String = "$SYS.REQ.USER.AUTH"
    ) throws -> Question {
        var bytes = payload
        if let xkeys, let key { bytes = try xkeys.open(bytes, from: key) }
        let token = String(decoding: bytes, as: UTF8.self)
        return Question(
            claims: try JWT.decode(AuthorizationRequestClaims.self, from: token),
            token: token,
            key: key,
            wasSealed: self.xkeys != nil && key != nil,
            subject: subject,
            reply: reply
        )
    }

    private func bytes(_ answer: Answer, to question: Question) throws -> [UInt8] {
        let plain: [UInt8]
        switch answer {
        case .raw(let bytes): return bytes
        case .open(let answer):
            return try CalloutService(issuer: self.issuer, xkeys: nil).bytes(answer, to: question)
        case .user(let claims):
            let token = try claims.encoded(signedBy: self.issuer, at: Self.now)
            return try self.bytes(.token(token), to: question)
        case .userSigned(let claims, let keys):
            var response = Self.response(question)
            response.jwt = try claims.encoded(signedBy: self.issuer, at: Self.now)
            return try self.bytes(.signed(response, by: keys), to: question)
        case .token(let token):
            var response = Self.response(question)
            response.jwt = token
            return try self.bytes(.response(response), to: question)
        case .error(let text):
            var response = Self.response(question)
            response.error = text
            return try self.bytes(.response(response), to: question)
        case .response(let claims):
            return try self.bytes(.signed(claims, by: self.issuer), to: question)
        case .signed(let claims, let keys):
            plain = Array(try claims.encoded(signedBy: keys, at: Self.now).utf8)
        }
        guard let xkeys, let key = question.key else { return plain }
        return try xkeys.seal(plain, for: key)
    }

    private init(issuer: NKeyPair, xkeys: XKeyPair?) {
        self.issuer = issuer
        self.xkeys = xkeys
    }
}
