import Crypto
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// Certificates and rules of a `tls` block, loaded and checked: what new connections are secured with.
package final class TLSContext: Sendable {
    /// Why a `tls` block cannot be used, in the official server's words where it has some.
    package struct LoadError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Enough for a large write; more is given back after it.
    private static let preservedOutput = 64 << 10
    /// Time that a client of the monitoring port has for its good-bye.
    private static let farewell = TimeAmount.milliseconds(500)

    package let options: TLSOptions
    /// SHA-256 of all files, to tell whether a reload finds others.
    package let digest: [UInt8]
    /// End of validity of the first certificate, in seconds since 1970.
    package let notValidAfter: Int?
    private let authorities: CertificateChain
    private let isUsed = Atomic<Bool>(false)
    private let clientContext: NIOSSLContext
    private let monitoringContext: NIOSSLContext

    /// Reads and checks everything that the options name.
    ///
    /// - Parameters:
    ///   - options: The block.
    ///   - readFile: How a file is read.
    /// - Throws: ``LoadError`` if something cannot be read or used.
    package init(
        _ options: TLSOptions,
        readFile: (String) throws(PlainFile.Failure) -> [UInt8] = PlainFile.read
    ) throws(LoadError) {
        var hash = SHA256()
        func read(_ source: TLSOptions.Source) throws(PlainFile.Failure) -> [UInt8] {
            let bytes =
                switch source {
                case .file(let path): try readFile(path)
                case .text(let bytes): bytes
                }
            hash.update(data: bytes)
            return bytes
        }
        let (identities, authorities) = try Self.load(options, read)
        self.options = options
        self.authorities = CertificateChain(authorities: (authorities ?? []).compactMap { try? $0.toDERBytes() })
        self.digest = Array(hash.finalize())
        self.notValidAfter = identities.first?.chain.first.map { Int($0.notValidAfter) }
        self.clientContext = try Self.makeContext(
            options,
            identities,
            authorities,
            verify: options.wantsClientCertificate
        )
        self.monitoringContext = try Self.makeContext(options, identities, authorities, verify: false)
    }

    /// A client's certificate that has been verified, and those above it; in DER.
    func chain(from certificate: [UInt8]) -> [[UInt8]] { self.authorities.chain(from: certificate) }

    /// A handshake has come to its end.
    func wasUsed() { self.isUsed.store(true, ordering: .relaxed) }

    /// Whether a reload that finds the same says that TLS has changed: the official server compares its contexts, which
    /// clients' handshakes change.
    package func seemsChanged(to other: TLSContext?) -> Bool {
        self.isUsed.load(ordering: .relaxed) || self.digest != other?.digest
    }

    /// What secures a client's connection.
    func makeClientHandler() -> NIOSSLServerHandler { Self.makeHandler(self.clientContext) }

    /// What secures a connection to the monitoring port: the same certificates, but clients need none
    /// (nats-server server.go getMonitoringTLSConfig).
    func addMonitoringHandler(to channel: any Channel, logger: Logger) throws {
        let handler = Self.makeHandler(self.monitoringContext)
        let plainHTTP = PlainHTTPGuard(logger)
        let handlers: [any ChannelHandler] = [plainHTTP, handler, MonitoringHandshakeLog(logger, plainHTTP)]
        try channel.pipeline.syncOperations.addHandlers(handlers, position: .first)
    }

    /// Secures a connection to the WebSocket port, with what a client's is secured with.
    func addWebSocketHandlers(to channel: any Channel, logger: Logger) throws -> ConnectionSecurity {
        let handler = self.makeClientHandler()
        let observer = TLSHandshakeObserver()
        let plainHTTP = PlainHTTPGuard(logger, of: "websocket")
        let log = MonitoringHandshakeLog(logger, plainHTTP, of: "websocket")
        let handlers: [any ChannelHandler] = [plainHTTP, observer, handler, log]
        try channel.pipeline.syncOperations.addHandlers(handlers, position: .first)
        return ConnectionSecurity(rules: self, handler: handler, observer: observer)
    }

    /// Checks a certificate and its key without using them.
    ///
    /// - Returns: `nil`, or what follows `error parsing X509 certificate/key pair: ` in the official server's message.
    package static func problem(certificate: [UInt8], key: [UInt8]) -> String? {
        do throws(Identity.Failure) {
            _ = try Identity(certificate: certificate, key: key)
            return nil
        } catch {
            return error.description
        }
    }

    /// Checks that there is at least one usable certificate.
    ///
    /// - Returns: `nil`, or the official server's message.
    package static func problem(authorities: [UInt8]) -> String? {
        self.certificates(authorities).isEmpty ? "failed to parse root ca certificate" : nil
    }

    private static func makeHandler(_ context: NIOSSLContext) -> NIOSSLServerHandler {
        var configuration = NIOSSLHandler.Configuration()
        configuration.maximumPreservedOutboundBufferCapacity = Self.preservedOutput
        return NIOSSLServerHandler(context: context, configuration: configuration)
    }

    /// What this server secures connections with that it makes itself: the certificate it shows if it is asked for one,
    /// and the authorities that it trusts.
    ///
    /// - Parameters:
    ///   - options: The block.
    ///   - isInsecure: Whether the other side's certificate may be any.
    ///   - readFile: How a file is read.
    /// - Returns: what new connections are made with.
    /// - Throws: ``LoadError`` if something cannot be read or used.
    static func client(
        _ options: TLSOptions,
        isInsecure: Bool,
        readFile: (String) throws(PlainFile.Failure) -> [UInt8] = PlainFile.read
    ) throws(LoadError) -> NIOSSLContext {
        let (identities, authorities) = try Self.load(options) { source throws(PlainFile.Failure) in
            switch source {
            case .file(let path): try readFile(path)
            case .text(let bytes): bytes
            }
        }
        return try Self.makeContext(options, identities, authorities, verify: !isInsecure, isClient: true)
    }

    private static func load(
        _ options: TLSOptions,
        _ read: (TLSOptions.Source) throws(PlainFile.Failure) -> [UInt8]
    ) throws(LoadError) -> ([Identity], [NIOSSLCertificate]?) {
        var identities: [Identity] = []
        for (index, pair) in options.keyPairs.enumerated() {
            let place = options.keyPairs.count > 1 ? " \(index + 1)/\(options.keyPairs.count)" : ""
            do {
                identities.append(try Identity(certificate: try read(pair.certificate), key: try read(pair.key)))
            } catch {
                throw LoadError(description: "error parsing X509 certificate/key pair\(place): \(error)")
            }
        }
        var authorities: [NIOSSLCertificate]?
        if let source = options.authorities {
            let bytes: [UInt8]
            do {
                bytes = try read(source)
            } catch {
                throw LoadError(description: error.description)
            }
            authorities = Self.certificates(bytes)
            guard let authorities, !authorities.isEmpty else {
                throw LoadError(description: "failed to parse root ca certificate")
            }
        }
        return (identities, authorities)
    }

    /// The certificates of a text, but for those that cannot be parsed (Go's x509 AppendCertsFromPEM).
    private static func certificates(_ text: [UInt8]) -> [NIOSSLCertificate] {
        PEM.blocks(text).filter { $0.type == "CERTIFICATE" && !$0.hasHeaders }.compactMap { block in
            try? NIOSSLCertificate(bytes: block.text, format: .pem)
        }
    }

    private static func makeContext(
        _ options: TLSOptions,
        _ identities: [Identity],
        _ authorities: [NIOSSLCertificate]?,
        verify: Bool,
        isClient: Bool = false
    ) throws(LoadError) -> NIOSSLContext {
        // There is no other way to make one without a certificate, which the official server allows: handshakes fail then.
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = identities.first.map { $0.chain.map { .certificate($0) } } ?? []
        configuration.privateKey = identities.first.map { .privateKey($0.key) }
        configuration.trustRoots = authorities.map { .certificates($0) } ?? .default
        let verification = isClient ? CertificateVerification.fullVerification : .noHostnameVerification
        configuration.certificateVerification = verify ? verification : .none
        configuration.sendCANameList = verify && !isClient && authorities != nil
        configuration.minimumTLSVersion = options.minVersion == .v13 ? .tlsv13 : .tlsv12
        configuration.maximumTLSVersion = nil
        configuration.renegotiationSupport = .none
        configuration.shutdownTimeout = Self.farewell
        do {
            let suites = try TLSNames.cipherSuites(
                options.cipherSuites,
                allowInsecure: options.allowInsecureCipherSuites
            )
            if suites.isEmpty {
                // Only suites of TLS 1.3 were named: nothing is left for TLS 1.2.
                configuration.minimumTLSVersion = .tlsv13
            } else {
                configuration.cipherSuiteValues = suites
            }
            configuration.curves = try TLSNames.curves(options.curvePreferences)
        } catch {
            throw LoadError(description: error.description)
        }
        if identities.count > 1 { configuration.sslContextCallback = Self.chooser(identities) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw LoadError(description: "TLS configuration cannot be used: \(error)")
        }
    }

    /// Chooses a certificate by the host name that a client asks for; the first one if none fits.
    private static func chooser(_ identities: [Identity]) -> NIOSSLContextCallback {
        let choices = identities.map { identity in
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = identity.chain.map { .certificate($0) }
            override.privateKey = .privateKey(identity.key)
            return (names: identity.names, override: override)
        }
        return { values, promise in
            let wanted = values.serverHostname.map { Array($0.lowercased().utf8) }
            let choice = choices.first { choice in
                wanted.map { wanted in choice.names.contains { HostNamePattern.matches($0, wanted) } } ?? false
            }
            promise.succeed(choice?.override ?? .noChanges)
        }
    }
}

