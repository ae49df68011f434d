package import NATSWire

/// What a route parser made of some input, as texts, so that tests can compare it.
package struct RouteTranscript: Sendable, Equatable, CustomStringConvertible {
    package private(set) var operations: [String] = []
    /// Why the input was refused, if it was.
    package private(set) var failure: RouteOperationParser.Outcome?
    private var kept: [UInt8] = []

    package init() {}

    package var description: String { "\(self.operations) \(self.failure.map { "\($0)" } ?? "-")" }

    package static func == (left: Self, right: Self) -> Bool {
        left.operations == right.operations && left.failure == right.failure
    }

    /// Feeds a parser as a connection does: in place, and what a chunk cuts off is kept for the next one.
    package static func of(_ chunks: [[UInt8]], by parser: RouteOperationParser) -> RouteTranscript {
        var transcript = RouteTranscript()
        for chunk in chunks { transcript.add(chunk, by: parser) }
        return transcript
    }

    /// Takes further input.
    package mutating func add(_ chunk: [UInt8], by parser: RouteOperationParser) {
        self.kept += chunk
        var position = 0
        while self.failure == nil, position < self.kept.count {
            var operation = RouteOperation()
            let (outcome, text) = self.kept.withUnsafeBufferPointer { bytes -> (RouteOperationParser.Outcome, String) in
                guard let base = bytes.baseAddress else { return (.incomplete, "") }
                let outcome = parser.next(base, from: position, to: bytes.count, into: &operation)
                return (outcome, outcome == .operation ? Self.text(base, operation) : "")
            }
            switch outcome {
            case .operation:
                self.operations.append(text)
                position = operation.frameEnd
                continue
            case .incomplete:
                break
            case .incompleteIgnored:
                self.kept.removeSubrange(operation.payloadStart...)
            default:
                self.failure = outcome
            }
            break
        }
        self.kept.removeSubrange(..<min(position, self.kept.count))
    }

    private static func text(_ base: UnsafePointer<UInt8>, _ operation: RouteOperation) -> String {
        func text(_ range: Range<Int>) -> String {
            String(decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
        }
        let groups = operation.queueGroups(in: base).map(text)
        let place = [operation.origin, operation.account, operation.subject].filter { !$0.isEmpty }.map(text)
        switch operation.kind {
        case .message, .headerMessage, .originMessage:
            let payload = text(operation.payloadStart..<operation.payloadStart + operation.size)
            let tail = operation.tailStart > 0 ? text(operation.tailStart..<operation.frameEnd) : "respelled"
            let isCounted = groups.count == operation.queueCount
            return "\(operation.kind) \(place.joined(separator: " ")) [\(text(operation.reply))] \(groups)"
                + "\(isCounted ? "" : " not counted") \(operation.headerSize)/\(text(operation.headerSizeDigits)) "
                + "\(operation.size)/\(text(operation.sizeDigits)) \(payload) <\(tail)>"
        case .interest, .originInterest:
            return "\(operation.kind) \(place.joined(separator: " ")) \(groups) \(operation.weight)"
        case .noInterest, .noOriginInterest:
            return "\(operation.kind) \(place.joined(separator: " ")) \(groups)"
        default:
            let argument = text(operation.argument)
            return argument.isEmpty ? "\(operation.kind)" : "\(operation.kind) \(argument)"
        }
    }
}
