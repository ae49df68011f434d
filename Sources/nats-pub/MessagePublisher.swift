import NATSClient
import NATSCommandSupport
import NIOCore

/// Publishes messages at the pace that the flags ask for, and lists them once the server has them.
struct MessagePublisher {
    /// What is said of a message.
    enum Listing {
        /// `Published [foo] : 'hello'`, for the first few.
        case payload
        /// `Published [foo] : 5 bytes`, if verbose.
        case size
    }

    private enum Line {
        case payload(subject: String, ByteBuffer)
        case size(subject: String, Int)
    }

    /// So many lines with payloads are printed.
    private static let linesShown = 20
    /// With so many lines the server is asked whether it has the messages.
    private static let linesHeld = 1024

    let client: NATSClient
    private let context: ToolContext
    private let pauseBetween: Duration?
    private let flushEvery: Int
    private let usesJetStream: Bool
    private var expectedSequence: UInt64?
    /// The wait of `--retry`; nil without it.
    private let retryInterval: Duration?
    private var streamPatience = StreamPatience()
    private var limiter: RateLimiter?
    private var lines: [Line] = []
    /// Nil without `--retry`.
    private var unconfirmed: UnconfirmedMessages?
    /// The connections that had been lost before the first of ``unconfirmed`` was sent.
    private var knownReconnects: UInt64 = 0

    /// Messages sent.
    private(set) var count = 0
    /// Bytes of their payloads.
    private(set) var bytes = 0

    init(options: PublishOptions, context: ToolContext, client: NATSClient) {
        self.client = client
        self.context = context
        self.pauseBetween = options.sleep?.duration
        self.flushEvery = options.flushEvery ?? 0
        self.usesJetStream = options.jetstream
        self.expectedSequence = options.expectLastSeq
        self.retryInterval = options.retry?.duration
        self.limiter = options.rate.map { RateLimiter(rate: $0, now: .now) }
        self.unconfirmed = options.retry.map { _ in UnconfirmedMessages() }
    }

    /// Waits until the next message may be sent; false if a signal came meanwhile.
    mutating func waitForTurn() async throws -> Bool {
        var delay = Duration.zero
        if let pause = self.pauseBetween, self.count > 0 { delay = pause }
        if let limited = self.limiter?.take(now: .now) { delay = max(delay, limited) }
        guard delay > .zero else { return true }
        await self.context.sleep(for: delay)
        // Refused an hour ago: the next hour need not be waited for.
        if let error = self.refusal { throw error }
        return self.context.shutdown.signal == nil
    }

    /// What the server has against what was sent; the end of a connection is nothing with `--retry`.
    private var refusal: NATSError? {
        guard let error = self.client.lastError else { return nil }
        guard self.unconfirmed != nil else { return error }
        return self.client.isConnected && !ToolConnection.endsOnlyConnection(error) ? error : nil
    }

    // MARK: Hot path

    /// Publishes without waiting while there is room, and waits for it where there is none.
    ///
    /// - Throws: ``UnsendableMessage`` if it is the message's fault.
    mutating func send(_ message: OutgoingMessage, listing: Listing) async throws {
        if self.usesJetStream {
            try await self.store(message, listing: listing)
        } else {
            try await self.publish(message, listing: listing)
        }
        if self.count & 0xFF == 0, let error = self.refusal { throw error }
        if self.pauseBetween != nil || self.lines.count >= Self.linesHeld || self.unconfirmed?.isFull == true
            || (self.flushEvery > 0 && self.count % self.flushEvery == 0)
        {
            try await self.confirm()
        }
    }

    /// Messages need neither be counted one by one nor be waited for.
    var takesRuns: Bool {
        !self.usesJetStream && self.pauseBetween == nil && self.limiter == nil && self.flushEvery == 0
            && self.unconfirmed == nil && !self.context.diagnostics.isVerbose
    }

