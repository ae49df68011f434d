import Testing

@testable import NATSClient

@Suite struct SubscriptionRegistryTests {
    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    @Test("the replay has all subscriptions in the order in which they were made, and what is left of maximums")
    func replay() {
        var registry = SubscriptionRegistry<String>()
        registry.add(sid: 12, subject: "c", queueGroup: nil, handle: "c")
        registry.add(sid: 2, subject: "a.*", queueGroup: "q", handle: "a")
        registry.add(sid: 3, subject: "b", queueGroup: nil, handle: "b")
        registry.add(sid: 4, subject: "gone", queueGroup: nil, handle: "gone")
        #expect(registry.remove(sid: 4) == "gone")
        #expect(registry.limit(sid: 3, maximum: 10) == nil)
        #expect(registry.received(4, sid: 3)?.accepted == 4)
        let replay = registry.replay()
        #expect(self.text(replay.bytes) == "SUB c 12\r\nSUB a.* q 2\r\nSUB b 3\r\nUNSUB 3 6\r\n")
        #expect(replay.received == [3: 4])
    }

    @Test("messages are counted from the subscription on; those beyond the maximum are cut off")
    func maximum() {
        var registry = SubscriptionRegistry<String>()
        registry.add(sid: 1, subject: "a", queueGroup: nil, handle: "a")
        #expect(registry.received(3, sid: 1)?.isComplete == false)
        #expect(registry.limit(sid: 1, maximum: 5) == nil)
        let last = registry.received(4, sid: 1)
        #expect(last?.accepted == 2 && last?.isComplete == true)
        let beyond = registry.received(1, sid: 1)
        #expect(beyond == nil)
        #expect(registry.isEmpty)
    }

    @Test("a maximum that is reached already ends the subscription at once")
    func reached() {
        var registry = SubscriptionRegistry<String>()
        registry.add(sid: 1, subject: "a", queueGroup: nil, handle: "a")
        _ = registry.received(3, sid: 1)
        #expect(registry.limit(sid: 1, maximum: 3) == "a")
        #expect(registry.limit(sid: 9, maximum: 3) == nil)
        #expect(registry.isEmpty)
    }

    @Test("a refusal finds its subscription by sid, else by subject and queue group")
    func refused() {
        var registry = SubscriptionRegistry<String>()
        registry.add(sid: 1, subject: "a", queueGroup: nil, handle: "plain")
        registry.add(sid: 2, subject: "a", queueGroup: "q", handle: "queue")
        registry.add(sid: 3, subject: "a", queueGroup: nil, handle: "second")
        func permission(_ queueGroup: String?, _ sid: UInt64?) -> NATSError.Permission {
            .init(operation: .subscribe, subject: "a", queueGroup: queueGroup, sid: sid)
        }
        #expect(registry.removeRefused(permission("q", nil))?.handle == "queue")
        #expect(registry.removeRefused(permission(nil, 3))?.handle == "second")
        #expect(registry.removeRefused(permission(nil, nil))?.handle == "plain")
        let none = registry.removeRefused(permission(nil, nil))
        #expect(none == nil)
    }
}
