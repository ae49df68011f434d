internal import NATSAuth
internal import NATSWire

/// What a leaf node proves with who it is: a file, or a key.
enum LeafCredentials {
    /// In the official server's words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Adds the proof to a CONNECT.
    ///
    /// May read a file: not for event loops.
    static func sign(_ connect: inout LeafConnect, for options: LeafNodesOptions.Remote, nonce: String) throws(Failure)
    {
        if let path = options.credentials {
            let file: [UInt8]
            do {
                file = try PlainFile.read(path)
            } catch {
                throw Failure(description: error.description)
            }
            let keys: NKeyPair
            do {
                keys = try CredentialsFile.keyPair(inFile: file)
            } catch {
                throw Failure(description: "Credentials file malformed")
            }
            connect.jwt = CredentialsFile.jwt(inFile: file)
            connect.signature = try self.signature(of: nonce, keys)
        } else if let seed = options.seed {
            guard let keys = try? NKeyPair(seed: seed) else {
                throw Failure(description: "Remote nkey has malformed seed")
            }
            connect.nkey = keys.publicKey.text
            connect.signature = try self.signature(of: nonce, keys)
        }
    }

    private static func signature(of nonce: String, _ keys: NKeyPair) throws(Failure) -> String {
        guard let signature = try? keys.sign(Array(nonce.utf8)) else {
            throw Failure(description: "Remote nkey has malformed seed")
        }
        return Base64.encodeURLSafe(signature)
    }
}