    /// Publishes records from the first on, while there is room.
    ///
    /// - Parameters:
    ///   - records: Where they are in `run`.
    ///   - run: Holds them.
    ///   - frame: Subject, reply subject and headers of each.
    /// - Returns: How many; ``send(_:listing:)`` has to see to the next one.
    /// - Throws: What the server has against what was sent.
    mutating func send(
        _ records: ArraySlice<Range<Int>>,
        of run: RecordRun,
        frame: OutgoingMessage
    ) throws -> Int {
        let accepted = self.client.tryPublish(
            records,
            of: run.block,
            to: frame.subject,
            reply: frame.reply,
            headers: frame.headers
        )
        self.count += accepted
        for record in records.prefix(accepted) { self.bytes += record.count }
        if let error = self.client.lastError { throw error }
        return accepted
    }

    private mutating func publish(_ message: OutgoingMessage, listing: Listing) async throws {
        if self.unconfirmed?.messages.isEmpty == true { self.knownReconnects = self.client.statistics.reconnects }
        do throws(NATSError) {
            try self.tryPublish(message)
        } catch {
            try await self.publishWhereRoom(message, after: error)
        }
        self.unconfirmed?.append(message)
        self.count += 1
        self.bytes += message.payload.readableBytes
        switch listing {
        case .payload:
            if self.count <= Self.linesShown {
                self.lines.append(.payload(subject: message.subject, message.payload))
            }
        case .size:
            if self.context.diagnostics.isVerbose {
                self.lines.append(.size(subject: message.subject, message.payload.readableBytes))
            }
        }
    }

    @inline(__always)
    private func tryPublish(_ message: OutgoingMessage) throws(NATSError) {
        try self.client.tryPublish(
            message.payload,
            to: message.subject,
            reply: message.reply,
            headers: message.headers
        )
    }

    /// Publishes what could not be published at once, if there is only no room.
    private func publishWhereRoom(_ message: OutgoingMessage, after error: NATSError) async throws {
        do {
            guard error.code == .publishBufferFull else { throw error }
            let client = self.client
            try await self.untilSignalIfLost {
                try await client.publish(
                    message.payload,
                    to: message.subject,
                    reply: message.reply,
                    headers: message.headers
                )
            }
        } catch let error as NATSError {
            throw UnsendableMessage(error, message, limit: self.client.maximumPayload) ?? error
        }
    }

    /// Runs `body`, which may wait for a connection as long as it likes with `--retry`, but then not beyond a signal.
    private func untilSignalIfLost(_ body: @escaping @Sendable () async throws -> Void) async throws {
        guard self.unconfirmed != nil, !self.client.isConnected else { return try await body() }
        try await self.context.cancelledBySignal(body)
    }

    /// Sends what may have been lost once more.
    private func sendAgain(_ messages: [OutgoingMessage]) async throws {
        for message in messages {
            do throws(NATSError) {
                try self.tryPublish(message)
            } catch {
                do {
                    try await self.publishWhereRoom(message, after: error)
                } catch let error as UnsendableMessage {
                    // The other server takes less; the line that is at fault is not the last one.
                    throw ToolFailure(error.text)
                }
            }
        }
    }

    // MARK: JetStream

    /// Sends a message and waits until JetStream has it.
    private mutating func store(_ message: OutgoingMessage, listing: Listing) async throws {
        guard message.reply == nil else {
            throw UnsendableMessage.refused("a reply subject does not go with --jetstream, which needs it for itself")
        }
        var headers = message.headers
        if let sequence = self.expectedSequence {
            headers.set(name: "Nats-Expected-Last-Sequence", value: String(sequence))
        }
        let reply: NATSMessage
        do {
            reply = try await self.acknowledgement(of: message, headers)
        } catch let error as NATSError {
            switch error.code {
            case .noResponders:
                throw ToolFailure(
                    "no stream stores [\(message.subject)], or JetStream is not enabled: nobody answers",
                    status: .noResponders
                )
            case .timeout:
                throw ToolFailure("timeout: no acknowledgement for [\(message.subject)]", status: .timeout)
            default:
                var sent = message
                sent.headers = headers
                throw UnsendableMessage(error, sent, limit: self.client.maximumPayload) ?? error
            }
        }
        let acknowledgement: PublishAcknowledgement
        do throws(PublishAcknowledgement.Refusal) {
            acknowledgement = try PublishAcknowledgement(parsing: reply.payload)
        } catch {
            throw UnsendableMessage.refused(error.description)
        }
        if self.expectedSequence != nil { self.expectedSequence = acknowledgement.sequence }
        self.count += 1
        self.bytes += message.payload.readableBytes
        let isListed =
            switch listing {
            case .payload: self.count <= Self.linesShown
            case .size: self.context.diagnostics.isVerbose
            }
        if isListed { self.context.diagnostics.say(acknowledgement.line) }
    }

