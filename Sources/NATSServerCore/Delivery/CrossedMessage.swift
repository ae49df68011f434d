internal import NATSWire

/// A message on its way from one account to another; a copy, since subject, reply subject and headers change.
struct CrossedMessage {
    var subject: [UInt8]
    var reply: [UInt8]
    /// Headers, whole with "NATS/1.0" and the empty line; empty if there are none.
    private(set) var header: [UInt8]
    private var payload: [UInt8]

    private static let version = Array("NATS/1.0\r\n".utf8)
    private static let lineEnd = Array("\r\n".utf8)

    /// What a client has published; `nil` if that is not whole.
    init?(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        guard operation.headerSize >= 0, operation.size >= operation.headerSize else { return nil }
        func bytes(_ start: Int, _ count: Int) -> [UInt8] {
            Array(UnsafeBufferPointer(start: base + start, count: count))
        }
        self.subject = bytes(operation.subject.lowerBound, operation.subject.count)
        self.reply = bytes(operation.reply.lowerBound, operation.reply.count)
        self.header = bytes(operation.payloadStart, operation.headerSize)
        self.payload = bytes(operation.payloadStart + operation.headerSize, operation.size - operation.headerSize)
    }

    /// A message of the server.
    init(subject: [UInt8], payload: [UInt8]) {
        self.subject = subject
        self.reply = []
        self.header = []
        self.payload = payload
    }

    /// Neither headers nor payload: ends a stream of answers.
    var isEmpty: Bool { self.header.isEmpty && self.payload.isEmpty }

    /// Sets a header, in place of one of that name (nats-server client.go setHeader).
    mutating func setHeader(_ name: StaticString, _ value: [UInt8]) {
        let name = Array(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        var lines = self.header.count > 2 ? self.withoutHeader(name) : Self.version
        if lines.isEmpty { lines = Self.version }
        self.header = lines + name + Array(": ".utf8) + value + Self.lineEnd + Self.lineEnd
    }

    /// The lines of the header block without the empty one at its end, and without those of a name.
    private func withoutHeader(_ name: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = self.header.dropLast(2)
        var isFirst = true
        while !rest.isEmpty {
            let end = rest.firstRange(of: Self.lineEnd)?.upperBound ?? rest.endIndex
            let line = rest[rest.startIndex..<end]
            let isNamed = line.starts(with: name) && line.dropFirst(name.count).first == UInt8(ascii: ":")
            if isFirst || !isNamed { result += line }
            isFirst = false
            rest = rest[end...]
        }
        return result
    }

    /// The same as if a client had published it.
    var frame: [UInt8] {
        let hasHeader = !self.header.isEmpty
        var frame = Array((hasHeader ? "HPUB " : "PUB ").utf8)
        frame.reserveCapacity(self.subject.count + self.reply.count + self.header.count + self.payload.count + 32)
        frame += self.subject
        frame.append(0x20)
        if !self.reply.isEmpty {
            frame += self.reply
            frame.append(0x20)
        }
        if hasHeader { frame += Array("\(self.header.count) ".utf8) }
        frame += Array("\(self.header.count + self.payload.count)\r\n".utf8)
        frame += self.header
        frame += self.payload
        frame += Self.lineEnd
        return frame
    }
}
