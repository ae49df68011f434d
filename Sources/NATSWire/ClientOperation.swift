/// One operation that a client sent, as offsets into the bytes it was parsed from.
///
/// Offsets count from the base pointer given to ``ClientOperationParser/next(_:from:to:into:)``. Nothing is copied and
/// nothing is reference counted; the value means nothing once those bytes are gone.
package struct ClientOperation {
    package enum Kind: UInt8 {
        case publish
        case headerPublish
        case subscribe
        case unsubscribe
        case connect
        case ping
        case pong
        /// `+OK`, which a server ignores.
        case ok
        /// `INFO {…}`, which a server only checks.
        case info
        /// `-ERR …`, which makes a server close the connection.
        case error
    }

    package var kind: Kind = .ping
    /// Whether the control line is spelled with single blanks and CRLF, so that everything from ``tailStart`` on can be
    /// forwarded unchanged.
    package var isCanonical = false
    /// How many tokens the argument has; only the first four are kept.
    package var tokenCount = 0
    @usableFromInline package var token0Start = 0
    @usableFromInline package var token0End = 0
    @usableFromInline package var token1Start = 0
    @usableFromInline package var token1End = 0
    @usableFromInline package var token2Start = 0
    @usableFromInline package var token2End = 0
    @usableFromInline package var token3Start = 0
    @usableFromInline package var token3End = 0
    /// The argument of the control line, without leading blanks and the line end.
    package var argumentStart = 0
    package var argumentEnd = 0
    /// Size of the header block in bytes, for ``Kind/headerPublish``.
    package var headerSize = 0
    /// Size of header block and payload in bytes, for the two publish kinds.
    package var size = 0
    /// First byte after the control line.
    package var payloadStart = 0
    /// First byte after the operation. For an incomplete publish: where it will end, else 0.
    package var frameEnd = 0

    @inlinable
    package init() {}

    @inlinable
    package var subject: Range<Int> { Range(uncheckedBounds: (self.token0Start, self.token0End)) }

    /// The reply subject of a publish; empty if it has none.
    @inlinable
    package var reply: Range<Int> {
        let hasReply = self.kind == .publish ? self.tokenCount == 3 : self.tokenCount == 4
        return hasReply ? Range(uncheckedBounds: (self.token1Start, self.token1End)) : Range(uncheckedBounds: (0, 0))
    }

    /// The digits of the total size as the client wrote them.
    @inlinable
    package var sizeDigits: Range<Int> { self.token(self.tokenCount - 1) }

    /// The digits of the header size as the client wrote them.
    @inlinable
    package var headerSizeDigits: Range<Int> { self.token(self.tokenCount - 2) }

    /// Where the part of a publish that a delivery repeats unchanged begins: `[reply ]size CRLF payload CRLF`.
    @inlinable
    package var tailStart: Int { self.token1Start }

    /// The queue group of a subscribe; empty if it has none.
    @inlinable
    package var queue: Range<Int> { self.tokenCount == 3 ? self.token(1) : Range(uncheckedBounds: (0, 0)) }

    /// The sid of a subscribe or unsubscribe.
    @inlinable
    package var sid: Range<Int> {
        self.kind == .subscribe ? self.token(self.tokenCount - 1) : self.token(0)
    }

    /// A token of the argument; empty if there is none at that place.
    @inlinable
    package func token(_ index: Int) -> Range<Int> {
        switch index {
        case 0: Range(uncheckedBounds: (self.token0Start, self.token0End))
        case 1: Range(uncheckedBounds: (self.token1Start, self.token1End))
        case 2: Range(uncheckedBounds: (self.token2Start, self.token2End))
        case 3: Range(uncheckedBounds: (self.token3Start, self.token3End))
        default: Range(uncheckedBounds: (0, 0))
        }
    }

    @inlinable
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
