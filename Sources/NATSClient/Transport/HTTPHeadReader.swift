import NIOCore

/// Takes the heads of HTTP answers out of what arrives, without ever holding more than a limit.
struct HTTPHeadReader {
    struct Head: Equatable {
        var status: Int
        /// Names in lower case, in the order in which they came.
        var headers: [(name: String, value: String)] = []

        /// All values of a header, those of lists apart.
        func values(_ name: String) -> [Substring] {
            self.headers.filter { $0.name == name }.flatMap { $0.value.split(separator: ",") }.map(Self.trimmed)
        }

        static func == (left: Head, right: Head) -> Bool {
            left.status == right.status
                && left.headers.elementsEqual(right.headers) { $0.name == $1.name && $0.value == $1.value }
        }

        static func trimmed(_ text: some StringProtocol) -> Substring {
            var rest = Substring(text)
            while let first = rest.utf8.first, first == 0x20 || first == 0x09 {
                rest = rest.dropFirst()
            }
            while let last = rest.utf8.last, last == 0x20 || last == 0x09 {
                rest = rest.dropLast()
            }
            return rest
        }
    }

    enum Outcome: Equatable {
        case incomplete
        case head(Head)
        case tooLarge
        case malformed
    }

    /// Bytes that all heads of a connection may have together.
    static let limit = 16_384

    private var used = 0
    /// Up to here, from the first byte that is left, there is no end of a head.
    private var searched = 0

    /// Takes the next head out; what follows it stays.
    mutating func next(_ bytes: inout ByteBuffer) -> Outcome {
        let view = bytes.readableBytesView
        guard let length = Self.end(of: view, from: self.searched) else {
            self.searched = max(0, view.count - 3)
            return self.used + view.count > Self.limit ? .tooLarge : .incomplete
        }
        self.searched = 0
        self.used += length
        guard self.used <= Self.limit else {
            return .tooLarge
        }
        guard let slice = bytes.readSlice(length: length), let head = Self.parse(slice.readableBytesView) else {
            return .malformed
        }
        return .head(head)
    }

    /// Bytes up to and with the first empty line; lines may end in a mere line feed.
    private static func end(of view: ByteBufferView, from start: Int) -> Int? {
        var index = view.startIndex + start
        while let feed = view[index...].firstIndex(of: 0x0a) {
            let rest = view[(feed + 1)...]
            if rest.first == 0x0a {
                return feed + 2 - view.startIndex
            }
            if rest.starts(with: [0x0d, 0x0a]) {
                return feed + 3 - view.startIndex
            }
            index = feed + 1
        }
        return nil
    }

    private static func parse(_ bytes: ByteBufferView) -> Head? {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            line.last == 0x0d ? line.dropLast() : line
        }
        guard let first = lines.first, let status = self.status(first) else {
            return nil
        }
        var head = Head(status: status)
        for line in lines.dropFirst() where !line.isEmpty {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else {
                return nil
            }
            let value = line[(colon + 1)...]
            guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                return nil
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            head.headers.append((name, String(Head.trimmed(String(decoding: value, as: UTF8.self)))))
        }
        return head
    }

    /// `HTTP/1.1 200 OK`; the reason may be missing.
    private static func status(_ line: some Collection<UInt8>) -> Int? {
        let bytes = Array(line)
        guard bytes.count >= 12, bytes.starts(with: Array("HTTP/1.".utf8)), (0x30...0x39).contains(bytes[7]),
            bytes[8] == 0x20, bytes.count == 12 || bytes[12] == 0x20,
            bytes[9..<12].allSatisfy({ (0x30...0x39).contains($0) }),
            let status = Int(String(decoding: bytes[9..<12], as: UTF8.self)), status >= 100
        else {
            return nil
        }
        return status
    }
}
