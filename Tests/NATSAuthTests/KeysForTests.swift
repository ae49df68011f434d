import NATSAuth

/// Keys that are the same in every run.
enum TestKeys {
    /// A pair of a kind, the same for the same number.
    static func pair(_ kind: NKey.Kind, _ number: UInt8 = 1) throws -> NKeyPair {
        // A seed is its kind, 32 bytes and a check sum: made from any pair's by way of base 32.
        try NKeyPair(seed: NKey.encodeSeed([UInt8](repeating: number, count: 32), kind: kind))
    }

    static func text(_ kind: NKey.Kind, _ number: UInt8 = 1) throws -> String {
        try Self.pair(kind, number).publicKey.text
    }
}

extension ClaimSet {
    /// What validation finds wrong, apart from times.
    func errors(at now: Int64 = 1_700_000_000) -> [String] { self.validate(ValidationContext(now: now)).errors }
}
