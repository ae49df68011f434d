import NATSWire

/// Finds the control lines in the bytes of one direction of a connection, however reads and writes cut them.
///
/// Header blocks and payloads are passed over: the line in front tells their size.
struct ControlLineScanner {
    private static let lengthLimit = ServerOperationParser.maximumLineLength

    /// The line so far; what goes beyond the limit is not kept.
    private var line: [UInt8] = []
    private var bytesToSkip = 0

    /// Takes the next bytes of the direction.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - found: Gets each line that is complete, without its end.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, _ found: ([UInt8]) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if self.bytesToSkip > 0 {
                let skipped = min(self.bytesToSkip, rest.count)
                self.bytesToSkip -= skipped
                rest = rest.dropFirst(skipped)
                continue
            }
            let end = rest.firstIndex(of: 0x0A)
            let piece = rest[..<(end ?? rest.endIndex)]
            self.line.append(contentsOf: piece.prefix(max(0, Self.lengthLimit - self.line.count)))
            guard let end else { return }
            rest = rest[(end + 1)...]
            if self.line.last == 0x0D { self.line.removeLast() }
            self.bytesToSkip = Self.sizeBehind(self.line)
            found(self.line)
            self.line.removeAll()
        }
    }

    /// How many bytes of headers and payload follow a line, their line end included.
    private static func sizeBehind(_ line: [UInt8]) -> Int {
        let words = line.split { $0 == 0x20 || $0 == 0x09 }
        guard let verb = words.first, let last = words.last, words.count > 2 else { return 0 }
        let name = String(decoding: verb, as: UTF8.self).uppercased()
        guard ["PUB", "HPUB", "MSG", "HMSG"].contains(name) else { return 0 }
        // A server may claim anything; more than this no connection lives to see.
        guard let size = Int(String(decoding: last, as: UTF8.self)), (0...(1 << 40)).contains(size) else { return 0 }
        return size + 2
    }
}
