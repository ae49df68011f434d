import NIOCore

/// One request on its way through a channel.
struct Exchange: Sendable {
    var host: String
    var path: String
    /// A larger body is refused.
    var maximumBodyBytes: Int
    var promise: EventLoopPromise<Answer>
}

/// What a server answered.
struct Answer: Sendable {
    var status: Int
    var body = ByteBuffer()
    /// The connection can be used again.
    var staysOpen: Bool
}
