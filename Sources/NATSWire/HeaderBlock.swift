#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A header block as it stands on the wire: the version line with an optional status, then the fields, then a blank line.
package struct HeaderBlock: Sendable, Equatable {
    package static let version: StaticString = "NATS/1.0"

    package var status: Int?
    package var statusDescription: String?
    package var headers: NATSHeaders

    package init(status: Int? = nil, statusDescription: String? = nil, headers: NATSHeaders = NATSHeaders()) {
        self.status = status
        self.statusDescription = statusDescription
        self.headers = headers
    }

    /// Reads a block; nil when the version is wrong or a line lacks its colon, which concerns the message, not the protocol.
    ///
    /// nats.go `DecodeHeadersMsg`: a line with an empty name is skipped; lines may end in LF alone.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        var lines = LineReader(bytes: bytes)
        guard let first = lines.next(), let status = Self.parseStatus(first) else {
            return nil
        }
        self.status = status.code
        self.statusDescription = status.description
        self.headers = [:]
        while let line = lines.next(), !line.isEmpty {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                return nil
            }
            guard colon > line.startIndex else {
                continue
            }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            self.headers.append(
                name: String(decoding: line[..<colon], as: UTF8.self),
                value: String(decoding: value, as: UTF8.self)
            )
        }
    }

    /// Whether ``init(parsing:)`` makes something of the bytes, without an allocation: all that an event loop looks at.
    package static func isReadable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let length = Self.version.utf8CodeUnitCount
        guard let base = bytes.baseAddress, bytes.count >= length,
            memcmp(base, Self.version.utf8Start, length) == 0
        else {
            return false
        }
        func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
            memchr(base + range.lowerBound, Int32(byte), range.count).map { UnsafeRawPointer($0) - base }
        }
        guard var start = firstIndex(of: 0x0A, in: length..<bytes.count).map({ $0 + 1 }) else {
            return true
        }
        while start < bytes.count {
            let lineFeed = firstIndex(of: 0x0A, in: start..<bytes.count)
            let end = lineFeed ?? bytes.count
            if start == end || (lineFeed == start + 1 && bytes[start] == 0x0D) {
                return true
            }
            guard firstIndex(of: UInt8(ascii: ":"), in: start..<end) != nil else {
                return false
            }
            start = end + 1
        }
        return true
    }

    /// The status code alone, without making a string; nil if there is none or the block is malformed.
    package static func status(of bytes: UnsafeRawBufferPointer) -> Int? {
        var lines = LineReader(bytes: bytes)
        guard let first = lines.next(), let digits = Self.statusText(first) else {
            return nil
        }
        return Self.statusCode(digits)
    }

    private static func parseStatus(_ line: Slice<UnsafeRawBufferPointer>) -> (code: Int?, description: String?)? {
        guard let text = Self.statusText(line) else {
            return nil
        }
        guard let code = Self.statusCode(text) else {
            return (nil, nil)
        }
        let rest = trimmed(text[(text.startIndex + 3)...])
        return (code, rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self))
    }

    /// What follows the version, without the blanks around it; nil if the version is wrong.
    private static func statusText(_ line: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>? {
        let length = Self.version.utf8CodeUnitCount
        let expected = UnsafeBufferPointer(start: Self.version.utf8Start, count: length)
        guard line.count >= length, line.prefix(length).elementsEqual(expected) else {
            return nil
        }
        return trimmed(line.dropFirst(length))
    }

    private static func statusCode(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard text.count >= 3 else {
            return nil
        }
        var code = 0
        for byte in text.prefix(3) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
                return nil
            }
            code = code * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return code
    }

    private struct LineReader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        mutating func next() -> Slice<UnsafeRawBufferPointer>? {
            guard self.position < self.bytes.count else {
                return nil
            }
            let rest = self.bytes[self.position...]
            guard let end = rest.firstIndex(of: 0x0A) else {
                self.position = self.bytes.count
                return rest
            }
            self.position = end + 1
            let line = rest[..<end]
            return line.last == 0x0D ? line.dropLast() : line
        }
    }
}

extension HeaderBlock {
    /// The first field that may not be sent: a name outside ADR-4's grammar, or a line break in a value.
    package static func firstInvalidField(in headers: NATSHeaders) -> NATSHeaders.Field? {
        headers.first { field in
            let nameIsValid =
                !field.name.isEmpty
                && field.name.utf8.allSatisfy { $0 >= 33 && $0 <= 126 && $0 != UInt8(ascii: ":") }
            return !nameIsValid || field.value.utf8.contains { $0 == 0x0D || $0 == 0x0A }
        }
    }

    /// The bytes of a block of valid fields, its final CRLF included.
    package static func encode(_ headers: NATSHeaders) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12 + headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
        bytes.append(contentsOf: "NATS/1.0\r\n".utf8)
        for field in headers {
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: trimmed(field.value.utf8[...]))
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
        return bytes
    }
}

private func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes
where Bytes.SubSequence == Bytes {
    func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }
    var result = bytes.drop(while: isBlank)
    while let last = result.last, isBlank(last) {
        result = result.dropLast()
    }
    return result
}
