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
}
