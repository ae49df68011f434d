/// Parses what clients send to a server, in place.
///
/// The parser keeps no bytes. ``next(_:from:to:into:)`` looks at one operation; if it is cut by the end of the bytes,
/// the caller keeps what is left and calls again with more. An error is reported as soon as a byte proves it, never
/// later, and a size is checked against the limits before the caller could be tempted to reserve memory for it.
///
/// Grammar and tolerances are those of nats-server (parser.go, client.go processPub, processHeaderPub, splitArg).
@frozen
public struct ClientOperationParser: Sendable {
    /// What was found at a place.
    @frozen
    public enum Outcome: UInt8, Sendable {
        /// A whole operation; the next one starts at `frameEnd`.
        case operation
        /// The operation goes on beyond the bytes given. `frameEnd` is its end if that is known already, else 0.
        case incomplete
        /// As ``incomplete``, but only the bytes up to `payloadStart` matter: the rest up to the line end is ignored.
        case incompleteIgnored
        /// Bytes that no operation begins with, or a payload that does not end where it should.
        case unknownOperation
        /// The argument of the control line is longer than the limit.
        case controlLineExceeded
        /// The announced size is above the limit.
        case payloadExceeded
        /// Wrong number of arguments.
        case badArguments
        /// A size that is not a number of one to nine digits, or a header larger than the whole.
        case badSize
        /// A publish with headers from a client that did not ask for them.
        case headersNotSupported
    }

    /// Largest argument of a control line, in bytes.
    public var maxControlLine: Int
    /// Largest header block plus payload, in bytes.
    public var maxPayload: Int
    /// Whether both sides agreed on headers.
    public var headersEnabled: Bool

    /// A parser with the limits of one connection.
    public init(maxControlLine: Int, maxPayload: Int, headersEnabled: Bool = false) {
        self.maxControlLine = maxControlLine
        self.maxPayload = maxPayload
        self.headersEnabled = headersEnabled
    }

    // MARK: Hot path

    /// Parses the operation that starts at `start`.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; `bytes[start..<end]` must be readable.
    ///   - start: Offset of the first byte of the operation.
    ///   - end: Offset behind the last byte that has arrived.
    ///   - operation: Receives the result; its former content does not matter.
    /// - Returns: what was found; only with `operation` has `operation` a meaning as a whole.
    @inlinable @inline(__always)
    public func next(
        _ bytes: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: inout ClientOperation
    ) -> Outcome {
        if end - start >= 5 {
            // One load recognises the verb of nearly every operation; OR 0x20 folds the case, and since only the two
            // cases of a letter map to it, the comparison is exact.
            let word = UnsafeRawPointer(bytes + start).loadUnaligned(as: UInt32.self).littleEndian | 0x2020_2020
            if word & 0x00ff_ffff == 0x0062_7570, Self.isBlank(bytes[start + 3]) {  // "pub"
                return self.parsePublish(bytes, from: start + 4, to: end, hasHeaders: false, into: &operation)
            }
            if word == 0x6275_7068, Self.isBlank(bytes[start + 4]) {  // "hpub"
                return self.parsePublish(bytes, from: start + 5, to: end, hasHeaders: true, into: &operation)
            }
        }
        return self.parseOther(bytes, from: start, to: end, into: &operation)
    }

    @inlinable @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// The first byte at or after `index` that is not above 0x20, or `end`.
    @inlinable @inline(__always)
    static func nextControlOrBlank(_ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
        var index = index
        while end - index >= 8 {
            let word = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self).littleEndian
            // The lowest set bit marks the first byte below 0x21.
            let marks = (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
            if marks != 0 { return index + marks.trailingZeroBitCount &>> 3 }
            index += 8
        }
        while index < end, bytes[index] > 0x20 { index += 1 }
        return index
    }

