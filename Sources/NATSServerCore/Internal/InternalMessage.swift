internal import NATSWire

/// A message from the server, or to it; a copy.
struct InternalMessage: Sendable, Equatable {
    var subject: [UInt8]
    /// Empty if no answer is wanted.
    var reply: [UInt8] = []
    /// The header block, whole with `NATS/1.0` and the empty line; empty if there is none.
    var header: [UInt8] = []
    var payload: [UInt8] = []

    init(to subject: [UInt8], reply: [UInt8] = [], header: [UInt8] = [], payload: [UInt8] = []) {
        self.subject = subject
        self.reply = reply
        self.header = header
        self.payload = payload
    }

    init(_ subject: String, reply: [UInt8] = [], header: [UInt8] = [], payload: [UInt8] = []) {
        self.init(to: Array(subject.utf8), reply: reply, header: header, payload: payload)
    }

    /// What a client has published; `nil` if that is not whole.
    ///
    /// - Parameters:
    ///   - base: What `operation` counts from.
    ///   - operation: The message.
    ///   - subject: Its subject, which may have become another one.
    init?(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation, subject: [UInt8]) {
        guard operation.headerSize >= 0, operation.size >= operation.headerSize else { return nil }
        func bytes(_ start: Int, _ count: Int) -> [UInt8] {
            Array(UnsafeBufferPointer(start: base + start, count: count))
        }
        self.subject = subject
        self.reply = bytes(operation.reply.lowerBound, operation.reply.count)
        self.header = bytes(operation.payloadStart, operation.headerSize)
        self.payload = bytes(operation.payloadStart + operation.headerSize, operation.size - operation.headerSize)
    }

    /// The same as if a client had published it.
    var frame: [UInt8] {
        var frame = Array((self.header.isEmpty ? "PUB " : "HPUB ").utf8)
        frame.reserveCapacity(self.size + 32)
        frame += self.subject
        frame.append(0x20)
        if !self.reply.isEmpty {
            frame += self.reply
            frame.append(0x20)
        }
        if !self.header.isEmpty { frame += Array("\(self.header.count) ".utf8) }
        frame += Array("\(self.header.count + self.payload.count)\r\n".utf8)
        frame += self.header
        frame += self.payload
        frame += [0x0d, 0x0a]
        return frame
    }

    /// The tokens of the subject.
    var tokens: [String] {
        self.subject.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// What counts for the limits of a queue.
    var size: Int { self.subject.count + self.reply.count + self.header.count + self.payload.count }
}

/// The client that published a message to the server.
struct InternalSender: Sendable, Equatable {
    /// The client id.
    var id: UInt64
    /// The name of the client's own account, from which a request may have come into another one by an import.
    var account: String
    /// What the client gave as its user; secrets redacted.
    var user: String
}
