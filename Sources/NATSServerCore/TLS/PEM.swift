/// The blocks of a PEM text, as far as it takes to tell what is in it.
enum PEM {
    /// What stands behind `BEGIN` of each block that has an end.
    static func blockTypes(_ text: [UInt8]) -> [String] {
        var types: [String] = []
        var open: String?
        for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            if let begun = open {
                guard self.name(in: line, after: "-----END ") == begun else { continue }
                types.append(begun)
                open = nil
            } else {
                open = self.name(in: line, after: "-----BEGIN ")
            }
        }
        return types
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
