import Crypto
import NATSServerConfig
import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Reads configuration files from disk.
enum ConfigurationFile {
    /// A file that has been read: its options and its digest.
    struct Loaded: Sendable {
        var configuration: ServerConfiguration
        /// `sha256:` and 64 digits.
        var digest: String
        /// What is wrong, one line each; empty if nothing is.
        var errorReport: String
        /// What a server starts with in spite of it, one line each.
        var warningReport: String
    }

    /// Files that are larger than this are no configurations.
    private static let sizeLimit = 64 << 20

    static func load(_ path: String) throws(ConfigurationSyntaxError) -> Loaded {
        let loaded = try ServerConfiguration.load(
            path: path,
            environment: Self.environment(),
            readFile: { path throws(ConfigurationFileError) in try Self.read(path) },
            checks: Self.checks
        )
        var configuration = loaded.configuration
        configuration.completeFromOperator()
        let digest = SHA256.hash(data: loaded.canonicalBytes).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0\(text)" : text
        }
        return Loaded(
            configuration: configuration,
            digest: "sha256:\(digest.joined())",
            errorReport: loaded.errors.isEmpty ? "" : loaded.report,
            warningReport: loaded.warnings.isEmpty ? "" : loaded.report
        )
    }

    /// What the configuration module cannot tell by itself.
    private static let checks: ConfigurationChecks = {
        var checks = ConfigurationChecks()
        checks.keyPair = { TLSContext.problem(certificate: $0, key: $1) }
        checks.checkJWTs()
        checks.authorities = { TLSContext.problem(authorities: $0) }
        return checks
    }()

    private static func read(_ path: String) throws(ConfigurationFileError) -> [UInt8] {
        if let problem = SystemCalls.reasonNotToRead(path) {
            throw ConfigurationFileError(problem.description)
        }
        guard let bytes = SystemCalls.readFile(path, limit: Self.sizeLimit) else {
            throw ConfigurationFileError("read \(path): \(SystemCallError.text(errno))")
        }
        return bytes
    }

    private static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            next += 1
            let text = String(cString: entry)
            guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
            result[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
        }
        return result
    }
}
