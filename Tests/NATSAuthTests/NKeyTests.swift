import NATSAuth
import NATSTestSupport
import Testing

@Suite("nkeys")
struct NKeyTests {
    /// The key pair of the documentation of nkeys.
    private static let seed = "SUAGMJH5XLGZKQQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM"

    @Test("a seed gives its key pair, which signs what its public key verifies")
    func signAndVerify() throws {
        let pair = try NKeyPair(seed: Self.seed)
        #expect(pair.seed == Self.seed)
        #expect(pair.publicKey.kind == .user)
        #expect(pair.publicKey.text.hasPrefix("U") && pair.publicKey.text.utf8.count == 56)
        let message = Array("nonce".utf8)
        let signature = try pair.sign(message)
        let key = try NKeyPublicKey(pair.publicKey.text)
        #expect(key == pair.publicKey)
        #expect(key.isValidSignature(signature, for: message))
        #expect(!key.isValidSignature(signature, for: Array("other".utf8)))
        #expect(!key.isValidSignature([], for: message))
        var damaged = signature
        damaged[10] ^= 1
        #expect(!key.isValidSignature(damaged, for: message))
        #expect(!(try NKeyPair(kind: .user)).publicKey.isValidSignature(signature, for: message))
    }

    @Test("every kind has its letter", arguments: NKey.Kind.allCases.filter { $0 != .curve })
    func kinds(kind: NKey.Kind) throws {
        let pair = try NKeyPair(kind: kind)
        #expect(pair.publicKey.text.first == kind.letter)
        #expect(pair.seed.hasPrefix("S\(kind.letter)"))
        #expect(pair.seed.utf8.count == 58)
        #expect(try NKeyPair(seed: pair.seed).publicKey == pair.publicKey)
        #expect(NKey.isPublicKey(pair.publicKey.text, of: kind))
        #expect(!NKey.isPublicKey(pair.seed, of: kind))
        #expect("\(pair)" == pair.publicKey.text)
    }

    @Test("keys for encryption cannot sign")
    func curve() {
        #expect(throws: NKey.Failure.cannotSign) { try NKeyPair(kind: .curve) }
    }

    @Test("a changed character is noticed")
    func damage() throws {
        let text = Array(try NKeyPair(kind: .user).publicKey.text)
        for index in text.indices {
            var damaged = text
            damaged[index] = damaged[index] == "A" ? "B" : "A"
            #expect(throws: NKey.Failure.self) { try NKeyPublicKey(String(damaged)) }
        }
    }

    @Test("no text makes the reader fail otherwise than by an error")
    func hostileTexts() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...80, using: &generator)
            let text = String(
                decoding: (0..<count).map { _ in
                    Bool.random(using: &generator)
                        ? UInt8(ascii: "A") + UInt8.random(in: 0..<26, using: &generator)
                        : UInt8.random(in: 0...255, using: &generator)
                },
                as: UTF8.self
            )
            #expect(throws: NKey.Failure.self) { try NKeyPublicKey(text) }
            #expect(throws: NKey.Failure.self) { try NKeyPair(seed: text) }
        }
    }
}

extension NKeyTests {
    @Test("keys for encryption have their own pairs")
    func encryptionKeys() throws {
        let pair = XKeyPair()
        #expect(pair.publicKey.kind == .curve && pair.publicKey.text.hasPrefix("X") && pair.seed.hasPrefix("SX"))
        #expect(try XKeyPair(seed: pair.seed).publicKey == pair.publicKey)
        #expect(NKey.isPublicKey(pair.publicKey.text, of: .curve))
        #expect(pair.bytes.count == 32 && pair.publicKey.bytes.count == 32)
        #expect("\(pair)" == pair.publicKey.text)
        #expect(throws: NKey.Failure.wrongKind) { try XKeyPair(seed: NKeyPair(kind: .user).seed) }
        #expect(throws: NKey.Failure.cannotSign) { try NKeyPair(seed: pair.seed) }
        #expect(!pair.publicKey.isValidSignature([UInt8](repeating: 0, count: 64), for: []))
    }
}
