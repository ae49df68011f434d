/// Parses what a peer server sends on a route, in place.
///
/// Keeps no bytes and works as ``ClientOperationParser`` does: one operation at a time, an error as soon as a byte
/// proves it, sizes checked before the caller could reserve memory for them. The lines that a client could send as well
/// are left to that parser.
///
/// Grammar and tolerances are those of nats-server (parser.go, route.go processRoutedMsgArgs,
/// processRoutedHeaderMsgArgs, processRoutedOriginClusterMsgArgs, processRemoteSub, parseUnsubProto).
@frozen
public struct RouteOperationParser: Sendable {
    /// What was found at a place, and how a route ends by it.
    @frozen
    public enum Outcome: UInt8, Sendable {
        /// A whole operation; the next one starts at `frameEnd`.
        case operation
        /// The operation goes on beyond the bytes given. `frameEnd` is its end if that is known already, else 0.
        case incomplete
        /// As ``incomplete``, but only the bytes up to `payloadStart` matter: the rest up to the line end is ignored.
        case incompleteIgnored
        /// Bytes that no operation begins with, or a payload that does not end where it should: `-ERR 'Unknown Protocol
        /// Operation'`, then the end.
        case unknownOperation
        /// The argument of the control line is longer than the limit: `-ERR 'maximum control line exceeded'`, then the
        /// end.
        case controlLineExceeded
        /// The announced size is above the limit, which an official server does not have on routes: `-ERR 'Maximum
        /// Payload Violation'`, then the end.
        case payloadExceeded
        /// Wrong number of arguments: the end, without a text.
        case badArguments
        /// What should say whether a reply subject stands in front of the queue groups is neither `+` nor `|`; it is
        /// the field behind `subject`. The end, without a text.
        case badReplyIndicator
        /// A size that is not a number of one to nine digits, or a header larger than the whole: the end, without a
        /// text. `headerSize` or `size` is less than 0 if it is no number.
        case badSize
    }

    /// Reads the lines that clients can send as well, and has the limits.
    @usableFromInline var common: ClientOperationParser
    /// Whether messages and interest name their account; not on a connection that is dedicated to one (`route_account`).
    public var hasAccountField: Bool
    /// Whether `LS-` names the origin, which it does if both sides said `lnocu`.
    public var hasOriginInNoInterest: Bool
    /// Whether the other side is a leaf node, or the hub of one: `LS+`, `LS-` and `LMSG` are what `RS+`, `RS-` and `RMSG`
    /// are on routes, and no account is named.
    public let isLeafNode: Bool

    /// Largest argument of a control line, in bytes; an official server allows 16 times what clients may send.
    public var maxControlLine: Int {
        get { self.common.maxControlLine }
        set { self.common.maxControlLine = newValue }
    }

    /// Largest header block plus payload, in bytes.
    public var maxPayload: Int {
        get { self.common.maxPayload }
        set { self.common.maxPayload = newValue }
    }

    /// A parser for one connection.
    ///
    /// - Parameters:
    ///   - maxControlLine: Largest argument of a control line, in bytes.
    ///   - maxPayload: Largest header block plus payload, in bytes; more than clients may send, since each server of a
    ///     cluster has its own limit.
    ///   - hasAccountField: Whether messages and interest name their account.
    ///   - hasOriginInNoInterest: Whether `LS-` names the origin.
    ///   - isLeafNode: Whether the other side is a leaf node, or the hub of one.
    public init(
        maxControlLine: Int = 65_536,
        maxPayload: Int,
        hasAccountField: Bool = true,
        hasOriginInNoInterest: Bool = false,
        isLeafNode: Bool = false
    ) {
        self.common = ClientOperationParser(
            maxControlLine: maxControlLine,
            maxPayload: maxPayload,
            headersEnabled: true
        )
        self.hasAccountField = hasAccountField && !isLeafNode
        self.hasOriginInNoInterest = hasOriginInNoInterest
        self.isLeafNode = isLeafNode
    }

    // MARK: Hot path

    /// Parses the operation that starts at `start`.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; `bytes[start..<end]` must be readable.
    ///   - start: Offset of the first byte of the operation, 0 or more.
    ///   - end: Offset behind the last byte that has arrived.
    ///   - operation: Receives the result; its former content does not matter.
    /// - Returns: what was found; only with `operation` has `operation` a meaning as a whole.
    @inlinable @inline(__always)
    public func next(
        _ bytes: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: inout RouteOperation
    ) -> Outcome {
        if end - start >= 5, ClientOperationParser.isBlank(bytes[start + 4]) {
            // One load recognises the verb of nearly every operation; OR 0x20 folds the case, and since only the two
            // cases of a letter map to it, the comparison is exact.
            let word = UnsafeRawPointer(bytes + start).loadUnaligned(as: UInt32.self).littleEndian | 0x2020_2020
            if word == 0x6773_6d72 {  // "rmsg"
                return self.parseMessage(bytes, start, end, .message, &operation)
            }
            if word == 0x6773_6d68 {  // "hmsg"
                return self.parseMessage(bytes, start, end, .headerMessage, &operation)
            }
            if word == 0x6773_6d6c, self.isLeafNode {  // "lmsg"
                return self.parseMessage(bytes, start, end, .message, &operation)
            }
        }
        return self.parseOther(bytes, start, end, &operation)
    }

