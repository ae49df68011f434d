import NATSTestSupport
import NATSWire
import NIOCore
import Testing

@testable import NATSServerCore

/// The key of the hash tables in these tests.
func testHash() -> SubjectHash {
    var generator = SeededGenerator(seed: 42)
    return SubjectHash(using: &generator)
}

@Suite("permissions")
struct PermissionTests {
    private func permissions(
        publish: PermissionOptions.Subjects? = nil,
        subscribe: PermissionOptions.Subjects? = nil,
        responses: PermissionOptions.Responses? = nil
    ) -> ClientPermissions {
        let options = PermissionOptions(publish: publish, subscribe: subscribe, responses: responses)
        return ClientPermissions(options, id: 1, hash: testHash())
    }

    private func mayPublish(_ subject: String, _ permissions: ClientPermissions) -> Bool {
        Array(subject.utf8).withUnsafeBufferPointer { permissions.allowsPublish($0) }
    }

    private func maySubscribe(_ text: String, _ permissions: ClientPermissions) -> Bool {
        let words = PermissionOptions.words(text)
        return permissions.allowsSubscribe(Array(words[0].utf8), queue: Array((words.count > 1 ? words[1] : "").utf8))
    }

    @Test("permissions are the same if their bytes are")
    func bytes() {
        let composed = PermissionOptions.Subjects(deny: ["caf\u{e9}.>"])
        let decomposed = PermissionOptions.Subjects(deny: ["cafe\u{301}.>"])
        #expect(composed == PermissionOptions.Subjects(deny: ["caf\u{e9}.>"]))
        #expect(composed != decomposed)
        #expect(PermissionOptions.Subjects(allow: []) != PermissionOptions.Subjects())
        let pool = PermissionPool(hash: testHash())
        let first = pool.permissions(PermissionOptions(publish: composed))
        let second = pool.permissions(PermissionOptions(publish: decomposed))
        #expect(first === pool.permissions(PermissionOptions(publish: composed)))
        #expect(!self.mayPublish("caf\u{e9}.x", first) && self.mayPublish("cafe\u{301}.x", first))
        #expect(self.mayPublish("caf\u{e9}.x", second) && !self.mayPublish("cafe\u{301}.x", second))
    }

    @Test("without lists everything may be published")
    func unrestricted() {
        let permissions = self.permissions(subscribe: .init(allow: ["a"]))
        #expect(permissions.publishTag == 0)
        #expect(self.mayPublish("anything", permissions))
        #expect(self.permissions(publish: .init()).publishTag == 0)
        #expect(self.permissions(publish: .init(deny: ["a"])).publishTag == 1)
        #expect(self.permissions(publish: .init(allow: [])).publishTag == 1)
    }

    @Test(
        "what may be published is allowed and not denied",
        arguments: [
            ("a.b", true), ("a.b.c", false), ("b", true), ("c", false), ("d.x", true), ("d.e.f", true),
            ("d.deny", false),
            ("d", false), ("a.*", true), ("a.>", true), ("a..b", false), ("", false), ("d.e.x.no", false),
        ]
    )
    func publish(subject: String, isAllowed: Bool) {
        let permissions = self.permissions(
            publish: .init(allow: ["a.*", "b", "d.>"], deny: ["d.deny", "d.*.*.no"])
        )
        #expect(self.mayPublish(subject, permissions) == isAllowed)
    }

    @Test("an empty list of allowed subjects is none for publishing and all for subscribing")
    func emptyLists() {
        let permissions = self.permissions(publish: .init(allow: []), subscribe: .init(allow: []))
        #expect(!self.mayPublish("a", permissions))
        #expect(self.maySubscribe("a", permissions))
    }

    @Test("leave to answer takes the leave to publish away, unless it is given")
    func responsesOnly() {
        #expect(!self.mayPublish("a", self.permissions(responses: .init())))
        #expect(!self.mayPublish("a", self.permissions(publish: .init(deny: ["b"]), responses: .init())))
        #expect(self.mayPublish("a", self.permissions(publish: .init(allow: ["a"]), responses: .init())))
    }

    // nats-server client.go processSubEx: the comment on queue subscriptions.
    @Test(
        "queue groups in permissions to subscribe",
        arguments: [
            (["foo"], [], "foo", true), (["foo"], [], "foo v1", true), (["foo v1"], [], "foo", false),
            (["foo v1"], [], "foo v1", true), (["foo v1"], [], "foo v2", false), (["foo", "foo v1"], [], "foo", true),
            (["foo", "foo v1"], [], "foo v1", true), (["foo", "foo v1"], [], "foo v2", false),
            (["foo v1.*"], [], "foo v1.x", true), (["foo v1.*"], [], "foo v1.x.y", false),
            (["foo v1.>"], [], "foo v1.x.y", true), (["foo v1.>"], [], "foo v1", false),
            (["foo v1.*"], [], "foo v1.*", true), (["foo v1.*"], [], "foo v1.>", false), (["> *"], [], "a.b q", true),
            (["> *"], [], "a.b", false), ([], ["foo v1"], "foo", true), ([], ["foo v1"], "foo v1", false),
            ([], ["foo v1"], "foo v2", true), ([], ["foo"], "foo v1", false), ([">"], ["foo *"], "foo q", false),
            (["foo.*"], [], "foo.>", true), (["foo.*"], [], ">", false), (["foo.*"], ["foo.a"], "foo.*", true),
            (["foo.*"], ["foo.a"], "foo.a", false), (["foo.*"], ["foo.*"], "foo.*", false),
            ([">"], [], "foo..a", false),
        ] as [([String], [String], String, Bool)]
    )
    func subscribe(allow: [String], deny: [String], subscription: String, isAllowed: Bool) {
        let permissions = self.permissions(subscribe: .init(allow: allow, deny: deny))
        #expect(self.maySubscribe(subscription, permissions) == isAllowed)
    }

