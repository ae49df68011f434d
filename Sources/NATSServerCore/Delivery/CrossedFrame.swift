internal import NATSWire

/// Spells a message that goes to another account as if a client had published it there: subject, reply subject and
/// headers change on the way.
enum CrossedFrame {
    private static let version: StaticString = "NATS/1.0\r\n"
    private static let infoName: StaticString = "Nats-Request-Info"

    /// Makes the frame.
    ///
    /// - Parameters:
    ///   - base: What `operation` counts from.
    ///   - operation: The message that was published.
    ///   - subject: What it is called there.
    ///   - reply: Its reply subject there; may be empty.
    ///   - requestInfo: Who makes the request, for its header; `nil` leaves the headers alone.
    /// - Returns: a PUB or HPUB; `nil` if the message is not whole.
    static func make(
        _ base: UnsafePointer<UInt8>,
        _ operation: UnsafePointer<ClientOperation>,
        subject: [UInt8],
        reply: [UInt8],
        requestInfo: [UInt8]?
    ) -> [UInt8]? {
        let headerSize = operation.pointee.headerSize
        let size = operation.pointee.size
        guard headerSize >= 0, size >= headerSize else { return nil }
        let start = base + operation.pointee.payloadStart
        let header = UnsafeBufferPointer(start: start, count: headerSize)
        let payload = UnsafeBufferPointer(start: start + headerSize, count: size - headerSize)
        var frame: [UInt8] = []
        frame.reserveCapacity(subject.count + reply.count + (requestInfo?.count ?? 0) + size + 96)
        guard let requestInfo else {
            self.append(headerSize > 0, subject, reply, to: &frame)
            if headerSize > 0 { self.append(headerSize, 0x20, to: &frame) }
            self.append(size, 0x0d, to: &frame)
            frame.append(0x0a)
            frame.append(contentsOf: header)
            frame.append(contentsOf: payload)
            self.append("\r\n", to: &frame)
            return frame
        }
        // nats-server client.go setHeader: in place of all headers of that name.
        let kept = headerSize > 2 ? self.withoutInfo(header) : []
        let keptSize = kept.isEmpty ? self.version.utf8CodeUnitCount : kept.count
        let newSize = keptSize + self.infoName.utf8CodeUnitCount + 2 + requestInfo.count + 4
        self.append(true, subject, reply, to: &frame)
        self.append(newSize, 0x20, to: &frame)
        self.append(newSize + payload.count, 0x0d, to: &frame)
        frame.append(0x0a)
        if kept.isEmpty { self.append(self.version, to: &frame) } else { frame.append(contentsOf: kept) }
        self.append(self.infoName, to: &frame)
        self.append(": ", to: &frame)
        frame.append(contentsOf: requestInfo)
        self.append("\r\n\r\n", to: &frame)
        frame.append(contentsOf: payload)
        self.append("\r\n", to: &frame)
        return frame
    }

    private static func append(_ hasHeader: Bool, _ subject: [UInt8], _ reply: [UInt8], to frame: inout [UInt8]) {
        self.append(hasHeader ? "HPUB " : "PUB ", to: &frame)
        frame.append(contentsOf: subject)
        frame.append(0x20)
        guard !reply.isEmpty else { return }
        frame.append(contentsOf: reply)
        frame.append(0x20)
    }

    private static func append(_ text: StaticString, to frame: inout [UInt8]) {
        frame.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func append(_ number: Int, _ end: UInt8, to frame: inout [UInt8]) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            frame.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
        frame.append(end)
    }

    /// The lines of a header block without the empty one at its end, and without those that tell who makes a request.
    ///
    /// A line ends where any reader of ours may see an end, and the last one has an end: otherwise a client could hide a line
    /// of its own that comes before ours, or make ours the rest of its last one.
    private static func withoutInfo(_ header: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let name = UnsafeBufferPointer(start: self.infoName.utf8Start, count: self.infoName.utf8CodeUnitCount)
        var result: [UInt8] = []
        result.reserveCapacity(header.count)
        let end = header.count - 2
        var start = 0
        while start < end {
            var next = start
            while next < end, header[next] != 0x0a { next += 1 }
            next = min(next + 1, end)
            let line = UnsafeBufferPointer(rebasing: header[start..<next])
            let isInfo = start > 0 && line.count > name.count && line.starts(with: name) && line[name.count] == 0x3a
            if !isInfo { result.append(contentsOf: line) }
            start = next
        }
        if result.last != 0x0a { result += [0x0d, 0x0a] }
        return result
    }
}
