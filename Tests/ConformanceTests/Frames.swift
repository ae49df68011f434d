import NATSTestSupport

/// What a server sent, cut into operations, so that two servers' answers can be compared.
struct Frames: Sendable {
    /// Whole operations: a line, with its payload in the case of MSG and HMSG.
    private(set) var operations: [[UInt8]] = []
    /// Bytes of an operation that has not arrived in full, or that is none.
    private(set) var rest: [UInt8] = []

    init(_ bytes: [UInt8]) {
        var start = 0
        while let end = Self.endOfOperation(bytes[start...]) {
            self.operations.append(Array(bytes[start..<end]))
            start = end
        }
        self.rest = Array(bytes[start...])
    }

    private static func endOfOperation(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let lineEnd = bytes.firstRange(of: [13, 10])?.upperBound else {
            return nil
        }
        let line = bytes[bytes.startIndex..<(lineEnd - 2)]
        guard line.starts(with: Array("MSG ".utf8)) || line.starts(with: Array("HMSG ".utf8)) else {
            return lineEnd
        }
        guard let word = line.split(separator: 32).last, let size = Int(String(decoding: word, as: UTF8.self)) else {
            return lineEnd
        }
        let end = lineEnd + size + 2
        return end <= bytes.endIndex ? end : nil
    }

    var pongs: Int { self.operations.count { $0 == Array("PONG\r\n".utf8) } }

    /// The operations in a form that does not depend on what the official server leaves to chance: the order in which
    /// the subscriptions of one connection get the same message, which of them gets a 503, and whether an error is
    /// repeated for a late payload.
    var normalised: [String] {
        var result: [String] = []
        var messages: [String] = []
        for operation in self.operations {
            let text = describe(Self.withoutChosenSid(operation))
            if operation.first == UInt8(ascii: "M") || operation.first == UInt8(ascii: "H") {
                messages.append(text)
                continue
            }
            result += messages.sorted()
            messages = []
            if text.contains("Invalid Publish Subject"), result.last == text {
                continue
            }
            result.append(Self.withoutIdentity(text))
        }
        result += messages.sorted()
        if !self.rest.isEmpty {
            result.append("rest " + describe(self.rest))
        }
        return result
    }

    /// Which of several subscriptions to the reply subject gets the 503 is left to chance.
    private static func withoutChosenSid(_ operation: [UInt8]) -> [UInt8] {
        let marker = Array("\r\nNATS/1.0 503\r\nNats-Subject: ".utf8)
        guard operation.firstRange(of: marker) != nil, let start = operation.firstIndex(of: 32).map({ $0 + 1 }),
            let sid = operation[start...].firstIndex(of: 32).map({ $0 + 1 }),
            let end = operation[sid...].firstIndex(of: 32)
        else {
            return operation
        }
        return operation[..<sid] + [UInt8(ascii: "*")] + operation[end...]
    }

    private static func withoutIdentity(_ text: String) -> String {
        text.hasPrefix("\"INFO ") ? "INFO" : text
    }
}
