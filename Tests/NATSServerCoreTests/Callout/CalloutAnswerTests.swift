import NATSAuth
import NATSTestSupport
import NATSXKeys
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing

@testable import NATSServerCore

/// The judge of answers, with a clock of its own.
@Suite("answers of authorization services")
struct CalloutAnswerTests {
    private let issuer: NKeyPair
    private let server = NKeyPair.server().publicKey.text
    private let user = NKeyPair.user().publicKey.text
    /// 2001-09-09 01:46:40.
    private let now: Int64 = 1_000_000_000

    init() throws { self.issuer = try NKeyPair(kind: .account) }

    private func answer(_ seal: CalloutAnswer.Seal? = nil) -> CalloutAnswer {
        let options = CalloutOptions(issuer: self.issuer.publicKey.text, account: "AUTH", authUsers: ["auth"])
        return CalloutAnswer(rules: CalloutRules(options), server: self.server, userKey: self.user, seal: seal)
    }

    private func payload(_ change: (inout UserClaims) -> Void = { _ in }) throws -> [UInt8] {
        var claims = UserClaims(subject: self.user, name: "n")
        claims.registered.audience = "APP"
        change(&claims)
        var response = AuthorizationResponseClaims(subject: self.user, audience: self.server)
        response.jwt = try claims.encoded(signedBy: self.issuer, at: self.now)
        return Array(try response.encoded(signedBy: self.issuer, at: self.now).utf8)
    }

    private func judge(
        _ payload: [UInt8],
        seal: CalloutAnswer.Seal? = nil,
        nanoseconds: Int64 = 0
    ) throws(CalloutAnswer.Refusal) -> CalloutAnswer.Admission {
        try self.answer(seal).judge(payload, at: self.now * 1_000_000_000 + nanoseconds) { $0 == "APP" || $0 == "AUTH" }
    }

    @Test("a good answer names account, user and permissions")
    func admission() throws {
        let admission = try self.judge(try self.payload { $0.limits.permissions.publish.allow = ["a"] })
        #expect(admission.account == "APP")
        #expect(admission.user == "n")
        #expect(admission.permissions?.publish.allow == ["a"])
        #expect(admission.remaining == nil)
        #expect(try self.judge(try self.payload()).permissions == nil)
    }

