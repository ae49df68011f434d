/// Interest, and what says nothing about messages.
extension RouteOperationParser {
    private static let verbs: [(name: StaticString, kind: RouteOperation.Kind)] = [
        ("rs+", .interest), ("rs-", .noInterest), ("rmsg", .message), ("hmsg", .headerMessage),
        ("lmsg", .originMessage), ("ls+", .originInterest), ("ls-", .noOriginInterest), ("unsub", .noInterest),
        ("sub", .clientSubscribe), ("a+", .accountInterest), ("a-", .noAccountInterest),
    ]

    /// What a verb means between a leaf node and its hub (nats-server parser.go: both letters lead to the same).
    private static func ofLeafNode(_ kind: RouteOperation.Kind) -> RouteOperation.Kind {
        switch kind {
        case .originInterest: .interest
        case .noOriginInterest: .noInterest
        case .originMessage: .message
        default: kind
        }
    }

    @usableFromInline
    func parseOther(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ operation: inout RouteOperation
    ) -> Outcome {
        operation.frameEnd = 0
        let kind: RouteOperation.Kind
        let verbEnd: Int
        switch VerbMatch.find(bytes + start, end - start, in: Self.verbs) {
        case .verb(let found, let length):
            kind = self.isLeafNode ? Self.ofLeafNode(found) : found
            verbEnd = start + length
        case .beginning: return .incomplete
        case .none: return self.parseCommon(bytes, start, end, &operation)
        }
        guard verbEnd < end else { return .incomplete }
        guard ClientOperationParser.isBlank(bytes[verbEnd]) else { return .unknownOperation }
        operation.kind = kind
        if operation.isMessage { return self.parseMessage(bytes, start, end, kind, &operation) }
        var line = RouteLine()
        guard line.read(bytes, from: verbEnd + 1, to: end) else {
            return self.incompleteLine(bytes, start, end, line)
        }
        operation.argument = line.argument
        operation.payloadStart = line.end
        operation.frameEnd = line.end
        guard line.argument.count <= self.maxControlLine else { return .controlLineExceeded }
        switch kind {
        case .interest, .originInterest:
            return self.readInterest(bytes, line, groupFields: 2, &operation)
        case .noInterest, .noOriginInterest:
            return self.readInterest(bytes, line, groupFields: 1, &operation)
        default:
            return .operation
        }
    }

    /// `[origin] [account] subject`, with as many further fields for a queue group or none.
    private func readInterest(
        _ bytes: UnsafePointer<UInt8>,
        _ line: RouteLine,
        groupFields: Int,
        _ operation: inout RouteOperation
    ) -> Outcome {
        let subjectIndex = self.readSubject(line, operation.kind, &operation)
        let count = line.count - subjectIndex - 1
        guard count == 0 || count == groupFields else { return .badArguments }
        operation.queueCount = count == 0 ? 0 : 1
        operation.queues = count == 0 ? RouteOperation.nothing : line[subjectIndex + 1]
        operation.weight = count == 2 ? max(0, ClientOperationParser.parseSize(bytes, line.last)) : 0
        return .operation
    }

    /// The operations that clients have as well.
    private func parseCommon(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ operation: inout RouteOperation
    ) -> Outcome {
        var found = ClientOperation()
        let outcome = self.common.next(bytes, from: start, to: end, into: &found)
        operation.kind = Self.kind(found.kind)
        operation.argument = found.argumentStart..<max(found.argumentStart, found.argumentEnd)
        operation.headerSize = found.headerSize
        operation.size = found.size
        operation.payloadStart = found.payloadStart
        operation.frameEnd = found.frameEnd
        switch outcome {
        case .operation: return .operation
        case .incomplete: return .incomplete
        case .incompleteIgnored: return .incompleteIgnored
        case .controlLineExceeded: return .controlLineExceeded
        case .payloadExceeded: return .payloadExceeded
        case .badArguments: return .badArguments
        case .badSize: return .badSize
        // Headers are enabled.
        case .unknownOperation, .headersNotSupported: return .unknownOperation
        }
    }

    private static func kind(_ kind: ClientOperation.Kind) -> RouteOperation.Kind {
        switch kind {
        case .publish: .clientPublish
        case .headerPublish: .clientHeaderPublish
        case .subscribe: .clientSubscribe
        case .unsubscribe: .noInterest
        case .connect: .connect
        case .ping: .ping
        case .pong: .pong
        case .ok: .ok
        case .info: .info
        case .error: .error
        }
    }
}
