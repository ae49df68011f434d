import NIOCore
import NIOHTTP1

/// Collects the header of an HTTP request; a body is not for it.
struct WebSocketRequestReader {
    enum Outcome {
        case incomplete
        /// `hasMore`: bytes follow it already.
        case head(HTTPRequestHead, hasMore: Bool)
        case refusal(MonitoringResponse.Refusal)
    }

    static let maximumSize = 64 << 10

    private var bytes = ByteBuffer()
    /// Up to here there is no end of a header.
    private var searched = 0

    /// Bytes arrived.
    mutating func received(_ buffer: ByteBuffer) {
        self.bytes.writeImmutableBuffer(buffer)
    }

    /// Whether a request has begun.
    var isInside: Bool { self.bytes.readableBytes > 0 }

    /// Takes the next header out.
    mutating func next() -> Outcome {
        let view = self.bytes.readableBytesView
        guard let end = Self.end(of: view, from: self.searched) else {
            self.searched = max(0, view.count - 3)
            return view.count > Self.maximumSize ? .refusal(.headerTooLarge) : .incomplete
        }
        guard end <= Self.maximumSize else { return .refusal(.headerTooLarge) }
        let head = Self.parse(view.prefix(end))
        self.bytes.moveReaderIndex(forwardBy: end)
        // Moving what is left each time would take long with many small requests in one read.
        if self.bytes.readableBytes == 0 {
            self.bytes.clear()
        } else if self.bytes.readerIndex > Self.maximumSize {
            self.bytes.discardReadBytes()
        }
        self.searched = 0
        guard let head else { return .refusal(.badRequest) }
        return .head(head, hasMore: self.bytes.readableBytes > 0)
    }

    /// What lies behind the first empty line, as a count; lines may end in a mere line feed (Go net/textproto).
    private static func end(of view: ByteBufferView, from start: Int) -> Int? {
        var index = view.index(view.startIndex, offsetBy: start)
        while let feed = view[index...].firstIndex(of: 0x0a) {
            let rest = view[view.index(after: feed)...]
            if rest.first == 0x0a { return view.distance(from: view.startIndex, to: feed) + 2 }
            if rest.starts(with: [0x0d, 0x0a]) { return view.distance(from: view.startIndex, to: feed) + 3 }
            index = view.index(after: feed)
        }
        return nil
    }

    private static func parse(_ bytes: ByteBufferView) -> HTTPRequestHead? {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            line.last == 0x0d ? line.dropLast() : line
        }
        guard let first = lines.first else { return nil }
        let parts = first.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let method = Self.token(parts[0]), let version = Self.version(parts[2]) else {
            return nil
        }
        let target = String(decoding: parts[1], as: UTF8.self)
        guard !target.isEmpty, parts[1].allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        var headers = HTTPHeaders()
        for line in lines.dropFirst() where !line.isEmpty {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), let name = Self.token(line[..<colon]) else {
                return nil
            }
            let value = Self.trimmed(line[line.index(after: colon)...])
            guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { return nil }
            headers.add(name: name, value: String(decoding: value, as: UTF8.self))
        }
        return HTTPRequestHead(version: version, method: HTTPMethod(rawValue: method), uri: target, headers: headers)
    }

    private static func version(_ text: some Collection<UInt8>) -> HTTPVersion? {
        let bytes = Array(text)
        guard bytes.count == 8, bytes.starts(with: Array("HTTP/".utf8)), bytes[6] == UInt8(ascii: "."),
            let major = Self.digit(bytes[5]), let minor = Self.digit(bytes[7])
        else { return nil }
        return HTTPVersion(major: major, minor: minor)
    }

    private static func digit(_ byte: UInt8) -> Int? { (0x30...0x39).contains(byte) ? Int(byte) - 0x30 : nil }

    private static func token(_ bytes: some Collection<UInt8>) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy(HTTPText.isTokenByte) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence
    where Bytes.SubSequence == Bytes {
        var rest = bytes[...]
        while let first = rest.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }
}

/// What may stand where in HTTP.
enum HTTPText {
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Without blanks and tabs around it.
    static func trimmed(_ text: some StringProtocol) -> Substring {
        var rest = Substring(text)
        while let first = rest.utf8.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.utf8.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }
}
