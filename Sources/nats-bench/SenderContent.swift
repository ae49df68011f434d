import NATSBenchSupport
import NATSClient

/// What one sender sends, and how fast.
struct SenderContent: Sendable {
    var payload: PayloadSource
    var headers: NATSHeaders
    var subjects: SubjectSequence
    var pace: Pace
    /// Nil: until told to stop.
    var count: Int?
}
