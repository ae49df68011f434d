/// Finds the operations that a server sends (`INFO MSG HMSG PING PONG +OK -ERR`) in the bytes of one read.
///
/// Works in place and keeps no state: an operation cut off by the end of the bytes is reported as incomplete, together
/// with what is known of its length, and the caller asks again when it has more. No byte sequence traps; whatever is not
/// the protocol yields ``Step/invalid(_:)``.
@usableFromInline
package enum ServerOperationParser {
    /// Longest control line accepted, CRLF included.
    ///
    /// `INFO` of a large cluster is the longest legitimate one.
    package static let maximumLineLength = 1 << 20

    /// Longest headers plus payload accepted.
    ///
    /// A nats-server refuses `max_payload` above 64 MiB; it may add headers.
    @inlinable package static var maximumBodyLength: Int { 65 << 20 }

    /// Why bytes are not the protocol.
    @usableFromInline
    package enum Failure: Sendable, Equatable {
        case unknownOperation
        case malformedMessage
        case messageTooLong
        case missingLineEnd
    }

    /// One finding; ranges are offsets into the bytes given.
    @usableFromInline
    package enum Step: Sendable, Equatable {
        case message(MessageFrame, sid: UInt64)
        /// The JSON text.
        case info(start: Int, end: Int)
        case ping
        case pong
        case ok
        /// The text of `-ERR`, with its quotes.
        case error(start: Int, end: Int)
        /// The operation needs `length` bytes in all, or a line end not seen yet when `length` is 0.
        case incomplete(length: Int)
        case invalid(Failure)
    }

    // MARK: Hot path

    /// Reads the operation that starts at `position` and moves `position` behind it unless it is incomplete or invalid.
    @inlinable
    @inline(__always)
    package static func next(in bytes: UnsafeRawBufferPointer, at position: inout Int) -> Step {
        guard let base = bytes.baseAddress, position >= 0, position < bytes.count else {
            return .incomplete(length: 0)
        }
        let available = bytes.count
        if available &- position >= 5 {
            // Every read below is guarded by `available`; offsets only grow.
            let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            let verb = word | 0x2020_2020
            if verb & 0x00FF_FFFF == 0x0067_736D, Self.isBlank(UInt8(truncatingIfNeeded: word &>> 24)) {  // "msg"
                if let step = Self.parsePlainMessage(base, available, from: &position, arguments: position &+ 4) {
                    return step
                }
                return Self.parseAnyMessage(
                    base,
                    available,
                    from: &position,
                    arguments: position &+ 4,
                    hasHeaders: false
                )
            }
            if verb == 0x6773_6D68, Self.isBlank(base.load(fromByteOffset: position &+ 4, as: UInt8.self)) {  // "hmsg"
                return Self.parseAnyMessage(
                    base,
                    available,
                    from: &position,
                    arguments: position &+ 5,
                    hasHeaders: true
                )
            }
        }
        return Self.parseOther(bytes, at: &position)
    }

    @inlinable
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// The first byte at or behind `position` that ends a token, or nil if the bytes end before.
    @inlinable
    @inline(__always)
    static func tokenEnd(_ base: UnsafeRawPointer, _ available: Int, _ position: Int) -> Int? {
        var position = position
        while true {
            // Eight bytes at a time: find one below 0x21, which nearly always is the separator itself.
            while position &+ 8 <= available {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let below = (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
                if below != 0 {
                    position = position &+ below.trailingZeroBitCount &>> 3
                    break
                }
                position = position &+ 8
            }
            while position < available {
                let byte = base.load(fromByteOffset: position, as: UInt8.self)
                if byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A {
                    return position
                }
                position = position &+ 1
                if byte < 0x21 {
                    break  // another control byte belongs to the token; look on in words
                }
            }
            if position >= available {
                return nil
            }
        }
    }

    @inlinable
    @inline(__always)
    static func skipBlanks(_ base: UnsafeRawPointer, _ available: Int, _ position: inout Int) {
        while position < available, Self.isBlank(base.load(fromByteOffset: position, as: UInt8.self)) {
            position = position &+ 1
        }
    }

    /// One to nine digits (client-protocol grammar), or -1.
    @inlinable
    @inline(__always)
    static func size(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        guard end > start, end &- start <= 9 else {
            return -1
        }
        var value = 0
        var position = start
        while position < end {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0")
            if digit > 9 {
                return -1
            }
            value = value &* 10 &+ Int(digit)
            position = position &+ 1
        }
        return value
    }

    /// Our own sids are decimal numbers from 1; any other text reads as 0, which no subscription has.
    @inlinable
    @inline(__always)
    static func sid(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> UInt64 {
        guard end &- start <= 19 else {
            return 0
        }
        var value: UInt64 = 0
        var position = start
        while position < end {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0")
            if digit > 9 {
                return 0
            }
            value = value &* 10 &+ UInt64(digit)
            position = position &+ 1
        }
        return value
    }

    /// The form that servers send nearly always: `subject sid size` with single blanks, whole and with its payload.
    ///
    /// Nil for every other form, which ``parseAnyMessage(_:_:from:arguments:hasHeaders:)`` then takes from the start.
    @inlinable
    @inline(__always)
    static func parsePlainMessage(
        _ base: UnsafeRawPointer,
        _ available: Int,
        from frameStart: inout Int,
        arguments: Int
    ) -> Step? {
        guard let subjectEnd = Self.tokenEnd(base, available, arguments),
            // Room for a blank, 10 digits, a blank, 9 digits and the line end: no further checks below.
            available &- subjectEnd >= 24, subjectEnd > arguments,
            base.load(fromByteOffset: subjectEnd, as: UInt8.self) == 0x20
        else {
            return nil
        }
        var position = subjectEnd &+ 1
        var sid: UInt64 = 0
        let sidLimit = position &+ 10
        while position < sidLimit {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0")
            if digit > 9 {
                break
            }
            sid = sid &* 10 &+ UInt64(digit)
            position = position &+ 1
        }
        guard position > subjectEnd &+ 1, base.load(fromByteOffset: position, as: UInt8.self) == 0x20 else {
            return nil
        }
        position = position &+ 1
        let sizeStart = position
        var size = 0
        let sizeLimit = position &+ 9
        while position < sizeLimit {
            let digit = base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0")
            if digit > 9 {
                break
            }
            size = size &* 10 &+ Int(digit)
            position = position &+ 1
        }
        guard position > sizeStart,
            UInt16(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt16.self)) == 0x0A0D
        else {
            return nil
        }
        let bodyStart = position &+ 2
        let bodyEnd = bodyStart &+ size
        guard bodyEnd &+ 2 <= available,
            UInt16(littleEndian: base.loadUnaligned(fromByteOffset: bodyEnd, as: UInt16.self)) == 0x0A0D,
            size <= Self.maximumBodyLength
        else {
            return nil
        }
        frameStart = bodyEnd &+ 2
        return .message(
            MessageFrame(
                subjectStart: UInt32(truncatingIfNeeded: arguments),
                subjectEnd: UInt32(truncatingIfNeeded: subjectEnd),
                replyStart: 0,
                replyEnd: 0,
                bodyStart: UInt32(truncatingIfNeeded: bodyStart),
                payloadStart: UInt32(truncatingIfNeeded: bodyStart),
                payloadEnd: UInt32(truncatingIfNeeded: bodyEnd)
            ),
            sid: sid
        )
    }

    @usableFromInline
    @inline(never)
    static func parseAnyMessage(
        _ base: UnsafeRawPointer,
        _ available: Int,
        from frameStart: inout Int,
        arguments: Int,
        hasHeaders: Bool
    ) -> Step {
        var position = arguments
        Self.skipBlanks(base, available, &position)
        let subjectStart = position
        guard let subjectEnd = Self.tokenEnd(base, available, position) else {
            return .incomplete(length: 0)
        }
        position = subjectEnd
        Self.skipBlanks(base, available, &position)
        let sidStart = position
        guard let sidEnd = Self.tokenEnd(base, available, position) else {
            return .incomplete(length: 0)
        }
        position = sidEnd
        Self.skipBlanks(base, available, &position)

        // Up to three tokens are left: [reply] [header size] total size. Keep the last two and the one before them.
        var count = 0
        var firstStart = 0
        var firstEnd = 0
        var previousStart = 0
        var previousEnd = 0
        var lastStart = 0
        var lastEnd = 0
        while true {
            guard position < available else {
                return .incomplete(length: 0)
            }
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            if byte == 0x0D {
                guard position &+ 1 < available else {
                    return .incomplete(length: 0)
                }
                guard base.load(fromByteOffset: position &+ 1, as: UInt8.self) == 0x0A else {
                    return .invalid(.malformedMessage)
                }
                position = position &+ 2
                break
            }
            if byte == 0x0A {
                position = position &+ 1
                break
            }
            guard count < 3 else {
                return .invalid(.malformedMessage)
            }
            guard let end = Self.tokenEnd(base, available, position) else {
                return .incomplete(length: 0)
            }
            count = count &+ 1
            firstStart = previousStart
            firstEnd = previousEnd
            previousStart = lastStart
            previousEnd = lastEnd
            lastStart = position
            lastEnd = end
            position = end
            Self.skipBlanks(base, available, &position)
        }

        let total = Self.size(base, lastStart, lastEnd)
        var headerLength = 0
        var replyStart = previousStart
        var replyEnd = previousEnd
        if hasHeaders {
            headerLength = Self.size(base, previousStart, previousEnd)
            replyStart = firstStart
            replyEnd = firstEnd
        }
        guard subjectEnd > subjectStart, sidEnd > sidStart, count >= (hasHeaders ? 2 : 1),
            count <= (hasHeaders ? 3 : 2),
            total >= 0, headerLength >= 0, headerLength <= total
        else {
            return .invalid(.malformedMessage)
        }
        guard total <= Self.maximumBodyLength else {
            return .invalid(.messageTooLong)
        }
        let bodyEnd = position &+ total
        guard bodyEnd &+ 2 <= available else {
            return .incomplete(length: bodyEnd &+ 2 &- frameStart)
        }
        guard UInt16(littleEndian: base.loadUnaligned(fromByteOffset: bodyEnd, as: UInt16.self)) == 0x0A0D else {
            return .invalid(.missingLineEnd)
        }
        frameStart = bodyEnd &+ 2
        return .message(
            MessageFrame(
                subjectStart: UInt32(truncatingIfNeeded: subjectStart),
                subjectEnd: UInt32(truncatingIfNeeded: subjectEnd),
                replyStart: UInt32(truncatingIfNeeded: replyStart),
                replyEnd: UInt32(truncatingIfNeeded: replyEnd),
                bodyStart: UInt32(truncatingIfNeeded: position),
                payloadStart: UInt32(truncatingIfNeeded: position &+ headerLength),
                payloadEnd: UInt32(truncatingIfNeeded: bodyEnd)
            ),
            sid: Self.sid(base, sidStart, sidEnd)
        )
    }

    // MARK: Everything else

    @usableFromInline
    @inline(never)
    static func parseOther(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> Step {
        let rest = bytes[position...]
        guard let lineFeed = rest.firstIndex(of: 0x0A) else {
            return Self.couldBecomeOperation(rest) ? .incomplete(length: 0) : .invalid(.unknownOperation)
        }
        var end = lineFeed
        if end > position, bytes[end - 1] == 0x0D {
            end -= 1
        }
        let line = bytes[position..<end]
        let step: Step
        // nats.go parser.go: whatever follows PING, PONG and +OK on the line is ignored.
        if Self.hasVerb("PING", line) {
            step = .ping
        } else if Self.hasVerb("PONG", line) {
            step = .pong
        } else if Self.hasVerb("+OK", line) {
            step = .ok
        } else if let argument = Self.argument(of: "INFO", line) {
            step = .info(start: argument.lowerBound, end: argument.upperBound)
        } else if let argument = Self.argument(of: "-ERR", line) {
            step = .error(start: argument.lowerBound, end: argument.upperBound)
        } else if Self.argument(of: "MSG", line) != nil || Self.argument(of: "HMSG", line) != nil {
            return .invalid(.malformedMessage)
        } else {
            return .invalid(.unknownOperation)
        }
        position = lineFeed + 1
        return step
    }

    private static func hasVerb(_ verb: StaticString, _ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard line.count >= verb.utf8CodeUnitCount else {
            return false
        }
        for index in 0..<verb.utf8CodeUnitCount where upper(line[line.startIndex + index]) != verb.utf8Start[index] {
            return false
        }
        return true
    }

    /// The text behind the verb and its separator, without the blanks around it; nil if the line has another verb.
    private static func argument(of verb: StaticString, _ line: Slice<UnsafeRawBufferPointer>) -> Range<Int>? {
        var start = line.startIndex + verb.utf8CodeUnitCount
        guard Self.hasVerb(verb, line), start == line.endIndex || Self.isBlank(line[start]) else {
            return nil
        }
        var end = line.endIndex
        while start < end, Self.isBlank(line[start]) {
            start += 1
        }
        while end > start, Self.isBlank(line[end - 1]) {
            end -= 1
        }
        return start..<end
    }

    /// Whether bytes without a line end can still grow into an operation, so that garbage is refused at once.
    private static func couldBecomeOperation(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let verbs: [StaticString] = ["MSG", "HMSG", "PING", "PONG", "+OK", "-ERR", "INFO"]
        return verbs.contains { verb in
            let length = min(bytes.count, verb.utf8CodeUnitCount)
            return (0..<length).allSatisfy { upper(bytes[bytes.startIndex + $0]) == verb.utf8Start[$0] }
        }
    }
}

private func upper(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
}
