internal import NATSWire

/// The blocks of a PEM text, as far as it takes to tell what is in it.
enum PEM {
    struct Block: Equatable {
        /// What stands behind `BEGIN`.
        let type: String
        /// From `BEGIN` to `END`.
        fileprivate(set) var text: [UInt8]
        /// Has lines like `Proc-Type: 4,ENCRYPTED`.
        fileprivate(set) var hasHeaders = false
    }

    /// The blocks that have an end.
    static func blocks(_ text: [UInt8]) -> [Block] {
        var blocks: [Block] = []
        var open: Block?
        for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            // Like Go, goes on with a block that begins within another one, which has no end then.
            if let type = self.name(in: line, after: "-----BEGIN ") {
                open = Block(type: type, text: line + [0x0a])
                continue
            }
            guard var block = open else { continue }
            open = nil
            block.text += line + [0x0a]
            if let type = self.name(in: line, after: "-----END ") {
                if type == block.type { blocks.append(block) }
            } else {
                if line.contains(UInt8(ascii: ":")) { block.hasHeaders = true }
                open = block
            }
        }
        return blocks
    }

    /// What stands behind `BEGIN` of each block that has an end.
    static func blockTypes(_ text: [UInt8]) -> [String] { self.blocks(text).map(\.type) }

    /// A certificate as Go writes it.
    static func certificate(_ der: [UInt8]) -> String {
        let lines = Array(Base64.encode(der).utf8).chunks(of: 64).map { String(decoding: $0, as: UTF8.self) + "\n" }
        return "-----BEGIN CERTIFICATE-----\n\(lines.joined())-----END CERTIFICATE-----\n"
    }

    private static func name(in line: ArraySlice<UInt8>, after prefix: StaticString) -> String? {
        let suffix = Array("-----".utf8)
        var line = line
        while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
        let isNamed = prefix.withUTF8Buffer { line.starts(with: $0) }
        guard isNamed, line.count >= prefix.utf8CodeUnitCount + suffix.count, line.suffix(suffix.count) == suffix[...]
        else { return nil }
        return String(decoding: line.dropFirst(prefix.utf8CodeUnitCount).dropLast(suffix.count), as: UTF8.self)
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: size).map { self[$0..<Swift.min($0 + size, self.count)] }
    }
}