    @inlinable
    func parsePublish(
        _ bytes: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        hasHeaders: Bool,
        into operation: inout ClientOperation
    ) -> Outcome {
        operation.kind = hasHeaders ? .headerPublish : .publish
        operation.tokenCount = 0
        operation.frameEnd = 0
        var canonical = true
        var index = start
        while index < end, Self.isBlank(bytes[index]) { index += 1 }
        let argumentStart = index
        operation.argumentStart = argumentStart
        var tokenStart = index
        // The first byte after the blanks belongs to the argument whatever it is, even a line end (parser.go OP_PUB_SPC).
        index += 1
        var lineEnd = 0
        scan: while true {
            index = Self.nextControlOrBlank(bytes, index, end)
            guard index < end else { return self.incompleteLine(bytes, start, argumentStart, end) }
            switch bytes[index] {
            case 0x20, 0x09:
                operation.append(tokenFrom: tokenStart, to: index)
                if bytes[index] != 0x20 { canonical = false }
                index += 1
                if index < end, Self.isBlank(bytes[index]) {
                    canonical = false
                    while index < end, Self.isBlank(bytes[index]) { index += 1 }
                }
                tokenStart = index
            case 0x0a:
                canonical = false
                lineEnd = index
                index += 1
                break scan
            case 0x0d:
                guard index + 1 < end else { return self.incompleteLine(bytes, start, argumentStart, end) }
                if bytes[index + 1] == 0x0a {
                    lineEnd = index
                    index += 2
                    break scan
                }
                index += 1
            default:
                index += 1
            }
        }
        if tokenStart < lineEnd {
            operation.append(tokenFrom: tokenStart, to: lineEnd)
        } else {
            canonical = false
        }
        operation.argumentEnd = lineEnd
        guard lineEnd - argumentStart <= self.maxControlLine else { return .controlLineExceeded }
        if hasHeaders {
            guard self.headersEnabled else { return .headersNotSupported }
            guard operation.tokenCount == 3 || operation.tokenCount == 4 else { return .badArguments }
            operation.headerSize = Self.parseSize(bytes, operation.headerSizeDigits)
            guard operation.headerSize >= 0 else { return .badSize }
        } else {
            guard operation.tokenCount == 2 || operation.tokenCount == 3 else { return .badArguments }
            operation.headerSize = 0
        }
        let size = Self.parseSize(bytes, operation.sizeDigits)
        guard size >= operation.headerSize else { return .badSize }
        operation.size = size
        operation.isCanonical = canonical
        operation.payloadStart = index
        guard size <= self.maxPayload else { return .payloadExceeded }
        let payloadEnd = index + size
        operation.frameEnd = payloadEnd + 2
        if end >= payloadEnd + 2 {
            guard bytes[payloadEnd] == 0x0d, bytes[payloadEnd + 1] == 0x0a else { return .unknownOperation }
            return .operation
        }
        if end > payloadEnd, bytes[payloadEnd] != 0x0d { return .unknownOperation }
        return .incomplete
    }

