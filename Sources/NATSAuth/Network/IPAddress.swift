/// An IP address by its bytes: 4 or 16.
///
/// IPv4 inside IPv6 (`::ffff:…`) counts as IPv4, as in Go's `net`.
package struct IPAddress: Sendable, Hashable {
    /// 4 or 16.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        let isMapped = bytes.count == 16 && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// Reads an address without zone; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        guard let bytes = Self.parse(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The bytes as written: 16 for all that has a colon.
    static func parse(_ text: some StringProtocol) -> [UInt8]? {
        let bytes = Array(text.utf8)
        // The longest: eight groups, the last two as IPv4.
        guard bytes.count <= 45 else { return nil }
        return bytes.contains(UInt8(ascii: ":")) ? self.parseVersion6(bytes[...]) : self.parseVersion4(bytes[...])
    }

    private static func parseVersion4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let fields = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard fields.count == 4 else { return nil }
        var result: [UInt8] = []
        for field in fields {
            guard (1...3).contains(field.count), field.count == 1 || field.first != UInt8(ascii: "0") else {
                return nil
            }
            var value = 0
            for digit in field {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + Int(digit - 0x30)
            }
            guard value <= 255 else { return nil }
            result.append(UInt8(value))
        }
        return result
    }

    private static func parseVersion6(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        // The place of `::`, of which there may be one.
        var gaps = zip(text.indices, text.indices.dropFirst()).filter { text[$0] == colon && text[$1] == colon }
        if gaps.count > 1 { return nil }
        guard let gap = gaps.popLast() else {
            guard let groups = self.groups(text), groups.count == 16 else { return nil }
            return groups
        }
        guard let head = self.groups(text[..<gap.0]),
            let tail = self.groups(text[(gap.1 + 1)...], mayEndAsVersion4: true),
            // The gap stands for one group at least.
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: ArraySlice<UInt8>, mayEndAsVersion4: Bool = false) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let fields = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var result: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index == fields.count - 1, field.contains(UInt8(ascii: ".")) {
                // Without a gap the four bytes have to be the last of sixteen.
                guard mayEndAsVersion4 || result.count == 12, let last = self.parseVersion4(field) else { return nil }
                return result + last
            }
            guard (1...4).contains(field.count) else { return nil }
            var value: UInt16 = 0
            for digit in field {
                guard let number = self.hexDigit(digit) else { return nil }
                value = value << 4 | number
            }
            result.append(UInt8(value >> 8))
            result.append(UInt8(value & 0xff))
        }
        return result.count <= 16 ? result : nil
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte - 0x30)
        case 0x41...0x46: UInt16(byte - 0x41 + 10)
        case 0x61...0x66: UInt16(byte - 0x61 + 10)
        default: nil
        }
    }
}
