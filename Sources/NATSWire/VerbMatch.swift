/// What the first bytes of an operation are, or can still become.
enum VerbMatch<Kind> {
    /// A whole verb of so many bytes.
    case verb(Kind, length: Int)
    /// The bytes end within a verb.
    case beginning
    /// No verb begins like this.
    case none

    /// Compares the bytes with all verbs, the case of letters apart.
    ///
    /// - Parameters:
    ///   - bytes: Where the operation starts.
    ///   - count: How many bytes have arrived.
    ///   - verbs: In lower case; none may be the beginning of another.
    /// - Returns: what was found.
    static func find(
        _ bytes: UnsafePointer<UInt8>,
        _ count: Int,
        in verbs: [(name: StaticString, kind: Kind)]
    ) -> VerbMatch {
        for (name, kind) in verbs {
            let length = name.utf8CodeUnitCount
            let compared = min(length, count)
            var index = 0
            while index < compared, Self.equalFoldingCase(bytes[index], name.utf8Start[index]) { index += 1 }
            guard index == compared else { continue }
            return count < length ? .beginning : .verb(kind, length: length)
        }
        return .none
    }

    private static func equalFoldingCase(_ byte: UInt8, _ lowercase: UInt8) -> Bool {
        if byte == lowercase { return true }
        return lowercase >= 0x61 && lowercase <= 0x7a && byte == lowercase - 0x20
    }
}
