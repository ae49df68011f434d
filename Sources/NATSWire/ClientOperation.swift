/// One operation that a client sent, as offsets into the bytes it was parsed from.
///
/// Offsets count from the base pointer given to ``ClientOperationParser/next(_:from:to:into:)``. Nothing is copied and
/// nothing is reference counted; the value means nothing once those bytes are gone.
///
/// `public`, as the parser is, because `package` declarations are not inlined into other modules, and a call per access
/// costs a quarter of a message. The module is no product, so this makes no API.
@frozen
public struct ClientOperation {
    /// Which operation it is.
    @frozen
    public enum Kind: UInt8 {
        /// `PUB`.
        case publish
        /// `HPUB`.
        case headerPublish
        /// `SUB`.
        case subscribe
        /// `UNSUB`.
        case unsubscribe
        /// `CONNECT`.
        case connect
        /// `PING`.
        case ping
        /// `PONG`.
        case pong
        /// `+OK`, which a server ignores.
        case ok
        /// `INFO {…}`, which a server only checks.
        case info
        /// `-ERR …`, which makes a server close the connection.
        case error
    }

    /// Which operation it is.
    public var kind: Kind = .ping
    /// Whether the control line is spelled with single blanks and CRLF, so that everything from ``tailStart`` on can be
    /// forwarded unchanged.
    public var isCanonical = false
    /// How many tokens the argument has; only the first four are kept.
    public var tokenCount = 0
    @usableFromInline var token0Start = 0
    @usableFromInline var token0End = 0
    @usableFromInline var token1Start = 0
    @usableFromInline var token1End = 0
    @usableFromInline var token2Start = 0
    @usableFromInline var token2End = 0
    @usableFromInline var token3Start = 0
    @usableFromInline var token3End = 0
    /// The argument of the control line, without leading blanks and the line end.
    public var argumentStart = 0
    /// Behind the argument.
    public var argumentEnd = 0
    /// Size of the header block in bytes, for ``Kind/headerPublish``.
    public var headerSize = 0
    /// Size of header block and payload in bytes, for the two publish kinds.
    public var size = 0
    /// First byte after the control line.
    public var payloadStart = 0
    /// First byte after the operation.
    ///
    /// For an incomplete publish: where it will end, else 0.
    public var frameEnd = 0

    /// Whether the operation is a PUB or HPUB.
    @inlinable @inline(__always)
    public var isPublish: Bool {
        switch self.kind {
        case .publish, .headerPublish: true
        default: false
        }
    }

    /// An operation to parse into.
    @inlinable @inline(__always)
    public init() {}

    /// A message of a route as a publish of a client: without account and queue groups.
    @inlinable @inline(__always)
    public init(_ message: RouteOperation) {
        self.isCanonical = message.tailStart > 0
        self.append(tokenFrom: message.subject.lowerBound, to: message.subject.upperBound)
        if !message.reply.isEmpty { self.append(tokenFrom: message.reply.lowerBound, to: message.reply.upperBound) }
        if message.headerSizeDigits.isEmpty {
            self.kind = .publish
        } else {
            self.kind = .headerPublish
            self.append(tokenFrom: message.headerSizeDigits.lowerBound, to: message.headerSizeDigits.upperBound)
        }
        self.append(tokenFrom: message.sizeDigits.lowerBound, to: message.sizeDigits.upperBound)
        self.argumentStart = message.argument.lowerBound
        self.argumentEnd = message.argument.upperBound
        self.headerSize = message.headerSize
        self.size = message.size
        self.payloadStart = message.payloadStart
        self.frameEnd = message.frameEnd
    }

    /// The subject of a publish or subscribe.
    @inlinable @inline(__always)
    public var subject: Range<Int> { Range(uncheckedBounds: (self.token0Start, self.token0End)) }

    /// The reply subject of a publish; empty if it has none.
    @inlinable @inline(__always)
    public var reply: Range<Int> {
        // The pattern, since `==` of an enum would be a call into this module.
        let hasReply = if case .publish = self.kind { self.tokenCount == 3 } else { self.tokenCount == 4 }
        return hasReply ? Range(uncheckedBounds: (self.token1Start, self.token1End)) : Range(uncheckedBounds: (0, 0))
    }

    /// The digits of the total size as the client wrote them.
    @inlinable @inline(__always)
    public var sizeDigits: Range<Int> { self.token(self.tokenCount - 1) }

    /// The digits of the header size as the client wrote them.
    @inlinable @inline(__always)
    public var headerSizeDigits: Range<Int> { self.token(self.tokenCount - 2) }

    /// Where the part of a publish that a delivery repeats unchanged begins: `[reply ]size CRLF payload CRLF`.
    @inlinable @inline(__always)
    public var tailStart: Int { self.token1Start }

    /// The queue group of a subscribe; empty if it has none.
    @inlinable @inline(__always)
    public var queue: Range<Int> { self.tokenCount == 3 ? self.token(1) : Range(uncheckedBounds: (0, 0)) }

    /// The sid of a subscribe or unsubscribe.
    @inlinable @inline(__always)
    public var sid: Range<Int> {
        if case .subscribe = self.kind { self.token(self.tokenCount - 1) } else { self.token(0) }
    }

    /// A token of the argument; empty if there is none at that place.
    @inlinable @inline(__always)
    public func token(_ index: Int) -> Range<Int> {
        switch index {
        case 0: Range(uncheckedBounds: (self.token0Start, self.token0End))
        case 1: Range(uncheckedBounds: (self.token1Start, self.token1End))
        case 2: Range(uncheckedBounds: (self.token2Start, self.token2End))
        case 3: Range(uncheckedBounds: (self.token3Start, self.token3End))
        default: Range(uncheckedBounds: (0, 0))
        }
    }

    @inlinable @inline(__always)
    mutating func append(tokenFrom start: Int, to end: Int) {
        switch self.tokenCount {
        case 0: (self.token0Start, self.token0End) = (start, end)
        case 1: (self.token1Start, self.token1End) = (start, end)
        case 2: (self.token2Start, self.token2End) = (start, end)
        case 3: (self.token3Start, self.token3End) = (start, end)
        default: break
        }
        self.tokenCount += 1
    }
}
