/// One operation that a peer server sent on a route, as offsets into the bytes it was parsed from.
///
/// Offsets count from the base pointer given to ``RouteOperationParser/next(_:from:to:into:)``. Nothing is copied and
/// nothing is reference counted; the value means nothing once those bytes are gone.
///
/// `public` for the same reason as ``ClientOperation``.
@frozen
public struct RouteOperation {
    /// Which operation it is.
    @frozen
    public enum Kind: UInt8 {
        /// `RMSG`.
        case message
        /// `HMSG`.
        case headerMessage
        /// `LMSG`: a message from the leaf nodes of another cluster; always with a header size, which may be 0.
        case originMessage
        /// `RS+`.
        case interest
        /// `RS-`, and `UNSUB`, which a route takes for the same (nats-server parser.go UNSUB_ARG).
        case noInterest
        /// `LS+`: interest of the leaf nodes of another cluster.
        case originInterest
        /// `LS-`.
        case noOriginInterest
        /// `INFO {…}`.
        case info
        /// `CONNECT {…}`.
        case connect
        /// `PING`.
        case ping
        /// `PONG`.
        case pong
        /// `+OK`, to be ignored.
        case ok
        /// `-ERR …`: the peer is about to close the connection.
        case error
        /// `A+` with anything behind it: means something on gateways only, to be ignored.
        case accountInterest
        /// `A-`, the same.
        case noAccountInterest
        /// `SUB` with anything behind it: means nothing on a route, to be ignored.
        case clientSubscribe
        /// `PUB`, well-formed: goes to nobody on a route, as it has no account.
        case clientPublish
        /// `HPUB`, the same.
        case clientHeaderPublish
    }

    /// Which operation it is.
    public var kind: Kind = .ping
    /// The cluster of the leaf nodes that a message or interest comes from; empty for those that name none.
    public var origin = Self.nothing
    /// The account's name; empty on a connection that is dedicated to one account.
    public var account = Self.nothing
    /// The subject of a message or interest.
    public var subject = Self.nothing
    /// The reply subject of a message; empty if it has none.
    public var reply = Self.nothing
    /// The queue groups: of a message those that the sender has chosen the receiver for, of interest the one it is of.
    ///
    /// Without blanks at the ends; walked by ``queueGroups(in:)``.
    public var queues = Self.nothing
    /// How many queue groups there are; no more than the longest control line has room for.
    public var queueCount = 0
    /// How many members the queue group of ``Kind/interest`` or ``Kind/originInterest`` has on the peer.
    ///
    /// 0 to 999,999,999; 0 without a queue group, and for a text that is no such number, which the official server takes
    /// for a group without members (nats-server route.go processRemoteSub).
    public var weight = 0
    /// Size of the header block in bytes.
    public var headerSize = 0
    /// Size of header block and payload in bytes.
    public var size = 0
    /// The digits of the header size as the peer wrote them; empty for ``Kind/message``.
    public var headerSizeDigits = Self.nothing
    /// The digits of the total size as the peer wrote them.
    public var sizeDigits = Self.nothing
    /// Where the part of a message begins that its delivery to a client repeats unchanged behind the sid, up to
    /// ``frameEnd``: `[reply ][header size ]size CRLF payload CRLF`.
    ///
    /// 0 if there is no such part: with odd blanks, with queue groups between reply subject and size, or with a header
    /// size of 0, which no delivery names.
    public var tailStart = 0
    /// The argument of the control line, without leading blanks and the line end.
    public var argument = Self.nothing
    /// First byte after the control line.
    public var payloadStart = 0
    /// First byte after the operation.
    ///
    /// For an incomplete message: where it will end, else 0.
    public var frameEnd = 0

    /// No bytes.
    @inlinable @inline(__always)
    static var nothing: Range<Int> { Range(uncheckedBounds: (0, 0)) }

    /// An operation to parse into.
    @inlinable @inline(__always)
    public init() {}

    /// Whether the operation is one of the three kinds of message.
    @inlinable @inline(__always)
    public var isMessage: Bool {
        switch self.kind {
        case .message, .headerMessage, .originMessage: true
        default: false
        }
    }

    /// The queue groups one after the other.
    ///
    /// - Parameter bytes: What the operation was parsed from.
    /// - Returns: their offsets.
    @inlinable @inline(__always)
    public func queueGroups(in bytes: UnsafePointer<UInt8>) -> RouteQueueGroups {
        RouteQueueGroups(bytes, self.queues)
    }
}

/// The queue groups of a ``RouteOperation``, as offsets; makes nothing but numbers.
@frozen
public struct RouteQueueGroups: Sequence, IteratorProtocol {
    @usableFromInline let bytes: UnsafePointer<UInt8>
    @usableFromInline var position: Int
    @usableFromInline let end: Int

    /// `bytes[list]` must be readable as long as the value is used.
    @inlinable @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, _ list: Range<Int>) {
        self.bytes = bytes
        self.position = list.lowerBound
        self.end = list.upperBound
    }

    /// The next queue group, or nil after the last.
    @inlinable
    public mutating func next() -> Range<Int>? {
        while self.position < self.end, RouteLine.isSeparator(self.bytes[self.position]) { self.position += 1 }
        guard self.position < self.end else { return nil }
        let start = self.position
        while self.position < self.end, !RouteLine.isSeparator(self.bytes[self.position]) { self.position += 1 }
        return Range(uncheckedBounds: (start, self.position))
    }
}