    /// Reads one to nine decimal digits (nats-server util.go parseSize).
    ///
    /// - Returns: the number, or -1 if the bytes are anything else.
    @inlinable @inline(__always)
    static func parseSize(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int {
        guard range.count >= 1, range.count <= 9 else { return -1 }
        var value = 0
        for index in range {
            let digit = Int(bytes[index]) - 0x30
            guard digit >= 0, digit <= 9 else { return -1 }
            value = value &* 10 &+ digit
        }
        return value
    }

    /// The line has not ended yet: refused once it is beyond the limit.
    ///
    /// nats-server ignores leading blanks for ever; here they only get as much room as the argument itself.
    @usableFromInline
    func incompleteLine(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ argumentStart: Int, _ end: Int) -> Outcome {
        // A CR at the end may belong to the line end.
        let cr = end > argumentStart && bytes[end - 1] == 0x0d ? 1 : 0
        let isTooLong = end - cr - argumentStart > self.maxControlLine || end - start > 2 * self.maxControlLine + 1
        return isTooLong ? .controlLineExceeded : .incomplete
    }

    // MARK: Everything but publishes

    private static let verbs: [(name: StaticString, kind: ClientOperation.Kind)] = [
        ("sub", .subscribe), ("unsub", .unsubscribe), ("ping", .ping), ("pong", .pong), ("connect", .connect),
        ("+ok", .ok), ("info", .info), ("-err", .error), ("pub", .publish), ("hpub", .headerPublish),
    ]

    @usableFromInline
    func parseOther(
        _ bytes: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: inout ClientOperation
    ) -> Outcome {
        operation.tokenCount = 0
        operation.frameEnd = 0
        let kind: ClientOperation.Kind
        let length: Int
        switch VerbMatch.find(bytes + start, end - start, in: Self.verbs) {
        case .verb(let found, let count): (kind, length) = (found, count)
        case .beginning: return .incomplete
        case .none: return .unknownOperation
        }
        operation.kind = kind
        let afterVerb = start + length
        switch kind {
        case .ping, .pong, .ok:
            // Whatever stands between the verb and the line end is ignored.
            operation.payloadStart = afterVerb
            guard let lineFeed = Self.lineFeed(bytes, from: afterVerb, to: end) else { return .incompleteIgnored }
            operation.frameEnd = lineFeed + 1
            return .operation
        case .subscribe, .unsubscribe, .error:
            guard afterVerb < end else { return .incomplete }
            guard Self.isBlank(bytes[afterVerb]) else { return .unknownOperation }
        case .publish, .headerPublish:
            // Complete verbs with a blank were handled by `next`, unless fewer than five bytes are there.
            guard afterVerb < end else { return .incomplete }
            guard Self.isBlank(bytes[afterVerb]) else { return .unknownOperation }
            return .incomplete
        case .connect, .info:
            break
        }
        return self.parseLine(bytes, from: afterVerb, to: end, into: &operation)
    }

    private func parseLine(
        _ bytes: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        into operation: inout ClientOperation
    ) -> Outcome {
        var index = start
        while index < end, Self.isBlank(bytes[index]) { index += 1 }
        let argumentStart = index
        guard let lineFeed = Self.lineFeed(bytes, from: index + 1, to: end) else {
            return self.incompleteLine(bytes, start, argumentStart, end)
        }
        var lineEnd = lineFeed
        if lineEnd - 1 > argumentStart, bytes[lineEnd - 1] == 0x0d { lineEnd -= 1 }
        operation.argumentStart = argumentStart
        operation.argumentEnd = lineEnd
        operation.payloadStart = lineFeed + 1
        operation.frameEnd = lineFeed + 1
        guard lineEnd - argumentStart <= self.maxControlLine else { return .controlLineExceeded }
        switch operation.kind {
        case .subscribe:
            self.split(bytes, into: &operation)
            return operation.tokenCount == 2 || operation.tokenCount == 3 ? .operation : .badArguments
        case .unsubscribe:
            self.split(bytes, into: &operation)
            return operation.tokenCount == 1 || operation.tokenCount == 2 ? .operation : .badArguments
        default:
            return .operation
        }
    }

    /// The arguments of SUB and UNSUB are separated by any run of SP, TAB, CR and LF (client.go splitArg).
    private func split(_ bytes: UnsafePointer<UInt8>, into operation: inout ClientOperation) {
        var tokenStart = -1
        for index in operation.argumentStart..<operation.argumentEnd {
            let byte = bytes[index]
            if byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a {
                if tokenStart >= 0 { operation.append(tokenFrom: tokenStart, to: index) }
                tokenStart = -1
            } else if tokenStart < 0 {
                tokenStart = index
            }
        }
        if tokenStart >= 0 { operation.append(tokenFrom: tokenStart, to: operation.argumentEnd) }
    }

    /// The `max` of an UNSUB; 0 or less removes at once.
    public static func unsubscribeMax(_ bytes: UnsafePointer<UInt8>, _ operation: ClientOperation) -> Int {
        operation.tokenCount == 2 ? self.parseSize(bytes, operation.token(1)) : -1
    }

    private static func lineFeed(_ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == 0x0a { return index }
            index += 1
        }
        return nil
    }
}
