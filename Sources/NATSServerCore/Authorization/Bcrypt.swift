internal import NATSWire

#if os(Linux)
internal import CCrypt

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif
#endif

/// bcrypt, as computed by the system's libcrypt.
///
/// A hash takes as long as its cost says, about 100 ms at cost 11: never on an event loop (see ``PasswordVerifier``).
package enum Bcrypt {
    /// Of its base 64.
    private static let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    /// Length of `$2b$CC$`.
    private static let prefixLength = 7
    private static let hashLength = 60
    /// No byte of a password behind these counts.
    package static let maxPasswordLength = 72

    /// Whether this system can compute hashes.
    package static var isAvailable: Bool {
        #if os(Linux)
        true
        #else
        false
        #endif
    }

    /// Whether a configured password is a hash (nats-server auth.go isBcrypt).
    package static func isHash(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(self.prefixLength))
        guard bytes.count == self.prefixLength, bytes.starts(with: Array("$2".utf8)) else { return false }
        return Array("abxy".utf8).contains(bytes[2]) && bytes[3] == UInt8(ascii: "$") && self.isDigit(bytes[4])
            && self.isDigit(bytes[5]) && bytes[6] == UInt8(ascii: "$")
    }

    /// Whether a password is the one of a hash; `$2a$`, `$2b$`, `$2x$` and `$2y$` are the same algorithm, as in Go.
    package static func verify(password: String, hash: String) -> Bool {
        let expected = Array(hash.utf8)
        guard self.isHash(hash), expected.count == self.hashLength else { return false }
        // libcrypt treats `$2a$` and `$2x$` in ways of its own; `$2b$` is what Go computes for all of them.
        var setting = expected
        setting[2] = UInt8(ascii: "b")
        guard let found = self.compute(password, setting) else { return false }
        return ConstantTime.areEqual(expected.dropFirst(self.prefixLength), found.dropFirst(self.prefixLength))
    }

    /// Hashes a password as `$2a$…`.
    ///
    /// - Parameters:
    ///   - password: Up to ``maxPasswordLength`` bytes, none of them 0.
    ///   - cost: 4 to 31; each step doubles the time.
    ///   - salt: 16 random bytes.
    /// - Returns: `nil` if an argument is out of range or the system has no bcrypt.
    package static func hash(password: String, cost: Int, salt: [UInt8]) -> String? {
        guard (4...31).contains(cost), salt.count == 16, password.utf8.count <= self.maxPasswordLength else {
            return nil
        }
        let setting =
            Array("$2b$\(cost < 10 ? "0" : "")\(cost)$".utf8)
            + Array(Base64.encode(salt, alphabet: self.alphabet, padded: false).utf8)
        guard var hash = self.compute(password, setting), hash.count == self.hashLength else { return nil }
        hash[2] = UInt8(ascii: "a")
        return String(decoding: hash, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func compute(_ password: String, _ setting: [UInt8]) -> [UInt8]? {
        // C would take the text up to a 0 for the password.
        guard !password.utf8.contains(0), !setting.contains(0) else { return nil }
        #if os(Linux)
        // One buffer that never moves, so that no other copy of the password stays behind.
        let keySize = self.maxPasswordLength + 1
        let key = UnsafeMutablePointer<CChar>.allocate(capacity: keySize)
        key.initialize(repeating: 0, count: keySize)
        for (index, byte) in password.utf8.prefix(self.maxPasswordLength).enumerated() {
            key[index] = CChar(bitPattern: byte)
        }
        let setting = setting.map(CChar.init(bitPattern:)) + [0]
        // The working memory is far too large for a thread's stack.
        let size = MemoryLayout<crypt_data>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<crypt_data>.alignment)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        defer {
            // Not an ordinary write: the compiler may leave those out before memory is given back.
            explicit_bzero(key, keySize)
            key.deallocate()
            explicit_bzero(memory, size)
            memory.deallocate()
        }
        guard let result = crypt_r(key, setting, memory.assumingMemoryBound(to: crypt_data.self)) else {
            return nil
        }
        let hash = String(cString: result)
        // An error is a text that no hash begins with.
        return hash.hasPrefix("*") ? nil : Array(hash.utf8)
        #else
        return nil
        #endif
    }
}