    @Test("the clock at the edge", arguments: [-2, -1, 0, 1, 2])
    func edge(seconds: Int64) throws {
        // nats-io/jwt: expired is what is past, not what ends now.
        let expires = Result {
            try self.judge(try self.payload { $0.registered.expires = self.now + seconds }).remaining
        }
        if seconds < 0 {
            #expect(throws: CalloutAnswer.Refusal("Error validating user JWT: claim is expired")) { try expires.get() }
        } else {
            #expect(try expires.get() == seconds * 1_000_000_000)
        }
        let begins = Result { try self.judge(try self.payload { $0.registered.notBefore = self.now + seconds }) }
        if seconds > 0 {
            #expect(throws: CalloutAnswer.Refusal("Error validating user JWT: claim is not yet valid")) {
                try begins.get()
            }
        } else {
            #expect(try begins.get().account == "APP")
        }
    }

    @Test("times of day end a stay, and expiry does when it is earlier")
    func times() throws {
        let zone = { (claims: inout UserClaims) in
            claims.limits.times = [.init(start: "01:00:00", end: "02:00:00")]
            claims.limits.locale = "UTC"
        }
        // 01:46:40 to 02:00:00.
        #expect(try self.judge(try self.payload(zone)).remaining == 800 * 1_000_000_000)
        let both = try self.payload { claims in
            zone(&claims)
            claims.registered.expires = self.now + 10
        }
        #expect(try self.judge(both).remaining == 10 * 1_000_000_000)
        let outside = try self.payload { claims in
            claims.limits.times = [.init(start: "03:00:00", end: "04:00:00")]
            claims.limits.locale = "UTC"
        }
        let refusal = #expect(throws: CalloutAnswer.Refusal.self) { try self.judge(outside) }
        #expect(refusal?.reason == "Authorized user on account \"AUTH\" outside of valid connect times")
        #expect(refusal?.note == "Outside connect times")
    }

    @Test("an answer for ever and longer does not overflow")
    func veryLong() throws {
        let claims = try self.payload { $0.registered.expires = .max }
        #expect(try self.judge(claims).remaining == .max)
        let past = try self.payload { $0.registered.expires = .min }
        #expect(try self.judge(past).remaining == 0)
    }

    @Test("sealed answers are opened, others need not be, and a key that was not agreed on opens nothing")
    func sealed() throws {
        let service = XKeyPair()
        let own = XKeyPair()
        let seal = CalloutAnswer.Seal(own: own, service: service.publicKey.text)
        let payload = try self.payload()
        let sealed = try service.seal(payload, for: own.publicKey.text)
        #expect(try self.judge(sealed, seal: seal).account == "APP")
        #expect(try self.judge(payload, seal: seal).account == "APP")
        let wrong = try XKeyPair().seal(payload, for: own.publicKey.text)
        let words = "Error decrypting auth callout response on account \"AUTH\": nkeys: could not decrypt input"
        #expect(throws: CalloutAnswer.Refusal(words)) { try self.judge(wrong, seal: seal) }
        // What is wrong with it as a JWT depends on how many of its random bytes are dots.
        #expect(throws: CalloutAnswer.Refusal.self) { try self.judge(sealed) }
    }

    @Test("random damage is refused, never let in")
    func damage() throws {
        let payload = try self.payload()
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            var damaged = payload
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: damaged[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: damaged.remove(at: index)
                default: damaged.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                }
            }
            guard damaged != payload, let admission = try? self.judge(damaged) else { continue }
            // The last character of a signature has bits that mean nothing, and line ends are skipped.
            let read = damaged.filter { $0 != 0x0a && $0 != 0x0d }
            #expect(admission.account == "APP" && read.dropLast() == payload.dropLast())
        }
    }
}

/// Questions that end in one way only.
@Suite("questions to authorization services")
struct CalloutTicketTests {
    private let ends = NIOLockedValueBox<[String]>([])

    private func ticket() -> CalloutTicket {
        CalloutTicket { _ in
        } completion: { [ends] _, end in
            ends.withLockedValue { $0.append("\(end)") }
        }
    }

    @Test("the first end counts")
    func first() {
        let ticket = self.ticket()
        ticket.end(.answered([1]))
        ticket.end(.answered([2]))
        ticket.end(.timedOut)
        ticket.cancel()
        #expect(self.ends.withLockedValue { $0 } == ["answered([1])"])
    }

    @Test("what nobody wants to know any more ends without a word, and its timer with it")
    func cancelled() throws {
        let loop = EmbeddedEventLoop()
        let ticket = self.ticket()
        let timer = loop.scheduleTask(in: .seconds(1)) { ticket.end(.timedOut) }
        ticket.onEnd { timer.cancel() }
        ticket.cancel()
        ticket.end(.answered([1]))
        loop.advanceTime(by: .seconds(2))
        #expect(self.ends.withLockedValue { $0 }.isEmpty)
        // And one that ended before it had anything to hold.
        let late = loop.scheduleTask(in: .seconds(1)) { ticket.end(.timedOut) }
        ticket.onEnd { late.cancel() }
        let isCancelled = NIOLockedValueBox(false)
        late.futureResult.whenFailure { _ in isCancelled.withLockedValue { $0 = true } }
        loop.run()
        #expect(isCancelled.withLockedValue { $0 })
        try loop.syncShutdownGracefully()
    }

    @Test("a ticket that has ended keeps nothing alive")
    func lifetime() {
        final class Owner: Sendable {}
        var owner: Owner? = Owner()
        weak let watched = owner
        let ticket = CalloutTicket { [owner] _ in
            withExtendedLifetime(owner) {}
        } completion: { [owner] _, _ in
            withExtendedLifetime(owner) {}
        }
        owner = nil
        #expect(watched != nil)
        ticket.end(.timedOut)
        #expect(watched == nil)
    }
}

@Suite("questions of a reload")
struct CalloutQueueTests {
    private let asked = NIOLockedValueBox<[Int]>([])
    private let left = NIOLockedValueBox(0)

