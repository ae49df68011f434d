/// The fields of one control line of a route, as offsets.
///
/// Kept are the first five, which hold all that stands in front of a list of queue groups (`origin account subject +
/// reply`), and the last two, which are the sizes.
@frozen
@usableFromInline
struct RouteLine {
    /// How many fields there are.
    @usableFromInline var count = 0
    @usableFromInline var field0 = RouteOperation.nothing
    @usableFromInline var field1 = RouteOperation.nothing
    @usableFromInline var field2 = RouteOperation.nothing
    @usableFromInline var field3 = RouteOperation.nothing
    @usableFromInline var field4 = RouteOperation.nothing
    /// The last field but one.
    @usableFromInline var previous = RouteOperation.nothing
    @usableFromInline var last = RouteOperation.nothing
    /// Whether single blanks separate the fields and CRLF ends the line.
    @usableFromInline var isCanonical = true
    /// Everything behind the verb and its blanks, without the line end.
    @usableFromInline var argument = RouteOperation.nothing
    /// First byte after the line end.
    @usableFromInline var end = 0

    @inlinable @inline(__always)
    init() {}

    /// One of the first five fields; empty if there is none at that place.
    @inlinable @inline(__always)
    subscript(index: Int) -> Range<Int> {
        switch index {
        case 0: self.field0
        case 1: self.field1
        case 2: self.field2
        case 3: self.field3
        case 4: self.field4
        default: RouteOperation.nothing
        }
    }

    @inlinable @inline(__always)
    mutating func append(_ start: Int, _ end: Int) {
        let field = Range(uncheckedBounds: (start, end))
        switch self.count {
        case 0: self.field0 = field
        case 1: self.field1 = field
        case 2: self.field2 = field
        case 3: self.field3 = field
        case 4: self.field4 = field
        default: break
        }
        self.previous = self.last
        self.last = field
        self.count += 1
    }

    /// Any run of these separates fields (nats-server route.go processRoutedMsgArgs).
    @inlinable @inline(__always)
    static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }

    // MARK: Hot path

    /// Reads the line whose verb, with the one blank behind it, ends at `start`.
    ///
    /// - Returns: whether the line has ended within the bytes.
    @inlinable @inline(__always)
    mutating func read(_ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Bool {
        var index = start
        while index < end, ClientOperationParser.isBlank(bytes[index]) { index += 1 }
        let argumentStart = index
        self.argument = Range(uncheckedBounds: (argumentStart, argumentStart))
        guard index < end else { return false }
        // The first byte after the blanks belongs to the argument whatever it is, even a line end (parser.go
        // OP_MSG_SPC).
        if Self.isSeparator(bytes[index]) {
            self.isCanonical = false
            index += 1
        }
        var fieldStart = index
        var lineEnd = 0
        scan: while true {
            index = ClientOperationParser.nextControlOrBlank(bytes, index, end)
            guard index < end else { return false }
            switch bytes[index] {
            case 0x20:
                if fieldStart < index { self.append(fieldStart, index) } else { self.isCanonical = false }
                index += 1
                fieldStart = index
            case 0x0d:
                guard index + 1 < end else { return false }
                if bytes[index + 1] == 0x0a {
                    lineEnd = index
                    index += 2
                    break scan
                }
                fallthrough
            case 0x09:
                if fieldStart < index { self.append(fieldStart, index) }
                self.isCanonical = false
                index += 1
                fieldStart = index
            case 0x0a:
                self.isCanonical = false
                lineEnd = index
                index += 1
                break scan
            default:
                index += 1
            }
        }
        if fieldStart < lineEnd { self.append(fieldStart, lineEnd) } else { self.isCanonical = false }
        self.argument = Range(uncheckedBounds: (argumentStart, lineEnd))
        self.end = index
        return true
    }
}
