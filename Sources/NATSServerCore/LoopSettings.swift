import Logging
import NIOCore

/// The options that connections look at while they work, as plain values: reading them counts no references and takes no
/// lock.
///
/// Each ``ServerLoop`` has a copy, which a reload replaces.
struct LoopSettings: Sendable, Equatable {
    var isTracing: Bool
    /// `trace_headers`: of payloads, only header blocks are traced.
    var tracesHeadersOnly: Bool
    var maxTracedMessageLength: Int
    var readModeration: Bool
    /// Whether producers pause for consumers that have fallen behind; else messages for those are dropped
    /// (`no_fast_producer_stall`).
    var stallsProducers: Bool
    /// Whether match results outlive the read that they were made for; not so with `disable_sublist_cache`.
    var keepsMatches: Bool
    var writeDeadline: TimeAmount
    var pingInterval: TimeAmount
    var pingsOutMax: Int
    var maxControlLine: Int
    /// What a publish may carry; a server without a limit still takes no more than this.
    var maxPayload: Int
    /// Subscriptions of a connection, and tokens of their subjects; no limit unless greater than 0.
    var maxSubscriptions: Int
    var maxSubscriptionTokens: Int

    init(_ options: ServerOptions) {
        self.isTracing = options.traceProtocol && options.logger.logLevel <= .trace
        self.tracesHeadersOnly = options.traceHeaders
        self.maxTracedMessageLength = options.maxTracedMessageLength
        self.readModeration = options.readModeration
        self.stallsProducers = !options.noFastProducerStall
        self.keepsMatches = !options.noSublistCache
        self.writeDeadline = TimeAmount(options.writeDeadline)
        self.pingInterval = TimeAmount(options.pingInterval)
        self.pingsOutMax = options.pingsOutMax
        self.maxControlLine = options.maxControlLine
        // -1 is "no limit"; the sizes of a frame are 32-bit numbers all the same.
        self.maxPayload = options.maxPayload < 0 ? Int(Int32.max) : options.maxPayload
        self.maxSubscriptions = options.maxSubscriptions
        self.maxSubscriptionTokens = options.maxSubscriptionTokens
    }
}