    private func ticket(_ number: Int) -> CalloutTicket {
        CalloutTicket { [asked] _ in
            asked.withLockedValue { $0.append(number) }
        } completion: { _, _ in
        }
    }

    private func leave() { self.left.withLockedValue { $0 += 1 } }

    @Test(
        "as many as there is room for, in their order; one that ends makes room, one that nobody waits for takes none"
    )
    func order() {
        var queue = CalloutQueue(mostAtOnce: 4, loopCount: 2)
        let tickets = (0..<6).map { self.ticket($0) }
        for ticket in tickets { queue.add(ticket, .last) { self.leave() } }
        #expect(self.asked.withLockedValue { $0 } == [0, 1])
        tickets[2].cancel()
        #expect(self.left.withLockedValue { $0 } == 0)
        tickets[1].end(.timedOut)
        tickets[1].cancel()
        #expect(self.left.withLockedValue { $0 } == 1)
        queue.left { self.leave() }
        #expect(self.asked.withLockedValue { $0 } == [0, 1, 3])
        tickets[0].end(.answered([]))
        tickets[3].cancel()
        #expect(self.left.withLockedValue { $0 } == 3)
        queue.left { self.leave() }
        queue.left { self.leave() }
        #expect(self.asked.withLockedValue { $0 } == [0, 1, 3, 4, 5])
    }

    @Test("who has waited through a reload is asked about before those who were asked about in it")
    func overdue() {
        var queue = CalloutQueue(mostAtOnce: 1, loopCount: 1)
        let (first, second) = (self.ticket(0), self.ticket(1))
        queue.add(first, .last) { self.leave() }
        queue.add(second, .last) { self.leave() }
        #expect(!first.isWaiting && second.isWaiting)
        second.cancel()
        #expect(!second.isWaiting)
        queue.add(self.ticket(2), .last) { self.leave() }
        queue.add(self.ticket(3), .next) { self.leave() }
        first.end(.timedOut)
        queue.left { self.leave() }
        #expect(self.asked.withLockedValue { $0 } == [0, 3])
    }

    @Test("many loops still ask one at a time each")
    func room() {
        var queue = CalloutQueue(mostAtOnce: 2, loopCount: 4)
        for number in 0..<3 { queue.add(self.ticket(number), .last) { self.leave() } }
        #expect(self.asked.withLockedValue { $0 } == [0])
    }
}

@Suite("rules of auth callout")
struct CalloutRulesTests {
    private func rules(_ allowed: [String] = [], account: String = "AUTH") -> CalloutRules {
        CalloutRules(CalloutOptions(issuer: "A", account: account, authUsers: ["auth", "U"], allowedAccounts: allowed))
    }

    @Test("auth users are never asked about; others are, unless their account is left out")
    func delegation() {
        let all = self.rules()
        #expect(!all.decides(about: "auth", of: "AUTH"))
        #expect(!all.decides(about: "U", of: "$G"))
        #expect(all.decides(about: "a", of: "APP"))
        #expect(all.decides(about: "", of: "$G"))
        let some = self.rules(["APP"])
        #expect(some.decides(about: "a", of: "APP"))
        #expect(!some.decides(about: "a", of: "OUT"))
        #expect(some.decides(about: "a", of: "$G"))
    }

    @Test("in the service's account nobody may ask, whatever else is allowed")
    func denial() {
        let rules = self.rules()
        let own = PermissionOptions(publish: .init(allow: [">"]))
        #expect(rules.permissions(own, in: "APP") == own)
        #expect(rules.permissions(nil as PermissionOptions?, in: "APP") == nil)
        #expect(rules.permissions(own, in: "AUTH")?.publish?.deny == [CalloutRules.subject])
        #expect(rules.permissions(own, in: "AUTH")?.publish?.allow == [">"])
        #expect(rules.permissions(nil as PermissionOptions?, in: "AUTH")?.publish?.deny == [CalloutRules.subject])
        let global = self.rules(account: "$G")
        #expect(global.permissions(nil as PermissionOptions?, in: nil)?.publish?.deny == [CalloutRules.subject])
    }
}
