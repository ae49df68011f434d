import Logging
import NATSText
import NATSWire
import NIOCore

/// Lines of the log about messages that go out.
extension ServerConnection {
    func traceDelivery(
        to connection: ServerConnection,
        _ sid: [UInt8],
        keepsHeader: Bool,
        subject: UnsafeBufferPointer<UInt8>,
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation
    ) {
        func text(_ range: Range<Int>) -> String {
            GoString.harmless(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
        }
        let keepsHeader = operation.headerSize > 0 && keepsHeader
        var line = "\(keepsHeader ? "HMSG" : "MSG") \(GoString.harmless(subject))"
        line += " \(GoString.harmless(sid))"
        if !operation.reply.isEmpty { line += " \(text(operation.reply))" }
        if keepsHeader { line += " \(text(operation.headerSizeDigits))" }
        line +=
            keepsHeader || operation.headerSize == 0
            ? " \(text(operation.sizeDigits))" : " \(operation.size - operation.headerSize)"
        let payload = self.tracedPayload(base, operation, skipping: keepsHeader ? 0 : operation.headerSize)
        self.traceFrame(line, payload, to: connection)
    }

    /// Logs a control line, and the payload behind it, that go to a connection.
    func traceFrame(_ line: String, _ payload: String?, to connection: ServerConnection) {
        if connection.loop === self.loop {
            connection.traceDelivered(line, payload)
        } else {
            // The target's name in the log belongs to its own loop.
            connection.loop.eventLoop.execute { connection.traceDelivered(line, payload) }
        }
    }

    private func traceDelivered(_ line: String, _ payload: String?) {
        self.traceOut(line)
        if let payload { self.logger.trace("\(self.label) - ->> MSG_PAYLOAD: [\(payload)]") }
    }

    /// What a trace line shows of the payload, of which so many bytes do not go out (nats-server client.go
    /// traceMsgInternal).
    func tracedPayload(
        _ base: UnsafePointer<UInt8>,
        _ operation: ClientOperation,
        skipping skipped: Int
    ) -> String? {
        let settings = self.settings
        var range = operation.payloadStart + skipped..<operation.payloadStart + operation.size
        if settings.tracesHeadersOnly {
            // Without the two line ends after the last header.
            let length = operation.headerSize - skipped - 4
            guard length > 0 else { return nil }
            range = range.lowerBound..<range.lowerBound + length
        }
        guard !range.isEmpty else { return nil }
        let payload = UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        let limit = settings.maxTracedMessageLength
        guard limit > 0, payload.count > limit else { return GoString.quoted(payload) }
        let quoted = GoString.quoted(payload.prefix(limit))
        return "\(quoted.dropLast())...\""
    }
}
