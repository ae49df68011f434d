import NIOCore
import NIOPosix
import NIOSSL

/// Makes what a TLS handshake needs out of a configuration.
///
/// Reads files: not for event loops.
struct SecureContext: Sendable {
    let context: NIOSSLContext
    /// Whether the certificate must be for the server, which is ours to find out: see ``ServerIdentity``.
    let checksIdentity: Bool

    static func make(_ tls: NATSClientConfiguration.TLS) throws(NATSError) -> SecureContext {
        var configuration = try self.configuration(tls)
        let checksIdentity = configuration.certificateVerification == .fullVerification
        if checksIdentity {
            // The chain is verified all the same.
            configuration.certificateVerification = .noHostnameVerification
        }
        let final = configuration
        let context = try self.using("the TLS configuration") { try NIOSSLContext(configuration: final) }
        return SecureContext(context: context, checksIdentity: checksIdentity)
    }

    /// The same on a thread that may block.
    static func make(
        _ tls: NATSClientConfiguration.TLS,
        eventLoop: any EventLoop
    ) -> EventLoopFuture<Result<SecureContext, NATSError>> {
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            do throws(NATSError) {
                return .success(try self.make(tls))
            } catch {
                return .failure(error)
            }
        }
    }

    /// A client that closes waits so long for the server to close as well.
    static let shutdownTimeout = TimeAmount.milliseconds(200)

    static func configuration(_ tls: NATSClientConfiguration.TLS) throws(NATSError) -> TLSConfiguration {
        var configuration = try self.unlimitedConfiguration(tls)
        // The 5 s of NIOSSL would hold up every close whose server is gone.
        configuration.shutdownTimeout = min(configuration.shutdownTimeout, self.shutdownTimeout)
        return configuration
    }

    private static func unlimitedConfiguration(
        _ tls: NATSClientConfiguration.TLS
    ) throws(NATSError) -> TLSConfiguration {
        if let make = tls.configuration {
            return try self.using("the TLS configuration") { try make() }
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let roots = tls.trustRoots {
            let bytes = try self.bytes(roots)
            let certificates = try self.using("the trust roots (\(roots))") {
                try NIOSSLCertificate.fromPEMBytes(bytes)
            }
            configuration.trustRoots = .certificates(certificates)
        }
        if let certificate = tls.certificate, let key = tls.privateKey {
            let bytes = try self.bytes(certificate)
            let chain = try self.using("the certificate (\(certificate))") { try NIOSSLCertificate.fromPEMBytes(bytes) }
            configuration.certificateChain = chain.map { .certificate($0) }
            let keyBytes = try self.bytes(key)
            let privateKey = try self.using("the private key (\(key))") {
                try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
            }
            configuration.privateKey = .privateKey(privateKey)
        }
        if tls.skipsVerification {
            configuration.certificateVerification = .none
        }
        return configuration
    }

    private static func bytes(_ pem: NATSClientConfiguration.TLS.PEM) throws(NATSError) -> [UInt8] {
        let bytes: [UInt8]
        switch pem {
        case .file(let path):
            do throws(NATSError) {
                bytes = try SecretFile.read(path)
            } catch {
                throw NATSError(.tls, error.message)
            }
        case .text(let text):
            bytes = Array(text.utf8)
        }
        guard !bytes.isEmpty else {
            throw NATSError(.tls, "a PEM \(pem) is empty")
        }
        return bytes
    }

    private static func using<Value>(_ name: String, _ body: () throws -> Value) throws(NATSError) -> Value {
        do {
            return try body()
        } catch {
            throw NATSError(.tls, "\(name) cannot be used", cause: error)
        }
    }
}