    /// Sends a message and waits for the answer; with `--retry` again after a lost connection, and until the stream is
    /// back as well.
    private mutating func acknowledgement(
        of message: OutgoingMessage,
        _ headers: NATSHeaders
    ) async throws -> NATSMessage {
        while true {
            do throws(NATSError) {
                let reply = try await self.client.request(
                    message.payload,
                    to: message.subject,
                    headers: headers,
                    timeout: self.context.settings.timeout
                )
                self.streamPatience.answered(outages: self.client.statistics.reconnects)
                return reply
            } catch {
                if let interval = self.retryInterval, let patience = self.patienceForStream(error) {
                    self.context.diagnostics.detail("No stream stores [\(message.subject)] yet")
                    await self.context.sleep(for: min(interval, patience))
                    // The signal came while nothing was on its way: there is no answer to wait for.
                    if self.context.shutdown.signal != nil { throw CancellationError() }
                    continue
                }
                guard self.isLostConnection(error) else { throw error }
                // What is asked for before there is a connection would be kept, and stored as often as it was asked for.
                while !self.client.isConnected, !self.client.isClosed {
                    let (client, timeout) = (self.client, self.context.flushTimeout)
                    try await self.untilSignalIfLost { try? await client.flush(timeout: timeout) }
                }
            }
        }
    }

    /// For how long to go on if nobody stores the message because the server has only just come back; nil if that is not
    /// why.
    private mutating func patienceForStream(_ error: NATSError) -> Duration? {
        guard error.code == .noResponders, self.context.shutdown.signal == nil else { return nil }
        return self.streamPatience.rest(outages: self.client.statistics.reconnects, now: .now)
    }

    // MARK: What the server has

    /// Whether `error` says no more than that there is no connection, and the next one is waited for.
    private func isLostConnection(_ error: NATSError) -> Bool {
        guard self.unconfirmed != nil, self.context.shutdown.signal == nil else { return false }
        return error.code == .disconnected || (error.code == .timeout && !self.client.isConnected)
    }

    /// Waits until the server has everything and said nothing against it.
    mutating func confirm() async throws {
        while true {
            do {
                let (client, timeout) = (self.client, self.context.flushTimeout)
                try await self.untilSignalIfLost { try await client.flush(timeout: timeout) }
            } catch let error as NATSError {
                let isSilent = error.code == .timeout && self.client.isConnected
                if isSilent, self.unconfirmed != nil, self.context.shutdown.signal == nil {
                    // A connection that says nothing for so long leads nowhere.
                    try? self.client.forceReconnect()
                    continue
                }
                if self.isLostConnection(error) { continue }
                // The server's reason is worth more than the fact that the connection is gone.
                let reason = ToolFailure(self.client.lastError ?? error)
                throw ToolFailure(reason.description, status: .failure)
            }
            if let error = self.refusal { throw error }
            let reconnects = self.client.statistics.reconnects
            guard let unconfirmed = self.unconfirmed, reconnects != self.knownReconnects else { break }
            self.knownReconnects = reconnects
            try await self.sendAgain(unconfirmed.messages)
            if unconfirmed.messages.isEmpty { break }
        }
        self.unconfirmed?.removeAll()
        for line in self.lines {
            switch line {
            case .payload(let subject, let payload):
                self.context.diagnostics.sayPublished(subject: subject, payload: payload)
            case .size(let subject, let size):
                self.context.diagnostics.detail("Published [\(subject)] : \(size) bytes")
            }
        }
        self.lines.removeAll(keepingCapacity: true)
    }

    /// There is no input for the moment: lists what was sent, if there is something to list or to send again.
    mutating func pause() async throws {
        if !self.lines.isEmpty || self.unconfirmed?.messages.isEmpty == false { try await self.confirm() }
    }
}
