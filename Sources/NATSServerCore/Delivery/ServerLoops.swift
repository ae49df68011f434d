import NIOConcurrencyHelpers
import NIOCore

/// The event loops of a server, for whoever wants to know something of all of them.
final class ServerLoops: Sendable {
    /// How much work a question may do at a stretch; more is done in several ticks, so that messages flow in between.
    static let sliceSize = 512

    private let loops = NIOLockedValueBox<[ServerLoop]>([])

    var all: [ServerLoop] { self.loops.withLockedValue { $0 } }

    func set(_ loops: [ServerLoop]) { self.loops.withLockedValue { $0 = loops } }

    /// Takes the loops away: no question reaches them any more.
    func takeAll() -> [ServerLoop] {
        self.loops.withLockedValue { loops in
            defer { loops = [] }
            return loops
        }
    }

    // Whoever waits for a loop is registered under the lock that its end takes, so while the loop runs for certain: one
    // that has ended tells nobody of what has come to an end. Hence no function here returns what one loop will answer.

    /// Lets every loop do something.
    func tell(_ order: @escaping @Sendable (ServerLoop) -> Void) {
        self.loops.withLockedValue { loops in
            for loop in loops { loop.eventLoop.execute { order(loop) } }
        }
    }

    /// Puts a question to every loop.
    ///
    /// - Parameters:
    ///   - eventLoop: Where the answers come together. It has to run until then; so has one of the server's own, which
    ///     may end before the others.
    ///   - question: Answered on each loop.
    /// - Returns: the answers, in the order of the loops; none if those have ended.
    func gather<Answer: Sendable>(
        on eventLoop: any EventLoop,
        _ question: @escaping @Sendable (ServerLoop) -> Answer
    ) -> EventLoopFuture<[Answer]> {
        self.loops.withLockedValue { loops in
            // `whenAllSucceed` alone would register on `eventLoop`, later.
            let answers = loops.map { loop in loop.eventLoop.submit { question(loop) }.hop(to: eventLoop) }
            return EventLoopFuture.whenAllSucceed(answers, on: eventLoop)
        }
    }

    /// Puts a question to every loop that it answers bit by bit, else like ``gather(on:_:)``; somebody has to see to it
    /// that the loops run until they have answered.
    func gatherInSlices<Answer: Sendable>(
        on eventLoop: any EventLoop,
        _ question: @escaping @Sendable (ServerLoop) -> EventLoopFuture<Answer>
    ) -> EventLoopFuture<[Answer]> {
        self.loops.withLockedValue { loops in
            let answers = loops.map { loop in loop.eventLoop.flatSubmit { question(loop) }.hop(to: eventLoop) }
            return EventLoopFuture.whenAllSucceed(answers, on: eventLoop)
        }
    }

    /// Puts a question to every loop, and hands the answers, in any order, to a function on the loop that answers last.
    func collect<Answer: Sendable>(
        _ question: @escaping @Sendable (ServerLoop) -> Answer,
        completion: @escaping @Sendable ([Answer]) -> Void
    ) {
        self.loops.withLockedValue { loops in
            let count = loops.count
            let collected = NIOLockedValueBox<[Answer]>([])
            for loop in loops {
                loop.eventLoop.execute {
                    let answer = question(loop)
                    let all = collected.withLockedValue { answers in
                        answers.append(answer)
                        return answers.count == count ? answers : nil
                    }
                    if let all { completion(all) }
                }
            }
        }
    }

    /// Runs something on one loop, while it is certain that it runs.
    @discardableResult
    func onLoop<Answer: Sendable>(
        _ index: Int,
        _ body: @escaping @Sendable (ServerLoop) -> Answer
    ) -> EventLoopFuture<Answer>? {
        self.loops.withLockedValue { loops in
            guard loops.indices.contains(index) else { return nil }
            let loop = loops[index]
            return loop.eventLoop.submit { body(loop) }
        }
    }

    /// Does something on the first loop after a while, unless the loops end before.
    func schedule(in time: TimeAmount, _ task: @escaping @Sendable () -> Void) {
        self.loops.withLockedValue { loops in
            _ = loops.first?.eventLoop.scheduleTask(in: time, task)
        }
    }

