import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// Requests of any thread and their replies: the ``RequestMultiplexer`` under a lock, with the one timer for all.
///
/// `@unchecked Sendable`: every variable is touched only while `lock` is held.
final class RequestCenter: @unchecked Sendable {
    /// What a request ends with.
    enum Outcome: Sendable {
        case reply(NATSMessage)
        case failed(NATSError)
        /// The request was not even appended.
        case notSent(PublishOutcome)
    }

    typealias Waiter = UnsafeContinuation<Outcome, Never>

    /// What all reply subjects begin with, the last dot included.
    let inboxPrefix: [UInt8]
    private let outbound: OutboundBuffer
    private let lock = NIOLock()
    private var multiplexer = RequestMultiplexer<Waiter>()
    private var inboxRequests = InboxRequests<SubscriptionState>()
    private var emptyObserver: (@Sendable () -> Void)?

    init(inbox: String, outbound: OutboundBuffer) {
        self.inboxPrefix = Array(inbox.utf8) + [UInt8(ascii: ".")]
        self.outbound = outbound
    }

    var count: Int {
        self.lock.withLock { self.multiplexer.count + self.inboxRequests.awaitedCount }
    }

    func makeToken() -> UInt64 {
        self.lock.withLock { self.multiplexer.makeToken() }
    }

    /// Sends a request and arranges that `waiter` is resumed exactly once.
    func send(
        _ payload: some NATSPayload,
        to subject: String,
        headers: [UInt8],
        token: UInt64,
        deadline: NIODeadline,
        waiter: Waiter
    ) {
        let (isOpen, timer) = self.lock.withLock {
            let isOpen = self.multiplexer.register(
                token,
                waiter: waiter,
                subject: subject,
                deadline: deadline.uptimeNanoseconds
            )
            return (isOpen, isOpen ? self.multiplexer.deadlineToArm() : nil)
        }
        guard isOpen else {
            waiter.resume(returning: .notSent(.refused))
            return
        }
        if let timer {
            self.arm(timer)
        }
        if Task.isCancelled {
            self.fail(token, .failed(NATSError(.cancelled, "the request to \"\(subject)\" was cancelled")))
            return
        }
        let (outcome, number) = self.append(payload, to: subject, headers: headers, token: token)
        guard case .accepted = outcome else {
            self.fail(token, .notSent(outcome))
            return
        }
        let lost = self.lock.withLock { self.multiplexer.published(token, number: number) }
        lost?.resume(returning: .failed(NATSError(.disconnected, "the connection was lost before the reply")))
    }

    // MARK: Requests with an inbox of their own

    /// From now on `state` ends with an error as soon as it is known that no reply will come.
    func register(_ token: UInt64, inboxOf state: SubscriptionState, subject: String, isAwaited: Bool) {
        self.lock.withLock {
            self.inboxRequests.register(
                token,
                waiter: state,
                subject: subject,
                inbox: state.subject,
                isAwaited: isAwaited
            )
        }
    }

    /// Sends a request that was registered.
    func send(
        _ payload: some NATSPayload,
        to subject: String,
        inbox: String,
        headers: [UInt8],
        token: UInt64
    ) -> PublishOutcome {
        var subject = subject
        var inbox = inbox
        let (outcome, number) = subject.withUTF8 { subject in
            inbox.withUTF8 { inbox in
                headers.withUnsafeBytes { headers in
                    payload.withPayloadBytes { payload in
                        self.outbound.publishRequest(
                            subject: UnsafeRawBufferPointer(subject),
                            reply: UnsafeRawBufferPointer(inbox),
                            headers: headers,
                            payload: payload,
                            hasOwnInbox: true
                        )
                    }
                }
            }
        }
        if case .accepted = outcome,
            let lost = self.lock.withLock({ self.inboxRequests.published(token, number: number) })
        {
            self.end([lost], NATSError(.disconnected, "the connection was lost before the reply"))
        }
        return outcome
    }

    /// Nobody wants to know of the request any more.
    func forget(_ token: UInt64) {
        let observer = self.lock.withLock {
            _ = self.inboxRequests.take(token)
            return self.observerIfEmpty()
        }
        observer?()
    }

    private func end(_ states: [SubscriptionState], _ error: NATSError) {
        for state in states {
            state.finish(error)
            self.outbound.unsubscribe(sid: state.sid, maximum: nil)
        }
    }

    // MARK: Requests on the common inbox

