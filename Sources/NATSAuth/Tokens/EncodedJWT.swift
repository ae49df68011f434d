import NATSWire

/// A JWT that was taken apart and not believed yet.
struct EncodedJWT {
    /// No token may be larger, in bytes.
    static let maximumSize = 1 << 20

    /// The header's `alg` as written.
    let algorithm: String
    let claims: ClaimReader
    let claimObject: ClaimObject
    private let chunks: [Substring]

    init(_ text: String) throws(JWTError) {
        guard text.utf8.count <= Self.maximumSize else { throw .tokenTooLarge(text.utf8.count) }
        let dot = UInt8(ascii: ".")
        let chunks = text.utf8.split(separator: dot, maxSplits: 3, omittingEmptySubsequences: false).map {
            Substring($0)
        }
        guard chunks.count == 3 else { throw .notThreeChunks }
        self.chunks = chunks
        self.algorithm = try Self.algorithm(ofHeader: chunks[0])
        let value = try Self.document(chunks[1])
        self.claimObject = ClaimObject(value: value)
        self.claims = try JWTError.rethrowing { () throws(JSONError) in try ClaimReader(value) }
    }

    /// The header as nats-io/jwt Header.Valid wants it.
    private static func algorithm(ofHeader chunk: Substring) throws(JWTError) -> String {
        let document = try self.document(chunk)
        var type = ""
        var algorithm = ""
        try JWTError.rethrowing { () throws(JSONError) in
            let reader = try ClaimReader(document, "header")
            try reader.read("typ", into: &type)
            try reader.read("alg", into: &algorithm)
        }
        guard type.uppercased() == "JWT" else { throw .unsupportedType(type) }
        let name = algorithm.lowercased()
        guard name == "ed25519" || name == "ed25519-nkey" else { throw .unexpectedAlgorithm(algorithm) }
        return algorithm
    }

    /// The kind of claims and their version.
    func typeAndVersion() throws(JWTError) -> (type: String, version: Int) {
        var old = ""
        var type = ""
        var version = 0
        try JWTError.rethrowing { () throws(JSONError) in
            try self.claims.read("type", into: &old)
            for nats in try self.claims.objects("nats") {
                var tags: [String] = []
                try nats.read("tags", into: &tags)
                try nats.read("type", into: &type)
                try nats.read("version", into: &version)
            }
        }
        // The first version had the type outside.
        let found = old.isEmpty ? (type, version) : (old, 1)
        guard found.1 <= 2 else { throw .newerVersion }
        return found
    }

    /// Whether the issuer that the claims name has signed them.
    func verify(issuer: String, asFirstVersion isFirst: Bool) throws(JWTError) {
        let signature = try Self.bytes(self.chunks[2])
        // The first version signed the claims alone.
        let signed = isFirst ? String(self.chunks[1]) : "\(self.chunks[0]).\(self.chunks[1])"
        guard let key = try? NKeyPublicKey(issuer), key.isValidSignature(signature, for: Array(signed.utf8)) else {
            throw .wrongSignature(version: isFirst ? 1 : 2)
        }
    }

    private static func bytes(_ chunk: Substring) throws(JWTError) -> [UInt8] {
        do throws(Base64URL.Failure) {
            return try Base64URL.decode(chunk)
        } catch {
            throw .illegalBase64(offset: error.offset)
        }
    }

    private static func document(_ chunk: Substring) throws(JWTError) -> JSONValue {
        let bytes = try self.bytes(chunk)
        return try JWTError.rethrowing { () throws(JSONError) in try JSONValue.parse(bytes) }
    }
}

extension JWTError {
    /// Runs something that reads JSON, with its errors as those of a JWT.
    static func rethrowing<Value>(_ body: () throws(JSONError) -> Value) throws(JWTError) -> Value {
        do throws(JSONError) {
            return try body()
        } catch {
            throw .illegalJSON(error.description)
        }
    }
}
