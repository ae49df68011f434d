import NATSCommandSupport
import NIOSSL

/// TLS as the options say.
enum SecureContext {
    /// - Throws: `ToolFailure` that names the file that cannot be used.
    static func make(_ options: TopOptions) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if options.insecure { configuration.certificateVerification = .none }
        if let file = options.cacert {
            configuration.trustRoots = .certificates(try Self.using(file) { try NIOSSLCertificate.fromPEMFile(file) })
        }
        if let certificate = options.cert, let key = options.key {
            let chain = try Self.using(certificate) { try NIOSSLCertificate.fromPEMFile(certificate) }
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try Self.using(key) { try NIOSSLPrivateKey(file: key, format: .pem) }
            )
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ToolFailure("certificate or key cannot be used: \(error)", status: .usage)
        }
    }

    private static func using<Result>(_ file: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw ToolFailure("cannot use \(file): \(error)", status: .usage)
        }
    }
}
