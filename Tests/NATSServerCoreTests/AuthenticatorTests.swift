import Dispatch
import Logging
import NATSAuth
import NATSTestSupport
import NATSWire
import NIOConcurrencyHelpers
import NIOEmbedded
import Testing

@testable import NATSServerCore

@Suite("bcrypt", .enabled(if: Bcrypt.isAvailable))
struct BcryptTests {
    /// Section 3 of the old documents, and one hash with every prefix.
    static let documented = [
        ("T0pS3cr3t", "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG"),
        ("T0pS3cr3tT00!", "$2a$11$xH8dkGrty1cBNtZjhPeWJewu/YPbSU.rXJWmS6SFilOBXzmZoMk9m"),
        ("password", "$2a$11$1oJy/wZYNTxr9jNwMNwS3eUGhBpHT3On8CL9o7ey89mpgo88VG6ba"),
        ("#IclkRPHUpsTmACWzmIGXr", "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS"),
        ("secret", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
        ("secret", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
        ("secret", "$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
        ("secret", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
    ]

    @Test("old documents section 3: the documented hashes are those of their passwords", arguments: Self.documented)
    func verify(password: String, hash: String) {
        #expect(Bcrypt.isHash(hash))
        #expect(Bcrypt.verify(password: password, hash: hash))
        #expect(!Bcrypt.verify(password: password + "x", hash: hash))
    }

    @Test(
        "what is no hash verifies nothing",
        arguments: [
            "", "$2a$", "$2a$04$short", "$2c$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$2a$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$2a$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr\u{0}",
            "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrWW", "$6$rounds=1000$abc$def",
            "$2a$04$::::::::::::::::::::::2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        ]
    )
    func notAHash(hash: String) {
        #expect(!Bcrypt.verify(password: "secret", hash: hash))
    }

    @Test("a password ends neither at a 0 nor before its 72nd byte")
    func oddPasswords() throws {
        let salt = (0..<16).map { UInt8($0 * 11) }
        let hash = try #require(Bcrypt.hash(password: "secret", cost: 4, salt: salt))
        #expect(hash.hasPrefix("$2a$04$") && hash.utf8.count == 60)
        #expect(Bcrypt.verify(password: "secret", hash: hash))
        #expect(!Bcrypt.verify(password: "secret\u{0}", hash: hash))
        let long = String(repeating: "x", count: 72)
        let longHash = try #require(Bcrypt.hash(password: long, cost: 4, salt: salt))
        #expect(!Bcrypt.verify(password: String(long.dropLast()), hash: longHash))
        #expect(Bcrypt.verify(password: long + String(repeating: "y", count: 4000), hash: longHash))
        let foreign = try #require(Bcrypt.hash(password: "pässwörd\u{ff}", cost: 4, salt: salt))
        #expect(Bcrypt.verify(password: "pässwörd\u{ff}", hash: foreign))
        #expect(Bcrypt.hash(password: long + "y", cost: 4, salt: salt) == nil)
        #expect(Bcrypt.hash(password: "x", cost: 3, salt: salt) == nil)
        #expect(Bcrypt.hash(password: "x", cost: 32, salt: salt) == nil)
        #expect(Bcrypt.hash(password: "x", cost: 4, salt: []) == nil)
    }
}

@Suite("password checks", .enabled(if: Bcrypt.isAvailable))
struct PasswordVerifierTests {
    private static let hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

    @Test("a check ends with its result, and the right one is known then")
    func results() async {
        let verifier = PasswordVerifier(threads: 2)
        for (password, isRight) in [("secret", true), ("wrong", false)] {
            let check = PasswordCheck(password: password, hash: Self.hash)
            #expect(!verifier.isKnown(check))
            let result = await withCheckedContinuation { continuation in
                verifier.verify(check, .init(verifier)) { continuation.resume(returning: $0) }
            }
            #expect(result == isRight)
            #expect(verifier.isKnown(check) == isRight)
        }
        #expect(!verifier.isKnown(PasswordCheck(password: "secret", hash: "other")))
    }

    /// Waits without a thread of the tests.
    private func wait(for semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            DispatchQueue.global().async {
                semaphore.wait()
                continuation.resume()
            }
        }
    }

    @Test("nobody hears of a check that is not wanted any more", .timeLimit(.minutes(1)))
    func cancelled() async {
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        let verifier = PasswordVerifier(threads: 1) { check in
            guard check.password == "0" else { return false }
            begun.signal()
            mayEnd.wait()
            return true
        }
        let heard = NIOLockedValueBox<[Int]>([])
        var tickets: [PasswordVerifier.Ticket] = []
        for number in 0..<20 {
            let ticket = PasswordVerifier.Ticket(verifier)
            tickets.append(ticket)
            verifier.verify(PasswordCheck(password: "\(number)", hash: "h"), ticket) { _ in
                heard.withLockedValue { $0.append(number) }
            }
        }
        await self.wait(for: begun)
        for ticket in tickets { ticket.cancel() }
        mayEnd.signal()
        // The only thread comes to this one last.
        _ = await withCheckedContinuation { continuation in
            verifier.verify(PasswordCheck(password: "last", hash: "h"), .init(verifier)) {
                continuation.resume(returning: $0)
            }
        }
        verifier.end()
        verifier.verify(PasswordCheck(password: "late", hash: "h"), .init(verifier)) { _ in
            heard.withLockedValue { $0.append(99) }
        }
        #expect(heard.withLockedValue { $0 } == [])
    }

    @Test("who comes and goes while a hash is being computed leaves nothing behind", .timeLimit(.minutes(1)))
    func comingAndGoing() async {
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        let verifier = PasswordVerifier(threads: 1) { _ in
            begun.signal()
            mayEnd.wait()
            return false
        }
        verifier.verify(PasswordCheck(password: "p", hash: "h"), .init(verifier)) { _ in }
        await self.wait(for: begun)
        for _ in 0..<1000 {
            let ticket = PasswordVerifier.Ticket(verifier)
            verifier.verify(PasswordCheck(password: "p", hash: "h"), ticket) { _ in }
            ticket.cancel()
        }
        #expect(verifier.load.jobs == 1)
        #expect(verifier.load.places < 100)
        mayEnd.signal()
    }

    @Test("a hash that is being computed when all ends keeps nobody", .timeLimit(.minutes(1)))
    func ended() async {
        final class Witness: Sendable {}
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        let heard = NIOLockedValueBox(0)
        let verifier = PasswordVerifier(threads: 1) { _ in
            begun.signal()
            mayEnd.wait()
            return true
        }
        weak var running: Witness?
        weak var waiting: Witness?
        do {
            let (first, second) = (Witness(), Witness())
            (running, waiting) = (first, second)
            for witness in [first, second] {
                verifier.verify(PasswordCheck(password: "p", hash: "h"), .init(verifier)) { _ in
                    withExtendedLifetime(witness) { heard.withLockedValue { $0 += 1 } }
                }
            }
        }
        await self.wait(for: begun)
        #expect(running != nil && waiting != nil)
        verifier.end()
        #expect(running == nil && waiting == nil)
        mayEnd.signal()
        #expect(heard.withLockedValue { $0 } == 0)
        #expect(!verifier.isKnown(PasswordCheck(password: "p", hash: "h")))
    }

    @Test("many who come with the same password at once cost one hash", .timeLimit(.minutes(1)))
    func together() async {
        let computed = NIOLockedValueBox(0)
        let verifier = PasswordVerifier(threads: 1) { check in
            computed.withLockedValue { $0 += 1 }
            return check.password == "right"
        }
        func results(_ password: String) async -> [Bool] {
            await withTaskGroup(of: Bool.self) { tasks in
                for _ in 0..<50 {
                    tasks.addTask {
                        await withCheckedContinuation { continuation in
                            verifier.verify(PasswordCheck(password: password, hash: "h"), .init(verifier)) {
                                continuation.resume(returning: $0)
                            }
                        }
                    }
                }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(await results("right") == Array(repeating: true, count: 50))
        #expect(computed.withLockedValue { $0 } == 1)
        // What is wrong is not remembered.
        #expect(await results("wrong") == Array(repeating: false, count: 50))
        #expect(computed.withLockedValue { $0 } == 51)
    }

    @Test("a result that comes in while a reload asks for another check does not count", .timeLimit(.minutes(1)))
    func reloadInBetween() async throws {
        func options(_ password: String) throws -> AuthorizationOptions {
            var options = AuthorizationOptions()
            let hash = try #require(Bcrypt.hash(password: password, cost: 4, salt: Array(repeating: 7, count: 16)))
            options.users = [.init(name: "u", password: hash)]
            return options
        }
        let former = try options("old")
        var serverOptions = ServerOptions(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        serverOptions.authorization = former
        let shared = ServerShared(options: serverOptions)
        let eventLoop = NIOAsyncTestingEventLoop()
        let loop = ServerLoop(eventLoop: eventLoop, index: 0, shared: shared)
        let check = PasswordCheck(password: "old", hash: former.users?.first?.password ?? "")
        let changed = try options("new")
        // The event loop stands still in here, and the first result waits for it.
        let connection = try await eventLoop.executeInContext {
            loop.siblings = [loop]
            let connection = ClientConnection(id: 5, loop: loop)
            Array("{\"user\":\"u\",\"pass\":\"old\"}".utf8).withUnsafeBytes { connection.connect($0) }
            let deadline = ContinuousClock.now + .seconds(30)
            while !shared.passwords.isKnown(check), ContinuousClock.now < deadline {}
            connection.reload(shared.replaceAuthorization(changed))
            return connection
        }
        #expect(shared.passwords.isKnown(check))
        try await eventually("the client is refused") {
            await eventLoop.run()
            return try await eventLoop.executeInContext { connection.phase != .open }
        }
        let (awaitsConnect, reason) = try await eventLoop.executeInContext {
            (connection.session.awaitsConnect, connection.closedReason)
        }
        #expect(awaitsConnect)
        #expect(reason == .authenticationFailure)
        try await eventLoop.executeInContext {
            connection.outlet.detach()
            loop.siblings = []
        }
        await eventLoop.shutdownGracefully()
    }
}

@Suite("authentication")
struct AuthenticatorTests {
    private enum Answer: Equatable {
        case accepted(UInt64?)
        case checked(PasswordCheck, UInt64?)
        case refused
    }

    private func decide(
        _ options: AuthorizationOptions,
        nonce: String = "",
        type: ConnectionType = .standard,
        _ change: (inout ConnectPayload) -> Void
    ) -> Answer {
        var connect = ConnectPayload()
        change(&connect)
        switch Authenticator(options, hash: testHash()).decide(&connect, nonce: nonce, type: type) {
        case .accept(let grant): return .accepted(grant.permissions?.id)
        case .verify(let check, let grant): return .checked(check, grant.permissions?.id)
        case .refuse, .callOut, .lookUp: return .refused
        }
    }

    private var users: AuthorizationOptions {
        var options = AuthorizationOptions()
        options.users = [
            .init(name: "admin", password: "a", permissions: .init(publish: .init(allow: [">"]))),
            .init(name: "plain", password: "p"),
            .init(name: "web", password: "w", allowedConnectionTypes: [.webSocket]),
            .init(name: "empty"),
        ]
        return options
    }

    @Test("users are known by name and password, and default permissions are for those without")
    func usersByName() {
        var options = self.users
        #expect(
            self.decide(options) {
                $0.user = "admin"
                $0.password = "a"
            } == .accepted(1)
        )
        #expect(
            self.decide(options) {
                $0.user = "plain"
                $0.password = "p"
            } == .accepted(nil)
        )
        options.defaultPermissions = PermissionOptions(publish: .init(allow: ["x"]))
        #expect(
            self.decide(options) {
                $0.user = "plain"
                $0.password = "p"
            } == .accepted(2)
        )
        #expect(self.decide(options) { $0.user = "empty" } == .accepted(2))
        for (user, password) in [("admin", "p"), ("admin", ""), ("nobody", "a"), ("", "a"), ("plain", "pp")] {
            #expect(
                self.decide(options) {
                    $0.user = user
                    $0.password = password
                } == .refused
            )
        }
        #expect(self.decide(options) { _ in } == .refused)
        #expect(self.decide(options) { $0.authToken = "a" } == .refused)
    }

    @Test("a user may be bound to a type of connection")
    func connectionTypes() {
        func credentials(_ connect: inout ConnectPayload) {
            connect.user = "web"
            connect.password = "w"
        }
        #expect(self.decide(self.users, credentials) == .refused)
        #expect(self.decide(self.users, type: .webSocket, credentials) == .accepted(nil))
    }

    @Test("who needs a trusted proxy is refused, since there is none")
    func proxyRequired() throws {
        var options = self.users
        options.users?[0].proxyRequired = true
        options.noAuthUser = "admin"
        func refusal(_ change: (inout ConnectPayload) -> Void) -> Authenticator.Refusal? {
            var connect = ConnectPayload()
            change(&connect)
            let authenticator = Authenticator(options, hash: testHash())
            guard case .refuse(let refusal) = authenticator.decide(&connect, nonce: "", type: .standard) else {
                return nil
            }
            return refusal
        }
        #expect(
            refusal {
                $0.user = "admin"
                $0.password = "a"
            } == .proxyRequired
        )
        #expect(
            refusal {
                $0.user = "plain"
                $0.password = "p"
            } == nil
        )
        #expect(refusal { $0.user = "nobody" } == Authenticator.Refusal())
        var connect = ConnectPayload()
        let authenticator = Authenticator(options, hash: testHash())
        if case .some = authenticator.decideWithoutConnect(&connect, nonce: "", type: .standard) {
            Issue.record("nobody is the no_auth_user")
        }
        options = AuthorizationOptions()
        options.token = "t"
        options.proxyRequired = true
        #expect(refusal { $0.authToken = "t" } == .proxyRequired)
    }

    @Test("a client without credentials is the no_auth_user, one with wrong ones is not")
    func noAuthUser() {
        var options = self.users
        options.noAuthUser = "admin"
        #expect(self.decide(options) { _ in } == .accepted(1))
        #expect(self.decide(options) { $0.password = "x" } == .refused)
        #expect(self.decide(options) { $0.authToken = "x" } == .refused)
        let authenticator = Authenticator(options, hash: testHash())
        #expect(authenticator.isRequired && !authenticator.isAnnounced)
        options.noAuthUser = "nobody"
        #expect(options.firstProblem()?.contains("no_auth_user: \"nobody\" not present as user or nkey") == true)
        options.users = nil
        #expect(options.firstProblem() == "no_auth_user: \"nobody\" present, but users/nkeys are not defined")
    }

    @Test("an nkey signs the nonce; either alphabet of base 64 will do")
    func nkeys() throws {
        let pair = try NKeyPair(kind: .user)
        var options = AuthorizationOptions()
        options.nkeys = [.init(nkey: pair.publicKey.text)]
        #expect(options.firstProblem() == nil)
        let nonce = "4Xmoc0kNg1bhkIE"
        let signature = try pair.sign(Array(nonce.utf8))
        for text in [Base64.encodeURLSafe(signature), Base64.encode(signature)] {
            #expect(
                self.decide(options, nonce: nonce) {
                    $0.nkey = pair.publicKey.text
                    $0.signature = text
                } == .accepted(nil)
            )
            #expect(
                self.decide(options, nonce: "another") {
                    $0.nkey = pair.publicKey.text
                    $0.signature = text
                } == .refused
            )
        }
        for text in ["", "????", "AAAA"] {
            #expect(
                self.decide(options, nonce: nonce) {
                    $0.nkey = pair.publicKey.text
                    $0.signature = text
                } == .refused
            )
        }
        let other = try NKeyPair(kind: .user)
        #expect(
            self.decide(options, nonce: nonce) {
                $0.nkey = other.publicKey.text
                $0.signature = Base64.encodeURLSafe((try? other.sign(Array(nonce.utf8))) ?? [])
            } == .refused
        )
        // What a client signs that got no nonce could be used again by anybody who sees it.
        let signedNothing = Base64.encodeURLSafe(try pair.sign([]))
        #expect(
            self.decide(options, nonce: "") {
                $0.nkey = pair.publicKey.text
                $0.signature = signedNothing
            } == .refused
        )
        options.nkeys?.append(.init(nkey: try NKeyPair(kind: .account).publicKey.text))
        #expect(options.firstProblem() == "Not a valid public nkey for a user")
    }

    @Test("hashes are checked elsewhere, and are no passwords themselves")
    func hashes() {
        let hash = BcryptTests.documented[0].1
        var options = AuthorizationOptions()
        options.token = hash
        #expect(
            self.decide(options) { $0.authToken = "x" } == .checked(PasswordCheck(password: "x", hash: hash), nil)
        )
        #expect(self.decide(options) { $0.authToken = hash } == .refused)
        options.token = nil
        options.username = "u"
        options.password = hash
        #expect(
            self.decide(options) {
                $0.user = "u"
                $0.password = "x"
            } == .checked(PasswordCheck(password: "x", hash: hash), nil)
        )
        #expect(
            self.decide(options) {
                $0.user = "v"
                $0.password = "x"
            } == .refused
        )
    }

    @Test("a list of no users lets nobody in")
    func nobody() {
        var options = AuthorizationOptions()
        #expect(self.decide(options) { $0.user = "x" } == .accepted(nil))
        options.users = []
        #expect(self.decide(options) { $0.user = "x" } == .refused)
        #expect(self.decide(options) { _ in } == .refused)
    }

    @Test("passwords that can be read are known, tokens do not count")
    func plaintextWarning() {
        var options = AuthorizationOptions()
        options.token = "t"
        #expect(!options.hasPlaintextPasswords)
        options.password = "p"
        #expect(options.hasPlaintextPasswords)
        options.password = BcryptTests.documented[0].1
        #expect(!options.hasPlaintextPasswords)
        options.users = [.init(name: "x")]
        #expect(options.hasPlaintextPasswords)
    }

    // MARK: Reload

    private enum Effect: Equatable {
        case close
        case refuse
        case keep(UInt64?)
        case verify(UInt64?)
        case callOut
    }

    private func effect(
        _ options: AuthorizationOptions,
        after former: AuthorizationOptions? = nil,
        _ change: (inout ConnectPayload) -> Void
    ) -> Effect {
        var connect = ConnectPayload()
        change(&connect)
        let hash = testHash()
        let previous = former.map { Authenticator($0, hash: hash) }
        let authenticator = Authenticator(options, hash: hash, previous: previous)
        switch authenticator.reloadEffect(on: connect, nonce: "", type: .standard) {
        case .close: return .close
        case .refuse: return .refuse
        case .keep(let grant): return .keep(grant.permissions?.id)
        case .verify(_, let grant): return .verify(grant.permissions?.id)
        case .callOut: return .callOut
        }
    }

    @Test("what a reload does to a connection")
    func reload() {
        func admin(_ connect: inout ConnectPayload) {
            connect.user = "admin"
            connect.password = "a"
        }
        #expect(self.effect(self.users, admin) == .keep(1))
        var changed = self.users
        changed.users?[0].password = "b"
        #expect(self.effect(changed, admin) == .refuse)
        changed.users?[0].password = BcryptTests.documented[0].1
        #expect(self.effect(changed, admin) == .verify(1))
        changed.users?.removeFirst()
        #expect(self.effect(changed, admin) == .close)
        #expect(self.effect(changed) { $0.nkey = "U" } == .close)
        #expect(self.effect(changed) { _ in } == .refuse)
        #expect(self.effect(AuthorizationOptions(), admin) == .keep(nil))
        var token = AuthorizationOptions()
        token.token = "t"
        #expect(self.effect(token) { $0.authToken = "t" } == .keep(nil))
        #expect(self.effect(token) { $0.authToken = "u" } == .refuse)
        #expect(self.effect(token, admin) == .close)
        var single = AuthorizationOptions()
        single.username = "admin"
        single.password = "a"
        #expect(self.effect(single, admin) == .keep(nil))
        single.password = "b"
        #expect(self.effect(single, admin) == .close)
    }

    @Test("permissions that stay the same keep their answers, others get an id of their own")
    func permissionIdentity() {
        func admin(_ connect: inout ConnectPayload) {
            connect.user = "admin"
            connect.password = "a"
        }
        #expect(self.effect(self.users, after: self.users, admin) == .keep(1))
        var changed = self.users
        changed.users?[0].permissions = PermissionOptions(publish: .init(allow: ["other"]))
        #expect(self.effect(changed, after: self.users, admin) == .keep(2))
    }
}
