import NATSAuth
import NATSXKeys
import Testing

/// Sealed boxes against the vectors of NaCl, and against themselves.
@Suite("sealed boxes of nkeys")
struct XKeySealingTests {
    /// Gives bytes out one after the other.
    private struct Bytes: RandomNumberGenerator {
        var rest: ArraySlice<UInt8>

        mutating func next() -> UInt64 { UInt64(self.rest.popFirst() ?? 0) }
    }

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8.filter { $0 > 0x20 })
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    private static func pair(_ hexadecimal: String) throws -> XKeyPair {
        try XKeyPair(seed: NKey.encodeSeed(self.bytes(hexadecimal), kind: .curve))
    }

    /// "Cryptography in NaCl", sections 2 to 10.
    private static let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
    private static let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
    private static let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
    private static let message = bytes(
        """
        be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4
        1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52
        f0a089bc76897040e082f937763848645e0705
        """
    )
    private static let box = bytes(
        """
        f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b
        4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da
        99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5
        """
    )

    @Test("the box of NaCl's paper comes out, behind version and nonce, and can be opened")
    func vector() throws {
        let alice = try Self.pair(Self.alice)
        let bob = try Self.pair(Self.bob)
        #expect(alice.publicKey.bytes == Self.bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(bob.publicKey.bytes == Self.bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        var generator = Bytes(rest: Self.nonce[...])
        let sealed = try alice.seal(Self.message, for: bob.publicKey.text, using: &generator)
        #expect(sealed == Array("xkv1".utf8) + Self.nonce + Self.box)
        #expect(try bob.open(sealed, from: alice.publicKey.text) == Self.message)
        // The two share one secret.
        #expect(try alice.open(sealed, from: bob.publicKey.text) == Self.message)
    }

    @Test("messages of any length come back, and no two look alike", arguments: [0, 1, 15, 16, 17, 1000, 1 << 20])
    func lengths(count: Int) throws {
        let sender = XKeyPair()
        let recipient = XKeyPair()
        let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = try sender.seal(message, for: recipient.publicKey.text)
        #expect(sealed.count == count + 44)
        // The official library takes it for damaged when nothing is in it, but not for short.
        #expect(try recipient.open(sealed, from: sender.publicKey.text) == message)
        #expect(try sender.seal(message, for: recipient.publicKey.text) != sealed)
    }

    @Test("whatever was damaged, cut, or meant for somebody else is not opened, in the words of nkeys")
    func damaged() throws {
        let sender = XKeyPair()
        let recipient = XKeyPair()
        let from = sender.publicKey.text
        let sealed = try sender.seal(Array("hello".utf8), for: recipient.publicKey.text)
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1
            #expect(throws: index < 4 ? XKeyError.wrongVersion : .cannotOpen) {
                try recipient.open(damaged, from: from)
            }
        }
        for count in 0..<sealed.count {
            let expected: XKeyError = count <= 28 ? .invalidSealed : .cannotOpen
            #expect(throws: expected) { try recipient.open(Array(sealed.prefix(count)), from: from) }
        }
        #expect(throws: XKeyError.cannotOpen) { try XKeyPair().open(sealed, from: from) }
        #expect(throws: XKeyError.cannotOpen) { try recipient.open(sealed, from: XKeyPair().publicKey.text) }
        let user = try NKeyPair(kind: .user).publicKey.text
        for key in [user, "", "X", String(from.dropLast()) + "é", from.lowercased()] {
            #expect(throws: XKeyError.invalidSender) { try recipient.open(sealed, from: key) }
            #expect(throws: XKeyError.invalidRecipient) { try sender.seal([1], for: key) }
        }
        #expect(XKeyError.cannotOpen.description == "nkeys: could not decrypt input")
        #expect(XKeyError.invalidSealed.description == "nkeys: encrypted input is not valid")
        #expect(XKeyError.wrongVersion.description == "nkeys: encrypted input wrong version")
        #expect(XKeyError.invalidSender.description == "nkeys: not a valid sender public curve key")
        #expect(XKeyError.invalidRecipient.description == "nkeys: not a valid recipient public curve key")
    }
}