    /// Begins something that the loops bring to its end, and waits for it.
    ///
    /// - Parameter begin: Begins it; under the lock, so must not ask for the loops.
    /// - Returns: what has come of it; `nil` if the loops have ended.
    /// - Throws: what it fails with.
    @discardableResult
    func result<Value: Sendable>(
        of begin: @Sendable () -> EventLoopFuture<Value>
    ) async throws -> Value? {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value?, any Error>) in
            self.loops.withLockedValue { loops in
                guard !loops.isEmpty else { return continuation.resume(returning: nil) }
                begin().whenComplete { result in continuation.resume(with: result.map { $0 }) }
            }
        }
    }

    /// Waits.
    ///
    /// - Returns: `false` if the loops have ended, or do before the time is over.
    func wait(_ time: TimeAmount) async -> Bool {
        await withCheckedContinuation { continuation in
            self.loops.withLockedValue { loops in
                guard let loop = loops.first else { return continuation.resume(returning: false) }
                loop.eventLoop.scheduleTask(in: time) {}.futureResult.whenComplete { result in
                    continuation.resume(returning: (try? result.get()) != nil)
                }
            }
        }
    }

    /// Puts a question to every loop, and waits for the answers of those that give one.
    func answers<Answer: Sendable>(
        _ question: @escaping @Sendable (ServerLoop) -> Answer
    ) async -> [Answer] {
        let all: [Answer?] = await withTaskGroup(of: Answer?.self) { tasks in
            for index in self.all.indices { tasks.addTask { await self.answer(of: index, question) } }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
        return all.compactMap { $0 }
    }

    /// Puts a question to one loop, and waits for its answer; `nil` if it gives none.
    @discardableResult
    func answer<Answer: Sendable>(
        of index: Int,
        _ question: @escaping @Sendable (ServerLoop) -> Answer
    ) async -> Answer? {
        await withCheckedContinuation { continuation in
            self.loops.withLockedValue { loops in
                guard loops.indices.contains(index) else { return continuation.resume(returning: nil) }
                let loop = loops[index]
                loop.eventLoop.submit { question(loop) }.whenComplete { continuation.resume(returning: try? $0.get()) }
            }
        }
    }
}

extension ServerLoop {
    /// Makes something of each element, some in every tick.
    ///
    /// - Parameters:
    ///   - elements: What to work on.
    ///   - count: How much is done at a stretch.
    ///   - weight: How much an element is; one if it is like most.
    ///   - transform: Called on this loop; what it returns `nil` for is left out.
    /// - Returns: the results, in the order of the elements.
    func mapInSlices<Element: Sendable, Result: Sendable>(
        _ elements: [Element],
        atOnce count: Int = ServerLoops.sliceSize,
        weighing weight: @escaping @Sendable (Element) -> Int = { _ in 1 },
        _ transform: @escaping @Sendable (Element) -> Result?
    ) -> EventLoopFuture<[Result]> {
        let promise = self.eventLoop.makePromise(of: [Result].self)
        let results = SliceResults<Result>(elements.count)
        self.mapSlice(elements, from: 0, atOnce: max(1, count), weight, into: results, promise, transform)
        return promise.futureResult
    }

    private func mapSlice<Element: Sendable, Result: Sendable>(
        _ elements: [Element],
        from start: Int,
        atOnce count: Int,
        _ weight: @escaping @Sendable (Element) -> Int,
        into results: SliceResults<Result>,
        _ promise: EventLoopPromise<[Result]>,
        _ transform: @escaping @Sendable (Element) -> Result?
    ) {
        var end = start
        var rest = count
        while end < elements.count, rest > 0 {
            if let result = transform(elements[end]) { results.values.append(result) }
            rest -= max(1, weight(elements[end]))
            end += 1
        }
        let next = end
        guard next < elements.count else {
            promise.succeed(results.values)
            return
        }
        self.eventLoop.execute {
            self.mapSlice(elements, from: next, atOnce: count, weight, into: results, promise, transform)
        }
    }
}

/// What has been made so far; an object, so that it is not copied with every slice.
///
/// `@unchecked Sendable`: only touched on the loop that fills it.
private final class SliceResults<Result>: @unchecked Sendable {
    var values: [Result] = []

    init(_ count: Int) { self.values.reserveCapacity(count) }
}
