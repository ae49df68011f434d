import NATSAuth
import NATSWire
import NIOPosix

/// What a `CONNECT` says about who connects.
struct CredentialsAnswer: Sendable, Equatable {
    var user = ""
    var password = ""
    var authToken = ""
    var nkey = ""
    var jwt = ""
    var signature = ""

    func write(to payload: inout ConnectPayload) {
        payload.user = self.user
        payload.password = self.password
        payload.authToken = self.authToken
        payload.nkey = self.nkey
        payload.jwt = self.jwt
        payload.signature = self.signature
    }
}

extension NATSClientConfiguration.Credentials {
    /// The answer, if nothing has to be read, called or signed for it.
    var immediateAnswer: CredentialsAnswer? {
        switch self.kind {
        case .none:
            CredentialsAnswer()
        case .userPassword(let user, let password):
            CredentialsAnswer(user: user, password: password)
        case .token(let token):
            CredentialsAnswer(authToken: token)
        case .nkeySeed, .nkeySeedFile, .nkey, .credentials, .credentialsFile, .jwt, .provider:
            nil
        }
    }

    /// The answer to a server that wants this nonce signed; empty if it wants none.
    func answer(nonce: String) async throws(NATSError) -> CredentialsAnswer {
        if case .provider(let provider) = self.kind {
            let credentials = try await Self.called("the provider of credentials", provider)
            if case .provider = credentials.kind {
                throw Self.error("the provider of credentials gave another provider")
            }
            return try await credentials.ownAnswer(nonce: nonce)
        }
        return try await self.ownAnswer(nonce: nonce)
    }

    private func ownAnswer(nonce: String) async throws(NATSError) -> CredentialsAnswer {
        switch self.kind {
        case .none, .userPassword, .token, .provider:
            return self.immediateAnswer ?? CredentialsAnswer()
        case .nkeySeed(let seed):
            return try Self.answer(Self.keyPair(seed: seed), nonce: nonce)
        case .nkeySeedFile(let path):
            let file = try await Self.file(path)
            return try Self.answer(Self.keyPair(inFile: file, name: "the seed file \(path)"), nonce: nonce)
        case .nkey(let publicKey, let sign):
            try Self.check(publicKey: publicKey)
            let nonce = try Self.required(nonce)
            let signature = try await Self.called("the signer of the nkey") { try await sign(nonce) }
            return CredentialsAnswer(nkey: publicKey, signature: Base64.encodeURLSafe(signature))
        case .credentials(let contents):
            return try Self.answer(Self.file(contents: contents, name: "the credentials"), nonce: nonce)
        case .credentialsFile(let path):
            let file = try await Self.file(path)
            return try Self.answer(Self.file(contents: file, name: "the credentials file \(path)"), nonce: nonce)
        case .jwt(let jwt, let sign):
            var answer = CredentialsAnswer(jwt: try await Self.called("the function for the JWT", jwt))
            if let sign {
                let signature = try await Self.called("the signer of the JWT") { try await sign(Array(nonce.utf8)) }
                answer.signature = Base64.encodeURLSafe(signature)
            }
            return answer
        }
    }

    /// Finds out before any connection is made whether what does not change can be used.
    func check() throws(NATSError) {
        switch self.kind {
        case .none, .userPassword, .token, .nkeySeedFile, .credentialsFile, .jwt, .provider:
            break
        case .nkeySeed(let seed):
            _ = try Self.keyPair(seed: seed)
        case .nkey(let publicKey, _):
            try Self.check(publicKey: publicKey)
        case .credentials(let contents):
            _ = try Self.file(contents: contents, name: "the credentials")
        }
    }

    // MARK: Keys

    private static func answer(_ pair: NKeyPair, nonce: String) throws(NATSError) -> CredentialsAnswer {
        let signature = try self.signature(of: self.required(nonce), by: pair)
        return CredentialsAnswer(nkey: pair.publicKey.text, signature: signature)
    }

    private static func answer(_ file: CredentialsFile, nonce: String) throws(NATSError) -> CredentialsAnswer {
        // nats.go connectProto: a JWT is sent, and the nonce signed, whether the server asks for it or not.
        let signature = try self.signature(of: Array(nonce.utf8), by: file.keyPair)
        return CredentialsAnswer(jwt: file.jwt, signature: signature)
    }

    private static func signature(of nonce: [UInt8], by pair: NKeyPair) throws(NATSError) -> String {
        do throws(NKey.Failure) {
            return Base64.encodeURLSafe(try pair.sign(nonce))
        } catch {
            throw self.error("the key cannot sign: \(error)")
        }
    }

    /// nats.go connectProto: an nkey without a nonce proves nothing.
    private static func required(_ nonce: String) throws(NATSError) -> [UInt8] {
        guard !nonce.isEmpty else {
            throw NATSError(.nkeysNotSupported, "the server asks for no signature, and so knows no nkeys")
        }
        return Array(nonce.utf8)
    }

    private static func keyPair(seed: String) throws(NATSError) -> NKeyPair {
        try self.keyPair(inFile: Array(seed.utf8), name: "the seed")
    }

    private static func keyPair(inFile file: [UInt8], name: String) throws(NATSError) -> NKeyPair {
        do throws(CredentialsFile.Failure) {
            return try CredentialsFile.keyPair(inFile: file)
        } catch {
            throw self.error("\(name) cannot be used: \(error)")
        }
    }

    private static func file(contents: [UInt8], name: String) throws(NATSError) -> CredentialsFile {
        do throws(CredentialsFile.Failure) {
            return try CredentialsFile(contents)
        } catch {
            throw self.error("\(name) cannot be used: \(error)")
        }
    }

    private static func check(publicKey: String) throws(NATSError) {
        guard NKey.isPublicKey(publicKey, of: .user) else {
            throw self.error("the nkey is not the public key of a user")
        }
    }

    // MARK: Files and functions

    private static func file(_ path: String) async throws(NATSError) -> [UInt8] {
        // A file may be on a disk that takes its time.
        let box = ResultBox<[UInt8]>()
        NIOThreadPool.singleton.submit { state in
            guard case .active = state else {
                box.complete(.failure(Self.error("the file \(path) was not read")))
                return
            }
            do throws(NATSError) {
                box.complete(.success(try SecretFile.read(path)))
            } catch {
                box.complete(.failure(error))
            }
        }
        return try await box.value()
    }

    private static func called<Value: Sendable>(
        _ name: String,
        _ body: @Sendable () async throws -> Value
    ) async throws(NATSError) -> Value {
        do {
            return try await body()
        } catch {
            throw self.error("\(name) failed", cause: error)
        }
    }

    private static func error(_ message: String, cause: (any Error)? = nil) -> NATSError {
        NATSError(.badCredentials, message, cause: cause)
    }
}