/// A certificate chain with its key.
private struct Identity: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey
    /// DNS names of the first certificate, in lower case.
    let names: [[UInt8]]

    /// Go's crypto/tls X509KeyPair, for its messages.
    init(certificate: [UInt8], key: [UInt8]) throws(Failure) {
        let certificateTypes = PEM.blockTypes(certificate)
        guard certificateTypes.contains("CERTIFICATE") else {
            throw Self.missingCertificate(certificateTypes)
        }
        let keyTypes = PEM.blockTypes(key)
        guard keyTypes.contains(where: { $0 == "PRIVATE KEY" || $0.hasSuffix(" PRIVATE KEY") }) else {
            throw Self.missingKey(keyTypes)
        }
        let blocks = PEM.blocks(certificate).filter { $0.type == "CERTIFICATE" }
        let chain = blocks.map { try? NIOSSLCertificate(bytes: $0.text, format: .pem) }
        guard let first = chain.first ?? nil else { throw Failure(description: "x509: malformed certificate") }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(bytes: key, format: .pem)
        } catch {
            throw Failure(description: "tls: failed to parse private key")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(first)],
            privateKey: .privateKey(privateKey)
        )
        configuration.certificateVerification = .none
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            let hasOtherType = String(describing: error).contains("KEY_TYPE_MISMATCH")
            throw Failure(
                description:
                    "tls: private key \(hasOtherType ? "type " : "")does not match public key\(hasOtherType ? " type" : "")"
            )
        }
        // Go passes on the others without looking at them; here what cannot be parsed is left out.
        self.chain = chain.compactMap { $0 }
        self.key = privateKey
        let names = (try? first.toDERBytes()).flatMap { try? ClientCertificate(der: $0) }?.dnsNames ?? []
        self.names = names.map { Array($0.lowercased().utf8) }
    }

    private static func missingCertificate(_ types: [String]) -> Failure {
        if types.isEmpty { return Failure(description: "tls: failed to find any PEM data in certificate input") }
        if types.count == 1, types[0].hasSuffix("PRIVATE KEY") {
            return Failure(
                description: """
                    tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs \
                    may have been switched
                    """
            )
        }
        return Failure(
            description: """
                tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the \
                following types: [\(types.joined(separator: " "))]
                """
        )
    }

    private static func missingKey(_ types: [String]) -> Failure {
        if types.isEmpty { return Failure(description: "tls: failed to find any PEM data in key input") }
        if types == ["CERTIFICATE"] {
            return Failure(description: "tls: found a certificate rather than a key in the PEM for the private key")
        }
        return Failure(
            description: """
                tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of \
                the following types: [\(types.joined(separator: " "))]
                """
        )
    }
}

/// The names of a certificate, which may begin with `*.`.
enum HostNamePattern {
    /// Whether a host name, in lower case like the pattern, is meant by it.
    static func matches(_ pattern: [UInt8], _ host: [UInt8]) -> Bool {
        let dot = UInt8(ascii: ".")
        guard pattern.starts(with: [UInt8(ascii: "*"), dot]) else { return !pattern.isEmpty && pattern == host }
        guard let end = host.firstIndex(of: dot), end > 0 else { return false }
        return pattern.dropFirst() == host[end...]
    }
}
