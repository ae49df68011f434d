import Logging
import NATSText
import NATSWire
import NIOCore

/// Lines of the log about messages that come and go.
extension ClientConnection {
    func tracePublish(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        let argument = UnsafeRawBufferPointer(
            start: base + operation.argumentStart,
            count: operation.argumentEnd - operation.argumentStart
        )
        self.traceIn(operation.kind == .publish ? "PUB" : "HPUB", argument)
    }

    func traceMapping(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation, _ subject: [UInt8]) {
        let source = UnsafeBufferPointer(start: base + operation.subject.lowerBound, count: operation.subject.count)
        self.traceIn("MAPPING \(GoString.harmless(source)) -> \(GoString.harmless(subject))")
    }

    func tracePayload(_ base: UnsafePointer<UInt8>, _ operation: ClientOperation) {
        if let payload = self.tracedPayload(base, operation, skipping: 0) {
            self.logger.trace("\(self.label) - <<- MSG_PAYLOAD: [\(payload)]")
        }
    }

    func traceDelivery(
        to connection: ClientConnection,
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
        if connection.loop === self.loop {
            connection.traceDelivered(line, payload)
        } else {
            // The target's name in the log belongs to its own loop.
            let text = line
            connection.loop.eventLoop.execute { connection.traceDelivered(text, payload) }
        }
    }

    private func traceDelivered(_ line: String, _ payload: String?) {
        self.traceOut(line)
        if let payload { self.logger.trace("\(self.label) - ->> MSG_PAYLOAD: [\(payload)]") }
    }

    /// What a trace line shows of the payload, of which so many bytes do not go out (nats-server client.go
    /// traceMsgInternal).
    private func tracedPayload(
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