    @Test("a wider subscription gets everything but what is denied, by queue group too")
    func delivery() {
        let permissions = self.permissions(subscribe: .init(deny: ["a.no", "b.* q", "c.>"]))
        #expect(permissions.filtersDelivery(of: Array("a.*".utf8)))
        #expect(!permissions.filtersDelivery(of: Array("a.no".utf8)))
        func denies(_ subject: String, _ queue: String) -> Bool {
            Array(subject.utf8).withUnsafeBufferPointer { permissions.denies($0, queue: Array(queue.utf8)) }
        }
        #expect(denies("a.no", "") && denies("a.no", "q") && denies("c.d.e", ""))
        #expect(denies("b.x", "q"))
        #expect(!denies("b.x", "") && !denies("b.x", "p") && !denies("a.yes", ""))
    }

    @Test(
        "wrong subjects are named",
        arguments: [
            ("a..b", nil, "subject \"a..b\" is not a valid subject"),
            ("a b", nil, "subject \"a b\" is not a valid subject"),
            (nil, "a b c", "subject \"a b c\" is not a valid subject"),
            (nil, "a. b", "subject \"a.\" is not a valid subject"),
            (nil, "a b.", "queue \"b.\" is not a valid queue"), (nil, "", "subject \"\" is not a valid subject"),
            ("a", "a q", nil),
        ] as [(String?, String?, String?)]
    )
    func problems(publish: String?, subscribe: String?, problem: String?) {
        let options = PermissionOptions(
            publish: publish.map { .init(allow: ["ok"], deny: [$0]) },
            subscribe: subscribe.map { .init(allow: ["ok", $0]) }
        )
        #expect(options.firstProblem() == problem)
    }
}

@Suite("leave to answer")
struct ReplyPermissionTests {
    private func replies(_ responses: PermissionOptions.Responses) throws -> ReplyPermissions {
        let options = PermissionOptions(publish: .init(allow: ["ok"]), responses: responses)
        return try #require(ReplyPermissions(ClientPermissions(options, id: 1, hash: testHash())))
    }

    private func time(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }

    private func receive(_ reply: String, _ replies: ReplyPermissions, at seconds: UInt64 = 0) {
        Array(reply.utf8).withUnsafeBufferPointer { replies.received($0, now: self.time(seconds)) }
    }

    private func answer(_ reply: String, _ replies: ReplyPermissions, at seconds: UInt64 = 0) -> Bool {
        Array(reply.utf8).withUnsafeBufferPointer { replies.mayAnswer($0, now: self.time(seconds)) }
    }

    @Test("a request is answered as often as allowed")
    func count() throws {
        let replies = try self.replies(.init(maxMessages: 2))
        #expect(!self.answer("r", replies))
        self.receive("r", replies)
        #expect(self.answer("r", replies) && self.answer("r", replies) && !self.answer("r", replies))
        #expect(!self.answer("r", replies))
        self.receive("r", replies)
        #expect(self.answer("r", replies))
    }

    @Test("leave to answer ends")
    func expiry() throws {
        let replies = try self.replies(.init(expires: .seconds(10)))
        self.receive("a", replies, at: 100)
        self.receive("b", replies, at: 100)
        #expect(self.answer("a", replies, at: 110))
        #expect(!self.answer("b", replies, at: 111))
        #expect(replies.count == 1)
    }

    @Test("there may be no limits")
    func unlimited() throws {
        let replies = try self.replies(.init(maxMessages: -1, expires: .seconds(-1)))
        self.receive("a", replies)
        for _ in 0..<100 { #expect(self.answer("a", replies, at: 100_000)) }
    }

    @Test("what may be published anyway is not remembered")
    func allowedAnyway() throws {
        let replies = try self.replies(.init())
        self.receive("ok", replies)
        #expect(replies.count == 0)
    }

    @Test("requests that nobody answers do not pile up")
    func bound() throws {
        let replies = try self.replies(.init())
        for number in 0..<200_000 { self.receive("r.\(number)", replies) }
        #expect(replies.count <= 131_072)
        #expect(self.answer("r.199999", replies) && !self.answer("r.0", replies))
        let long = String(repeating: "x", count: 4000)
        for number in 0..<10_000 { self.receive("\(long)\(number)", replies) }
        #expect(replies.count < 70_000)
    }
}
