import NATSCommandSupport
import NIOSSL

/// TLS as the options say, for each way to come to a host.
struct SecureContexts: Sendable {
    /// For hosts that the user named.
    let named: NIOSSLContext
    /// For hosts of which only other servers told.
    let found: NIOSSLContext

    /// - Throws: `ToolFailure` that names the file that cannot be used.
    init(_ options: TopOptions) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if options.insecure { configuration.certificateVerification = .none }
        if let file = options.cacert {
            configuration.trustRoots = .certificates(try Self.using(file) { try NIOSSLCertificate.fromPEMFile(file) })
        }
        let plain = try Self.context(configuration)
        guard let certificate = options.cert, let key = options.key else {
            (self.named, self.found) = (plain, plain)
            return
        }
        let chain = try Self.using(certificate) { try NIOSSLCertificate.fromPEMFile(certificate) }
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(try Self.using(key) { try NIOSSLPrivateKey(file: key, format: .pem) })
        self.named = try Self.context(configuration)
        // Who a server says is its peer learns who we are only if the user's own authority vouches for it: by the system's
        // anybody has a certificate.
        self.found = options.cacert != nil && !options.insecure ? self.named : plain
    }

    private static func context(_ configuration: TLSConfiguration) throws -> NIOSSLContext {
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