    /// Parses a message whose verb of four letters, and the blank behind it, is there.
    @inlinable
    func parseMessage(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ kind: RouteOperation.Kind,
        _ operation: inout RouteOperation
    ) -> Outcome {
        var line = RouteLine()
        operation.kind = kind
        operation.frameEnd = 0
        guard line.read(bytes, from: start + 5, to: end) else { return self.incompleteLine(bytes, start, end, line) }
        operation.argument = line.argument
        guard line.argument.count <= self.common.maxControlLine else { return .controlLineExceeded }

        // Patterns, since `==` of an enum would be a call into this module.
        let hasHeaderSize = if case .message = kind { false } else { true }
        let subjectIndex = self.readSubject(line, kind, &operation)
        // What stands between the subject and the sizes.
        let count = line.count - subjectIndex - (hasHeaderSize ? 3 : 2)
        guard count >= 0 else { return .badArguments }
        operation.reply = RouteOperation.nothing
        operation.queues = RouteOperation.nothing
        operation.queueCount = 0
        operation.sizeDigits = line.last
        operation.headerSizeDigits = hasHeaderSize ? line.previous : RouteOperation.nothing
        if count == 1 {
            operation.reply = line[subjectIndex + 1]
        } else if count > 1 {
            guard self.readQueues(bytes, line, subjectIndex, count, &operation) else { return .badReplyIndicator }
        }

        operation.headerSize = hasHeaderSize ? ClientOperationParser.parseSize(bytes, line.previous) : 0
        operation.size = ClientOperationParser.parseSize(bytes, line.last)
        guard operation.headerSize >= 0, operation.size >= operation.headerSize else { return .badSize }
        operation.tailStart = line.isCanonical ? Self.tailStart(operation) : 0
        operation.payloadStart = line.end
        guard operation.size <= self.common.maxPayload else { return .payloadExceeded }
        let payloadEnd = line.end + operation.size
        operation.frameEnd = payloadEnd + 2
        if end >= payloadEnd + 2 {
            guard bytes[payloadEnd] == 0x0d, bytes[payloadEnd + 1] == 0x0a else { return .unknownOperation }
            return .operation
        }
        if end > payloadEnd, bytes[payloadEnd] != 0x0d { return .unknownOperation }
        return .incomplete
    }

    /// Sets origin, account and subject; returns the index of the subject's field.
    @inlinable @inline(__always)
    func readSubject(_ line: RouteLine, _ kind: RouteOperation.Kind, _ operation: inout RouteOperation) -> Int {
        let hasOrigin =
            switch kind {
            case .originMessage, .originInterest: true
            case .noOriginInterest: self.hasOriginInNoInterest
            default: false
            }
        let accountIndex = hasOrigin ? 1 : 0
        let subjectIndex = self.hasAccountField ? accountIndex + 1 : accountIndex
        operation.origin = hasOrigin ? line.field0 : RouteOperation.nothing
        operation.account = self.hasAccountField ? line[accountIndex] : RouteOperation.nothing
        operation.subject = line[subjectIndex]
        return subjectIndex
    }

    /// Where the tail of a message with a canonical line starts.
    @inlinable @inline(__always)
    static func tailStart(_ operation: RouteOperation) -> Int {
        let namesHeader = !operation.headerSizeDigits.isEmpty
        if operation.reply.isEmpty {
            let sizes = operation.headerSize > 0 ? operation.headerSizeDigits : operation.sizeDigits
            return sizes.lowerBound
        }
        let isWhole = operation.queueCount == 0 && (operation.headerSize > 0 || !namesHeader)
        return isWhole ? operation.reply.lowerBound : 0
    }

    // MARK: Everything that is not on the way of most messages

    /// Sets reply subject and queue groups of the forms `| group…` and `+ reply group…`.
    ///
    /// - Returns: whether it is one of them.
    @usableFromInline
    func readQueues(
        _ bytes: UnsafePointer<UInt8>,
        _ line: RouteLine,
        _ subjectIndex: Int,
        _ count: Int,
        _ operation: inout RouteOperation
    ) -> Bool {
        let indicator = line[subjectIndex + 1]
        guard indicator.count == 1 else { return false }
        var start = indicator.upperBound
        switch bytes[indicator.lowerBound] {
        case UInt8(ascii: "+"):
            operation.reply = line[subjectIndex + 2]
            operation.queueCount = count - 2
            start = operation.reply.upperBound
        case UInt8(ascii: "|"):
            operation.queueCount = count - 1
        default:
            return false
        }
        // Separators surround the list; in it there is at least one byte, if there is a list.
        guard operation.queueCount > 0 else { return true }
        let sizes = operation.headerSizeDigits.isEmpty ? operation.sizeDigits : operation.headerSizeDigits
        var end = sizes.lowerBound
        while start < end, RouteLine.isSeparator(bytes[start]) { start += 1 }
        while start < end, RouteLine.isSeparator(bytes[end - 1]) { end -= 1 }
        operation.queues = Range(uncheckedBounds: (start, end))
        return true
    }

    /// The line has not ended yet: refused once it is beyond the limit.
    @usableFromInline
    func incompleteLine(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ line: RouteLine) -> Outcome {
        let outcome = self.common.incompleteLine(bytes, start, line.argument.lowerBound, end)
        if case .controlLineExceeded = outcome { return .controlLineExceeded }
        return .incomplete
    }
}
