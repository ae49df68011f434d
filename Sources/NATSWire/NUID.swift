/// Unique identifiers of 22 characters for inboxes and servers: a random prefix of 12 and a counter of 10.
///
/// nats-io/nuid: base 62, the counter starts at random and advances by a random step, so that one generator gives ids that
/// are cheap to make and hard to guess apart. A value type: the owner decides about locking.
package struct NUID: Sendable {
    package static let length = 22
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let prefixLength = 12
    private static let sequenceLength = 10
    private static let maximumSequence: UInt64 = 839_299_365_868_340_224  // 62^10
    private static let stepRange: Range<UInt64> = 33..<333

    private var prefix: [UInt8] = []
    private var sequence: UInt64 = 0
    private var step: UInt64 = 0

    /// Seeds a generator; pass a seeded source for reproducible ids.
    package init(using random: inout some RandomNumberGenerator) {
        self.reset(using: &random)
    }

    package init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    /// The next identifier; `random` is asked only when the counter wraps.
    package mutating func next(using random: inout some RandomNumberGenerator) -> String {
        self.sequence += self.step
        if self.sequence >= Self.maximumSequence {
            self.reset(using: &random)
        }
        var bytes = self.prefix
        bytes.append(contentsOf: repeatElement(0, count: Self.sequenceLength))
        var rest = self.sequence
        for index in stride(from: Self.length - 1, through: Self.prefixLength, by: -1) {
            bytes[index] = Self.digits[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package mutating func next() -> String {
        var random = SystemRandomNumberGenerator()
        return self.next(using: &random)
    }

    private mutating func reset(using random: inout some RandomNumberGenerator) {
        self.prefix = (0..<Self.prefixLength).map { _ in
            // nuid: a random byte modulo 62.
            Self.digits[Int(UInt8.random(in: .min ... .max, using: &random)) % 62]
        }
        self.sequence = UInt64.random(in: 0..<Self.maximumSequence, using: &random)
        self.step = UInt64.random(in: Self.stepRange, using: &random)
    }
}
