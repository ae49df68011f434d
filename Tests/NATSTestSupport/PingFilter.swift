/// Takes a server's PING lines out of what it sends, so that a test which takes its time sees only what it asked for.
///
/// Keeps track of lines and payloads, because a payload may look like a PING.
struct PingFilter: Sendable {
    private static let ping = Array("PING\r\n".utf8)

    private var line: [UInt8] = []
    private var payloadLeft = 0

    /// Returns what is left of the piece, together with what an earlier one held back, and how many PINGs were in it.
    mutating func filter(_ piece: ArraySlice<UInt8>, hidesPings: Bool = true) -> (bytes: [UInt8], pings: Int) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(piece.count)
        var pings = 0
        // The part of the line that has been passed on already.
        var heldFrom = self.line.count
        if !self.line.isEmpty, Self.ping.starts(with: self.line) {
            heldFrom = 0
        }
        var index = piece.startIndex
        while index < piece.endIndex {
            if self.payloadLeft > 0 {
                let count = min(self.payloadLeft, piece.endIndex - index)
                bytes += piece[index..<(index + count)]
                self.payloadLeft -= count
                index += count
                continue
            }
            self.line.append(piece[index])
            index += 1
            guard self.line.last == 10 else {
                continue
            }
            if self.line == Self.ping, hidesPings {
                pings += 1
            } else {
                bytes += self.line[heldFrom...]
                self.payloadLeft = Self.payloadSize(of: self.line)
            }
            self.line = []
            heldFrom = 0
        }
        if !Self.ping.starts(with: self.line) {
            bytes += self.line[heldFrom...]
        }
        return (bytes, pings)
    }

    /// What was held back when the connection ended.
    var rest: [UInt8] {
        Self.ping.starts(with: self.line) ? self.line : []
    }

    /// Bytes that follow the line of a message, its CR LF included.
    private static func payloadSize(of line: [UInt8]) -> Int {
        guard line.starts(with: Array("MSG ".utf8)) || line.starts(with: Array("HMSG ".utf8)),
            let word = line.dropLast(2).split(separator: 32).last,
            let size = Int(String(decoding: word, as: UTF8.self)), size >= 0, size < 1 << 30
        else {
            return 0
        }
        return size + 2
    }
}
