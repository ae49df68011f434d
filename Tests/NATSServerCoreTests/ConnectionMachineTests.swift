import Logging
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

@Suite("Client session")
struct ClientSessionTests {
    private func session(_ change: (inout ServerOptions) -> Void = { _ in }) -> ClientSession {
        var options = ServerOptions(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        change(&options)
        var generator = SystemRandomNumberGenerator()
        return ClientSession(
            authenticator: Authenticator(options.authorization, hash: SubjectHash(using: &generator)),
            serverSupportsHeaders: !options.noHeaderSupport
        )
    }

    private func connect(_ session: inout ClientSession, _ json: String) throws -> ClientSession.ConnectAction {
        try Array(json.utf8).withUnsafeBytes { try session.receivedConnect($0) }
    }

    @Test("without CONNECT a client is verbose, pedantic and hears itself")
    func defaults() {
        let session = self.session()
        #expect(session.verbose && session.pedantic && session.echo)
        #expect(!session.awaitsConnect && !session.headers && !session.noResponders)
    }

    @Test("keys that a second CONNECT lacks keep their values, and subscriptions are dropped")
    func secondConnect() throws {
        var session = self.session()
        #expect(try self.connect(&session, #"{"verbose":false,"echo":false}"#) == .accept(dropSubscriptions: false))
        #expect(try self.connect(&session, #"{"pedantic":false}"#) == .accept(dropSubscriptions: true))
        #expect(!session.verbose && !session.echo && !session.pedantic)
    }

    @Test(
        "what a CONNECT may be refused for",
        arguments: [
            (#"{"protocol":2}"#, ClientSession.ConnectAction.refuseProtocol),
            (#"{"protocol":-1}"#, .refuseProtocol),
            (#"{"no_responders":true}"#, .refuseNoResponders),
            (#"{"account":"X"}"#, .refuseCredentials),
            (#"{"new_account":true}"#, .refuseCredentials),
        ]
    )
    func refusals(json: String, action: ClientSession.ConnectAction) throws {
        var session = self.session()
        #expect(try self.connect(&session, json) == action)
    }

    @Test("JSON that is none throws", arguments: ["", "{", "[]", "nothing", #"{"verbose":1}"#, "\r"])
    func badJSON(json: String) {
        var session = self.session()
        #expect(throws: (any Error).self) { try self.connect(&session, json) }
    }

    @Test("a server without headers agrees to none")
    func noHeaders() throws {
        var session = self.session { $0.noHeaderSupport = true }
        _ = try self.connect(&session, #"{"headers":true}"#)
        #expect(!session.headers)
    }

    @Test(
        "user and password both have to be right",
        arguments: [
            (#"{"user":"u","pass":"p"}"#, true), (#"{"user":"u","pass":"x"}"#, false),
            (#"{"user":"x","pass":"p"}"#, false),
            (#"{"user":"u"}"#, false), (#"{}"#, false), (#"{"auth_token":"p"}"#, false),
            (#"{"user":"u","pass":"pp"}"#, false),
            (#"{"user":"u","pass":""}"#, false),
        ]
    )
    func userAndPassword(json: String, isRight: Bool) throws {
        var session = self.session {
            $0.username = "u"
            $0.password = "p"
        }
        #expect(session.awaitsConnect)
        let action = try self.connect(&session, json)
        #expect(action == (isRight ? .accept(dropSubscriptions: false) : .refuseCredentials))
        #expect(session.awaitsConnect == !isRight)
    }

    @Test(
        "a token is a token and not a user",
        arguments: [
            (#"{"auth_token":"tok"}"#, true), (#"{"auth_token":"tik"}"#, false), (#"{"user":"tok"}"#, false),
            ("{}", false),
        ]
    )
    func token(json: String, isRight: Bool) throws {
        var session = self.session { $0.token = "tok" }
        #expect(try self.connect(&session, json) == (isRight ? .accept(dropSubscriptions: false) : .refuseCredentials))
    }

    @Test("INFO follows the first PONG after CONNECT only, and only for clients that understand it")
    func firstPing() throws {
        var session = self.session()
        #expect(session.receivedPing() == .pong)
        _ = try self.connect(&session, #"{"protocol":1}"#)
        #expect(session.receivedPing() == .pongAndInfo)
        #expect(session.receivedPing() == .pong)
        var old = self.session()
        _ = try self.connect(&old, "{}")
        #expect(old.receivedPing() == .pong)
    }

    @Test("the log names a client as the official server does, without secrets")
    func labels() throws {
        var session = self.session { $0.token = "tok" }
        _ = try self.connect(&session, #"{"auth_token":"tok","lang":"go","version":"1.2","name":"n"}"#)
        #expect(session.logSuffix == #" - "v1.2:go:n" - "$G/token""#)
        #expect(session.userLabel == #"Token "[REDACTED]""#)
    }
}

@Suite("Protocol text in the log")
struct ProtocolTextTests {
    @Test(
        "secrets of a CONNECT are blanked, whatever its form",
        arguments: [
            (#"{"user":"a","pass":"secret"}"#, #"{"user":"a","pass":"[REDACTED]"}"#),
            (#"{"auth_token" : "secret","name":"x"}"#, #"{"auth_token" : "[REDACTED]","name":"x"}"#),
            (#"{"PASS":"secret","sig":"secret"}"#, #"{"PASS":"[REDACTED]","sig":"[REDACTED]"}"#),
            (#"{"pass":"secret"#, #"{"pass":"[REDACTED]""#),
            (#"{"pass":secret}"#, #"{"pass":"[REDACTED]""#),
            (#"{"p\u0061ss":"secret"}"#, #"{"p\u0061ss":"[REDACTED]"}"#),
            (#"{"pass":"se\"secret"}"#, #"{"pass":"[REDACTED]"}"#),
        ]
    )
    func redaction(json: String, expected: String) {
        #expect(ProtocolText.redacted(Array(json.utf8)) == expected)
    }

    @Test("what a peer sends cannot start a line of the log or steer a terminal")
    func controlCharacters() throws {
        #expect(
            ProtocolText.redacted(Array("\n[1] forged {\"x\":\"\u{1b}[2J\"}".utf8)) == #"\n[1] forged {"x":"\x1b[2J"}"#
        )
        var options = ServerOptions(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        options.token = "t"
        var generator = SystemRandomNumberGenerator()
        var session = ClientSession(
            authenticator: Authenticator(options.authorization, hash: SubjectHash(using: &generator)),
            serverSupportsHeaders: true
        )
        _ = try Array(#"{"user":"x\"\n[1]"}"#.utf8).withUnsafeBytes { try session.receivedConnect($0) }
        #expect(session.userLabel == #"User "x\"\n[1]""#)
    }
}

@Suite("Keep-alive")
struct KeepAliveTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func keepAlive(interval: TimeAmount = .seconds(120), max: Int = 2) -> KeepAlive {
        KeepAlive(interval: interval, pingsOutMax: max, now: self.start)
    }

    @Test("the first PING comes within a fifth after two seconds, or after the interval if that is shorter")
    func firstDelay() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<100 {
            let delay = self.keepAlive().firstDelay(afterConnect: true, using: &generator)
            #expect(delay >= .seconds(2) && delay <= .milliseconds(2_400))
            let short = self.keepAlive(interval: .seconds(1)).firstDelay(afterConnect: true, using: &generator)
            #expect(short >= .seconds(1) && short <= .milliseconds(1_200))
            let long = self.keepAlive().firstDelay(afterConnect: false, using: &generator)
            #expect(long >= .seconds(120) && long <= .seconds(144))
        }
        let endless = self.keepAlive(interval: .nanoseconds(.max)).firstDelay(afterConnect: false, using: &generator)
        #expect(endless == .nanoseconds(.max))
    }

    @Test("a silent client is stale when one PING more than allowed would be open")
    func stale() {
        var keepAlive = self.keepAlive(interval: .seconds(1))
        #expect(keepAlive.timerFired(now: self.start + .seconds(1)) == .sendPing)
        #expect(keepAlive.timerFired(now: self.start + .seconds(2)) == .sendPing)
        #expect(keepAlive.timerFired(now: self.start + .seconds(3)) == .stale)
    }

    @Test("a PONG counts for all PINGs and gives the round-trip time")
    func pong() {
        var keepAlive = self.keepAlive(interval: .seconds(1))
        _ = keepAlive.timerFired(now: self.start + .seconds(1))
        keepAlive.pongReceived(now: self.start + .milliseconds(1_005))
        #expect(keepAlive.roundTripTime == .milliseconds(5))
        #expect(keepAlive.timerFired(now: self.start + .seconds(2)) == .sendPing)
        #expect(keepAlive.timerFired(now: self.start + .seconds(3)) == .sendPing)
        #expect(keepAlive.timerFired(now: self.start + .seconds(4)) == .stale)
    }

    @Test("an active client is sampled once, then left alone until an hour has gone")
    func activity() {
        var keepAlive = self.keepAlive()
        keepAlive.activity(now: self.start + .seconds(1))
        #expect(keepAlive.timerFired(now: self.start + .seconds(2)) == .sendPing)
        keepAlive.pongReceived(now: self.start + .seconds(2))
        keepAlive.activity(now: self.start + .seconds(121))
        #expect(keepAlive.timerFired(now: self.start + .seconds(122)) == .wait)
        keepAlive.activity(now: self.start + .hours(2))
        #expect(keepAlive.timerFired(now: self.start + .hours(2)) == .sendPing)
    }
}

@Suite("Read moderation")
struct ReadModeratorTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("a stream of small reads in quick succession is delayed, and no longer once that gains nothing")
    func stream() {
        var moderator = ReadModerator()
        var now = self.start
        for _ in 0..<31 {
            #expect(moderator.readCompleted(bytes: 200, now: now) == nil)
            now = now + .microseconds(5)
        }
        #expect(moderator.readCompleted(bytes: 200, now: now) != nil)
        #expect(moderator.readCompleted(bytes: 50_000, now: now + .milliseconds(1)) != nil)
        #expect(moderator.readCompleted(bytes: 400, now: now + .milliseconds(2)) == nil)
        #expect(moderator.readCompleted(bytes: 200, now: now + .milliseconds(2)) == nil)
    }

    /// A sender that gives 60 bytes in each microsecond, or 220 once the receive window was full.
    private struct Sender {
        private static let window = 64 << 10
        private var isMerging = false
        private(set) var now: NIODeadline

        init(now: NIODeadline) { self.now = now }

        mutating func bytes(after delay: TimeAmount?) -> Int {
            let cycle = TimeAmount.microseconds(10) + (delay ?? .zero)
            self.now = self.now + cycle
            let given = Int(cycle.nanoseconds) * (self.isMerging ? 220 : 60) / 1_000
            self.isMerging = given >= Self.window / (self.isMerging ? 4 : 1)
            return min(given, Self.window)
        }
    }

    @Test("a sender that fills the window is read so that it stays fast")
    func merging() {
        var moderator = ReadModerator()
        var sender = Sender(now: self.start)
        var delay: TimeAmount?
        var total = 0
        for _ in 0..<10_000 {
            let bytes = sender.bytes(after: delay)
            total += bytes
            delay = moderator.readCompleted(bytes: bytes, now: sender.now)
        }
        let rate = Double(total) / Double((sender.now - self.start).nanoseconds)
        #expect(rate > 0.15, "bytes in a nanosecond")
    }

    @Test("requests after a stream are not delayed for long")
    func requestsAfterStream() {
        var moderator = ReadModerator()
        var sender = Sender(now: self.start)
        var delay: TimeAmount?
        for _ in 0..<1_000 {
            delay = moderator.readCompleted(bytes: sender.bytes(after: delay), now: sender.now)
        }
        #expect(delay != nil)
        let now = sender.now + .milliseconds(1)
        #expect(moderator.readCompleted(bytes: 100, now: now) == nil)
        #expect(moderator.readCompleted(bytes: 100, now: now + .microseconds(50)) == nil)
    }

    @Test("requests in turn, and large reads, are never delayed")
    func others() {
        var moderator = ReadModerator()
        for round in 0..<1_000 {
            let now = self.start + .microseconds(Int64(round) * 30)
            #expect(moderator.readCompleted(bytes: 100, now: now) == nil)
        }
        for round in 0..<1_000 {
            let now = self.start + .seconds(1) + .microseconds(Int64(round))
            #expect(moderator.readCompleted(bytes: 8_192, now: now) == nil)
        }
    }
}

@Suite("Backlog")
struct BacklogTests {
    @Test("producers are slowed above three quarters of the maximum")
    func congestion() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let backlog = Backlog(maximum: 100, now: start)
        #expect(backlog.change(by: 75) == 75)
        #expect(!backlog.isCongested)
        #expect(backlog.change(by: 1) == 76)
        #expect(backlog.isCongested)
        #expect(backlog.shouldStallProducers(now: start + .milliseconds(50)))
        #expect(!backlog.shouldStallProducers(now: start + .milliseconds(200)), "nobody waits for a dead one")
        backlog.progressed(now: start + .milliseconds(150))
        #expect(backlog.shouldStallProducers(now: start + .milliseconds(200)))
        #expect(backlog.change(by: -1) == 75)
        #expect(!backlog.isCongested)
    }
}
