import NATSText

/// A creds file: a user's JWT and the seed that belongs to it, in the official layout.
///
///     -----BEGIN NATS USER JWT-----
///     eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ…
///     ------END NATS USER JWT------
///
///     ************************* IMPORTANT *************************
///     NKEY Seed printed below can be used to sign and prove identity.
///     NKEYs are sensitive and should be treated as secrets.
///
///     -----BEGIN USER NKEY SEED-----
///     SUA…
///     ------END USER NKEY SEED------
///
/// Its description does not show the seed.
package struct CredentialsFile: Sendable, CustomStringConvertible {
    /// What is wrong with a file, in the words of nats-io/jwt.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case noSeed
        case notUserSeed
        case invalidSeed(NKey.Failure)
        case invalidJWT(JWTError)
        /// The JWT is about somebody else than the seed's owner.
        case differentSubject
        /// The JWT is not a user's, but of the kind named.
        case notUser(String)

        package var description: String {
            switch self {
            case .noSeed: "no nkey seed found"
            case .notUserSeed: "nkey seed is not an user seed"
            case .invalidSeed(let failure): failure.description
            case .invalidJWT(let failure): failure.description
            case .differentSubject: "nkey seed does not match the jwt subject"
            case .notUser(let kind): "\(GoString.quoted(kind)) cannot be serialized as a user config"
            }
        }
    }

    /// The JWT, not checked.
    package let jwt: String
    /// The user's key.
    package let keyPair: NKeyPair

    package var description: String { "credentials of \(self.keyPair.publicKey)" }

    // MARK: Reading

    /// Reads a file.
    ///
    /// The JWT is taken as it is: whether it is one is for the server to say.
    ///
    /// - Throws: ``Failure`` if there is no seed of a user.
    package init(_ file: some Collection<UInt8>) throws(Failure) {
        let lines = Self.lines(file)
        self.jwt = Self.jwt(lines)
        self.keyPair = try Self.keyPair(lines)
    }

    /// The JWT of a file, decorated or bare (nats-io/jwt ParseDecoratedJWT).
    package static func jwt(inFile file: some Collection<UInt8>) -> String { self.jwt(self.lines(file)) }

    /// The user's key of a file with or without a JWT.
    ///
    /// - Throws: ``Failure`` if there is no seed of a user.
    package static func keyPair(inFile file: some Collection<UInt8>) throws(Failure) -> NKeyPair {
        try self.keyPair(self.lines(file))
    }

    private static func lines(_ file: some Collection<UInt8>) -> [[UInt8]] {
        file.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            line.last == 0x0d ? Array(line.dropLast()) : Array(line)
        }
    }

    private static func jwt(_ lines: [[UInt8]]) -> String {
        if let first = self.sections(lines).first { return first }
        let text = lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        return text.trimmingGoSpace()
    }

    private static func keyPair(_ lines: [[UInt8]]) throws(Failure) -> NKeyPair {
        let sections = self.sections(lines)
        let seed: String
        if sections.count > 1 {
            seed = sections[1]
        } else {
            let texts = lines.map { String(decoding: $0, as: UTF8.self).trimmingGoSpace() }
            guard let line = texts.first(where: { $0.hasPrefix("SO") || $0.hasPrefix("SA") || $0.hasPrefix("SU") })
            else {
                throw .noSeed
            }
            seed = line
        }
        guard seed.hasPrefix("SU") else { throw .notUserSeed }
        do throws(NKey.Failure) {
            return try NKeyPair(seed: seed)
        } catch {
            throw .invalidSeed(error)
        }
    }

    /// What stands on a line of its own between two lines of dashes.
    private static func sections(_ lines: [[UInt8]]) -> [String] {
        var found: [String] = []
        var index = 0
        while index + 2 < lines.count {
            if self.isMark(lines[index]), self.isContent(lines[index + 1]), self.isMark(lines[index + 2]) {
                found.append(String(decoding: lines[index + 1], as: UTF8.self))
                index += 3
            } else {
                index += 1
            }
        }
        return found
    }

    private static func isMark(_ line: [UInt8]) -> Bool {
        let dashes = Array("---".utf8)
        guard line.count >= 6, line.suffix(3).elementsEqual(dashes) else { return false }
        // Something may stand before the first dashes.
        return zip(line.indices, line.dropLast(5)).contains { index, _ in line[index...].starts(with: dashes) }
    }

    private static func isContent(_ line: [UInt8]) -> Bool {
        !line.isEmpty
            && line.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "="): true
                default: false
                }
            }
    }

    // MARK: Writing

    /// Brings a JWT and the key that it is about together (nats-io/jwt FormatUserConfig).
    ///
    /// - Throws: ``Failure`` if they do not belong together.
    package init(jwt: String, keyPair: NKeyPair) throws(Failure) {
        guard keyPair.publicKey.kind == .user else { throw .notUserSeed }
        let claims: JWT.Claims
        do throws(JWTError) {
            claims = try JWT.decode(jwt)
        } catch {
            throw .invalidJWT(error)
        }
        guard case .user(let user) = claims else { throw .notUser(Self.kind(claims.any)) }
        guard user.subject == keyPair.publicKey.text else { throw .differentSubject }
        self.jwt = jwt
        self.keyPair = keyPair
    }

    private static func kind<Claims: ClaimSet>(_: Claims) -> String { Claims.typeName }

    /// The text of the file; a secret.
    package var text: String {
        """
        -----BEGIN NATS USER JWT-----
        \(self.jwt)
        ------END NATS USER JWT------

        ************************* IMPORTANT *************************
        NKEY Seed printed below can be used to sign and prove identity.
        NKEYs are sensitive and should be treated as secrets.

        -----BEGIN USER NKEY SEED-----
        \(self.keyPair.seed)
        ------END USER NKEY SEED------

        *************************************************************

        """
    }
}
