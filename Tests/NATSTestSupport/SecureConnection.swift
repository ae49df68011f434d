import NATSWire
import NIOCore
import NIOPosix
package import NIOSSL

/// A client that a test scripts, inside TLS; it answers PINGs of the server itself.
package final class SecureConnection: Sendable {
    package struct Options: Sendable {
        /// PEM text of the authorities to trust.
        package var authority: String
        package var identity: TestCertificate?
        package var maximumVersion: TLSVersion?
        package var minimumVersion = TLSVersion.tlsv1
        /// TLS 1.2 suites.
        package var cipherSuites: [NIOTLSCipher]?
        /// The handshake begins without INFO.
        package var handshakeFirst = false
        package var receiveBuffer: Int?

        /// The same for a client that knows no version above 1.2, and `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384` only.
        package var ofVersion12: Options {
            var options = self
            options.maximumVersion = .tlsv12
            options.cipherSuites = [.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
            return options
        }

        package init(authority: String, identity: TestCertificate? = nil) {
            self.authority = authority
            self.identity = identity
        }
    }

    private let channel: any Channel
    private let inbox: Watched<RawConnection.Inbox>
    private let certificate: Watched<NIOSSLCertificate?>
    /// The INFO that came in clear text.
    package let clearInfo: String

    private init(
        _ channel: any Channel,
        _ inbox: Watched<RawConnection.Inbox>,
        _ certificate: Watched<NIOSSLCertificate?>,
        _ info: String
    ) {
        self.channel = channel
        self.inbox = inbox
        self.certificate = certificate
        self.clearInfo = info
    }

    deinit { self.channel.close(promise: nil) }

    /// Connects to a port of 127.0.0.1, reads INFO in clear text unless the handshake comes first, and begins the
    /// handshake; how that ends shows in what can be read.
    package static func connect(port: Int, _ options: Options) async throws -> SecureConnection {
        let inbox = Watched(RawConnection.Inbox())
        let certificate = Watched<NIOSSLCertificate?>(nil)
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
        if let size = options.receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(size))
        }
        let channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox, certificate))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        do {
            var info = ""
            if !options.handshakeFirst {
                let isComplete = await inbox.wait { $0.bytes.last == 0x0a || $0.end != nil }
                info = inbox.update { inbox in
                    defer { inbox.bytes = [] }
                    return String(decoding: inbox.bytes, as: UTF8.self)
                }
                guard isComplete, info.hasPrefix("INFO ") else {
                    throw Failure(description: "no INFO in clear text but \(info)")
                }
            }
            let context = try Self.context(options)
            try await channel.eventLoop.submit {
                let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                try channel.pipeline.syncOperations.addHandler(handler, position: .first)
            }.get()
            return SecureConnection(channel, inbox, certificate, info)
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static func context(_ options: Options) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(options.authority.utf8)))
        configuration.minimumTLSVersion = options.minimumVersion
        configuration.maximumTLSVersion = options.maximumVersion
        if let suites = options.cipherSuites { configuration.cipherSuiteValues = suites }
        if let identity = options.identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificateText.utf8))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(identity.keyText.utf8), format: .pem)
            )
        }
        return try NIOSSLContext(configuration: configuration)
    }

    package func send(_ text: String) async { await self.send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) async {
        try? await self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Reads up to and including the marker.
    package func read(until marker: String, fileID: String = #fileID, line: Int = #line) async throws -> String {
        let marker = Array(marker.utf8)
        _ = await self.inbox.wait { $0.end != nil || $0.bytes.endOfFirst(marker) != nil }
        let inbox = self.inbox.value
        guard let end = inbox.bytes.endOfFirst(marker) else {
            throw Failure(
                description: "\(fileID):\(line): \(describe(inbox.bytes)) and \(String(describing: inbox.end))"
            )
        }
        self.inbox.update { $0.bytes.removeFirst(end) }
        return String(decoding: inbox.bytes[..<end], as: UTF8.self)
    }

    /// Reads so many bytes.
    package func read(count: Int) async throws -> [UInt8] {
        _ = await self.inbox.wait(timeout: .seconds(60)) { $0.bytes.count >= count || $0.end != nil }
        let inbox = self.inbox.value
        guard inbox.bytes.count >= count else {
            throw Failure(description: "\(inbox.bytes.count) of \(count) bytes, and \(String(describing: inbox.end))")
        }
        self.inbox.update { $0.bytes.removeFirst(count) }
        return Array(inbox.bytes[..<count])
    }

    /// Sends CONNECT with these members and a PING, and reads what comes first.
    package func connect(_ members: String = "\"verbose\":false") async throws -> String {
        await self.send("CONNECT {\(members)}\r\nPING\r\n")
        return try await self.read(until: "\r\n")
    }

    /// What came before the end of the connection.
    package func readToEnd() async -> String {
        _ = await self.inbox.wait { $0.end != nil }
        return String(decoding: self.inbox.value.bytes, as: UTF8.self)
    }

    package var hasEnded: Bool { self.inbox.value.end != nil }

    /// The server's certificate, DER.
    package func serverCertificate() async throws -> [UInt8] {
        _ = await self.certificate.wait { $0 != nil }
        return try self.certificate.value?.toDERBytes() ?? []
    }

    package func pauseReading() async throws {
        try await self.channel.setOption(.autoRead, value: false).get()
    }

    package func close() { self.channel.close(promise: nil) }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Watched<RawConnection.Inbox>
        private let certificate: Watched<NIOSSLCertificate?>
        private var filter = PingFilter()

        init(_ inbox: Watched<RawConnection.Inbox>, _ certificate: Watched<NIOSSLCertificate?>) {
            self.inbox = inbox
            self.certificate = certificate
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(self.unwrapInboundIn(data).readableBytesView)
            if self.certificate.value == nil,
                let found = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            {
                self.certificate.update { $0 = found }
            }
            let (rest, pings) = self.filter.filter(bytes[...])
            for _ in 0..<pings {
                context.writeAndFlush(NIOAny(ByteBuffer(string: "PONG\r\n")), promise: nil)
            }
            self.inbox.update { $0.bytes += rest }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.ended(.reset)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { self.ended(.closed) }

        private func ended(_ end: RawConnection.End) {
            let rest = self.filter.rest
            self.filter = PingFilter()
            self.inbox.update { inbox in
                inbox.bytes += rest
                inbox.end = inbox.end ?? end
            }
        }
    }
}
