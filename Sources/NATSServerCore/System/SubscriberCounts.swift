import NIOConcurrencyHelpers
import NIOCore

/// Questions to all servers of a cluster about how many subscriptions there are, until enough have answered.
final class SubscriberCounts: Sendable {
    private struct Question {
        var count: Int
        /// Servers that have not answered yet.
        var missing: Int
        let done: EventLoopPromise<Int>
    }

    private struct State {
        var questions: [[UInt8]: Question] = [:]
        var random = SystemRandomNumberGenerator()
        var hasEnded = false
    }

    /// How long answers are waited for (nats-server events.go debugSubscribers).
    private static let patience = TimeAmount.milliseconds(500)
    /// So many are asked at a time.
    private static let most = 256
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// What the subjects of answers begin with: `$SYS._INBOX.AbCdEfGh.`.
    private let prefix: [UInt8]
    private let state = NIOLockedValueBox(State())

    init(prefix: [UInt8]) { self.prefix = prefix }

    /// Begins to wait for answers.
    ///
    /// - Parameters:
    ///   - count: What is known already.
    ///   - servers: How many answers are waited for.
    ///   - eventLoop: Where the result comes.
    /// - Returns: where the answers have to go, and the sum that comes of them; `nil` if too much is asked already.
    func ask(
        besides count: Int,
        _ servers: Int,
        on eventLoop: any EventLoop
    ) -> (reply: [UInt8], sum: EventLoopFuture<Int>)? {
        let promise = eventLoop.makePromise(of: Int.self)
        let reply: [UInt8]? = self.state.withLockedValue { state in
            guard !state.hasEnded, state.questions.count < Self.most else { return nil }
            var reply = self.prefix
            for _ in 0..<8 { reply.append(Self.digits[Int.random(in: 0..<Self.digits.count, using: &state.random)]) }
            state.questions[reply] = Question(count: count, missing: servers, done: promise)
            return reply
        }
        guard let reply else {
            promise.succeed(count)
            return nil
        }
        eventLoop.scheduleTask(in: Self.patience) { self.finish(reply) }
        return (reply, promise.futureResult)
    }

    /// A server has answered.
    func received(_ message: InternalMessage) {
        guard let number = Int32(String(decoding: message.payload, as: UTF8.self)), number >= 0 else { return }
        let isLast = self.state.withLockedValue { state in
            guard var question = state.questions[message.subject] else { return false }
            question.count += Int(number)
            question.missing -= 1
            state.questions[message.subject] = question
            return question.missing <= 0
        }
        if isLast { self.finish(message.subject) }
    }

    private func finish(_ reply: [UInt8]) {
        guard let question = self.state.withLockedValue({ $0.questions.removeValue(forKey: reply) }) else { return }
        question.done.succeed(question.count)
    }

    /// Nobody answers any more.
    func end() {
        let questions = self.state.withLockedValue { state in
            state.hasEnded = true
            defer { state.questions = [:] }
            return Array(state.questions.values)
        }
        for question in questions { question.done.succeed(question.count) }
    }
}