    private func append(
        _ payload: some NATSPayload,
        to subject: String,
        headers: [UInt8],
        token: UInt64
    ) -> (PublishOutcome, UInt64) {
        var subject = subject
        return withUnsafeTemporaryAllocation(byteCount: self.inboxPrefix.count + 20, alignment: 1) { reply in
            reply.copyBytes(from: self.inboxPrefix)
            let length = self.inboxPrefix.count + Self.writeDecimal(token, to: reply, at: self.inboxPrefix.count)
            let reply = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(reply)[..<length])
            return subject.withUTF8 { subject in
                headers.withUnsafeBytes { headers in
                    payload.withPayloadBytes { payload in
                        self.outbound.publishRequest(
                            subject: UnsafeRawBufferPointer(subject),
                            reply: reply,
                            headers: headers,
                            payload: payload
                        )
                    }
                }
            }
        }
    }

    private static func writeDecimal(_ value: UInt64, to target: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
        var length = 1
        var rest = value / 10
        while rest > 0 {
            length += 1
            rest /= 10
        }
        rest = value
        for index in stride(from: start + length - 1, through: start, by: -1) {
            target[index] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
            rest /= 10
        }
        return length
    }

    /// Called by the request's task when it goes on.
    ///
    /// The thread sanitizer does not see a continuation that is resumed before its task has suspended; it sees the lock
    /// under which the reply was made.
    func resumed() {
        self.lock.withLock {}
    }

    /// The request's task was cancelled.
    func cancel(_ token: UInt64, subject: String) {
        self.fail(token, .failed(NATSError(.cancelled, "the request to \"\(subject)\" was cancelled")))
    }

    private func fail(_ token: UInt64, _ outcome: Outcome) {
        let (waiter, observer) = self.lock.withLock { (self.multiplexer.take(token), self.observerIfEmpty()) }
        waiter?.resume(returning: outcome)
        observer?()
    }

    private func observerIfEmpty() -> (@Sendable () -> Void)? {
        guard let observer = self.emptyObserver, self.multiplexer.count + self.inboxRequests.awaitedCount == 0 else {
            return nil
        }
        return observer
    }

    /// Calls `observer`, on any thread, whenever no request is left.
    func observeEmpty(_ observer: @escaping @Sendable () -> Void) {
        self.lock.withLock { self.emptyObserver = observer }
    }

    // MARK: Event loop

    /// Replies arrived on the inbox.
    func received(_ frames: [MessageFrame], in bytes: ByteBuffer) {
        let (replies, observer) = self.lock.withLock {
            let replies = bytes.withUnsafeReadableBytes { raw in
                frames.compactMap { frame in
                    self.takeWaiter(of: frame, in: raw).map { (self.message(frame, in: bytes), $0) }
                }
            }
            return (replies, self.observerIfEmpty())
        }
        for (message, waiter) in replies {
            waiter.resume(returning: .reply(message))
        }
        observer?()
    }

    private func message(_ frame: MessageFrame, in bytes: ByteBuffer) -> NATSMessage {
        let batch = MessageBatch.make(
            frames: [frame],
            in: bytes,
            bodyBytes: frame.bodyLength,
            outbound: self.outbound
        )
        return NATSMessage(batch: batch, frame: batch.frames[0])
    }

    private func takeWaiter(of frame: MessageFrame, in bytes: UnsafeRawBufferPointer) -> Waiter? {
        let subject = UnsafeRawBufferPointer(rebasing: bytes[Int(frame.subjectStart)..<Int(frame.subjectEnd)])
        guard subject.starts(with: self.inboxPrefix) else {
            // nats.go respHandler: the subject was rewritten on the way; if only one request is out, it is that one's.
            return self.multiplexer.takeOnly()
        }
        return Self.token(subject[self.inboxPrefix.count...]).flatMap { self.multiplexer.take($0) }
    }

    private static func token(_ digits: some Collection<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.count <= 19 else {
            return nil
        }
        var token: UInt64 = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
                return nil
            }
            token = token * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return token
    }

    private func arm(_ deadline: UInt64) {
        self.outbound.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(deadline)) { [weak self] in
            self?.timerFired(deadline)
        }
    }

    private func timerFired(_ deadline: UInt64) {
        let (expired, next, observer) = self.lock.withLock {
            let now = max(deadline, NIODeadline.now().uptimeNanoseconds)
            let expired = self.multiplexer.expired(timer: deadline, now: now)
            return (expired, self.multiplexer.deadlineToArm(), self.observerIfEmpty())
        }
        for (waiter, subject) in expired {
            waiter.resume(returning: .failed(NATSError(.timeout, "no reply from \"\(subject)\" in time")))
        }
        if let next {
            self.arm(next)
        }
        observer?()
    }

    func connectionLost(handedOverThrough number: UInt64, cause: NATSError) {
        let error = NATSError(.disconnected, "the connection was lost before the reply", cause: cause)
        self.failAll(error) {
            $0.connectionLost(handedOverThrough: number)
        }
        self.end(self.lock.withLock { self.inboxRequests.connectionLost(handedOverThrough: number) }, error)
    }

    /// The server forbids publishing to `subject`, or with it as reply subject.
    func publishRefused(subject: String, error: NATSError) {
        let bytes = Array(subject.utf8)
        if bytes.starts(with: self.inboxPrefix), let token = Self.token(bytes[self.inboxPrefix.count...]) {
            self.failAll(error) { $0.replyRefused(token) }
        } else {
            self.failAll(error) { $0.publishRefused(subject: subject) }
            self.end(self.lock.withLock { self.inboxRequests.publishRefused(subject: subject) }, error)
        }
    }

    func inboxRefused(_ error: NATSError) {
        self.failAll(error) { $0.inboxRefused() }
    }

    func close(_ error: NATSError) {
        self.failAll(error) { $0.close(error) }
    }

    private func failAll(_ error: NATSError, _ take: (inout RequestMultiplexer<Waiter>) -> [Waiter]) {
        let (waiters, observer) = self.lock.withLock { (take(&self.multiplexer), self.observerIfEmpty()) }
        for waiter in waiters {
            waiter.resume(returning: .failed(error))
        }
        observer?()
    }
}
