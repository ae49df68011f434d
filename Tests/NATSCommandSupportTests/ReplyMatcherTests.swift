import NATSClient
import NATSCommandSupport
import Testing

@Suite("Reply matcher")
struct ReplyMatcherTests {
    private func request(
        _ number: Int,
        reply: String?,
        payload: String = "q"
    )
        -> MessagePrinter.Picked
    {
        MessagePrinter.Picked(
            message: NATSMessage(subject: "s", reply: reply, payload: payload),
            context: MessageFormatter.Context(number: number)
        )
    }

    private func reply(_ subject: String, _ payload: String) -> NATSMessage {
        NATSMessage(subject: subject, payload: payload)
    }

    private func texts(_ matches: [ReplyMatcher.Match]) -> [String] {
        matches.map { "\($0.request.context.number) \($0.reply?.string ?? "-")" }
    }

    /// What the reply answers.
    private func answered(_ matcher: inout ReplyMatcher, _ subject: String, _ payload: String) -> [String] {
        self.texts(matcher.received(reply: self.reply(subject, payload)).map { [$0] } ?? [])
    }

    @Test("a request waits for its reply, one that expects none does not")
    func match() {
        var matcher = ReplyMatcher()
        #expect(self.texts(matcher.received(self.request(1, reply: nil))) == ["1 -"])
        #expect(matcher.isEmpty)
        #expect(matcher.received(self.request(2, reply: "i.2")).isEmpty)
        #expect(matcher.received(self.request(3, reply: "i.3")).isEmpty)
        #expect(!matcher.isEmpty)
        #expect(self.answered(&matcher, "i.9", "x").isEmpty)
        #expect(self.answered(&matcher, "i.3", "c") == ["3 c"])
        #expect(self.answered(&matcher, "i.2", "b") == ["2 b"])
        // A second reply belongs to nothing.
        #expect(self.answered(&matcher, "i.2", "b").isEmpty)
        #expect(matcher.isEmpty)
    }

    @Test("a reply that is seen first waits for its request")
    func replyFirst() {
        var matcher = ReplyMatcher()
        #expect(self.answered(&matcher, "i.1", "a").isEmpty)
        #expect(matcher.isEmpty)
        #expect(self.texts(matcher.received(self.request(1, reply: "i.1"))) == ["1 a"])
        #expect(matcher.received(self.request(2, reply: "i.1")).isEmpty)
    }

    @Test("what waits is bounded in number and bytes, the oldest leave first")
    func bounds() {
        var matcher = ReplyMatcher(maximumCount: 2)
        #expect(matcher.received(self.request(1, reply: "i.1")).isEmpty)
        #expect(matcher.received(self.request(2, reply: "i.2")).isEmpty)
        #expect(self.texts(matcher.received(self.request(3, reply: "i.3"))) == ["1 -"])
        // The same reply subject again.
        #expect(self.texts(matcher.received(self.request(4, reply: "i.2"))) == ["2 -"])
        #expect(self.texts(matcher.takeUnanswered()) == ["3 -", "4 -"])
        #expect(matcher.isEmpty)

        var small = ReplyMatcher(maximumBytes: 1000)
        let large = String(repeating: "x", count: 600)
        #expect(small.received(self.request(1, reply: "i.1", payload: large)).isEmpty)
        #expect(self.texts(small.received(self.request(2, reply: "i.2", payload: large))) == ["1 -"])
    }

    @Test("many requests that are answered leave nothing behind")
    func many() {
        var matcher = ReplyMatcher(maximumCount: 100)
        for number in 1...10_000 {
            #expect(matcher.received(self.request(number, reply: "i.\(number)")).isEmpty)
            if number > 50 {
                #expect(self.answered(&matcher, "i.\(number - 50)", "").count == 1)
            }
        }
        #expect(self.texts(matcher.takeUnanswered()) == (9951...10_000).map { "\($0) -" })
    }
}
