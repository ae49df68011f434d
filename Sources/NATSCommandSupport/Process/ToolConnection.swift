package import NATSClient
import NATSText
package import NIOCore

/// Makes the tools' connections.
package enum ToolConnection {
    /// What happens when the connection cannot be made, or is lost.
    package enum Reconnect: Sendable {
        /// The tool ends.
        case never
        /// A connection that is lost is made again, once a second so many times, or for ever; the Go tools do so 600 times.
        case everySecond(attempts: Int?)
        /// The first one is not given up either; so long a wait is between two passes over the servers.
        case untilConnected(wait: Duration)

        /// What `--max-reconnects` asks for; less than zero is for ever.
        package init(maximumAttempts: Int) {
            self = maximumAttempts == 0 ? .never : .everySecond(attempts: maximumAttempts < 0 ? nil : maximumAttempts)
        }

        /// What `--retry` asks for.
        package init(retry: DurationArgument?) {
            self = retry.map { .untilConnected(wait: $0.duration) } ?? .never
        }

        /// Said behind the reason when a connection is lost.
        package var announcement: String {
            switch self {
            case .never, .untilConnected: ""
            case .everySecond(attempts: nil): ", will attempt reconnects for ever"
            case .everySecond(let attempts?) where attempts % 60 == 0: ", will attempt reconnects for \(attempts / 60)m"
            case .everySecond(let attempts?): ", will attempt reconnects for \(attempts)s"
            }
        }
    }

    /// What a server's `max_payload` allows; the client takes a missing or senseless one for 64 MiB, its own limit.
    package static func maximumPayload(announced: Int) -> Int {
        announced > 0 ? min(announced, 64 << 20) : 64 << 20
    }

    /// How the client connects and behaves.
    ///
    /// - Parameters:
    ///   - settings: Servers, credentials and so on.
    ///   - eventLoop: Where the connection lives.
    ///   - reconnect: What happens when the connection cannot be made, or is lost.
    /// - Returns: The configuration.
    /// - Throws: `ToolFailure` for credentials that are not there.
    package static func configuration(
        _ settings: ConnectionSettings,
        eventLoop: any EventLoop,
        reconnect: Reconnect
    ) throws -> NATSClientConfiguration {
        var configuration = NATSClientConfiguration(servers: settings.servers)
        configuration.name = settings.name
        configuration.connectTimeout = settings.timeout
        configuration.credentials = try settings.credentials.clientCredentials()
        configuration.tls = settings.tls.clientTLS
        configuration.proxy = settings.proxy?.clientProxy
        if let prefix = settings.inboxPrefix { configuration.inboxPrefix = prefix }
        switch reconnect {
        case .never:
            configuration.allowReconnect = false
        case .everySecond(let attempts):
            configuration.maxReconnects = attempts
            configuration.waitsBeforeFirstReconnect = true
            Self.setWait(.seconds(1), &configuration)
        case .untilConnected(let wait):
            configuration.disconnectedPublish = .wait
            Self.setWait(wait, &configuration)
        }
        configuration.eventLoopGroup = eventLoop
        return configuration
    }

    /// Connects, or fails after one pass over the servers, unless told to go on.
    ///
    /// - Parameters:
    ///   - context: Servers, credentials and so on.
    ///   - reconnect: What happens when the connection cannot be made, or is lost.
    ///   - noEcho: The server keeps own messages back.
    /// - Returns: The client.
    /// - Throws: `ToolFailure`, also if a signal came.
    package static func connect(
        _ context: ToolContext,
        reconnect: Reconnect,
        noEcho: Bool = false
    ) async throws -> NATSClient {
        let configuration = try Self.configuration(context, reconnect, noEcho: noEcho)
        if let name = context.settings.context {
            context.diagnostics.detail("Using context \(GoString.quoted(name))")
        }
        var isAnnounced = false
        while true {
            do {
                let client = try await context.shutdown.abandonable { try await NATSClient.connect(configuration) }
                if let server = client.serverInfo {
                    let (url, name) = (PeerText.harmless(server.url), PeerText.harmless(server.name))
                    context.diagnostics.detail("Connected to \(url) (\(name))")
                }
                return client
            } catch let error as NATSError {
                // Status 3 is kept for messages and replies that did not come.
                let failure = ToolFailure(ToolFailure(error).description, status: .failure)
                guard case .untilConnected(let wait) = reconnect, Self.mayPass(error) else { throw failure }
                if !isAnnounced {
                    let interval = GoDuration.text(wait)
                    context.diagnostics.say("nats: \(failure.description), trying again every \(interval)")
                }
                isAnnounced = true
                await context.sleep(for: wait)
                if context.shutdown.signal != nil { throw CancellationError() }
            }
        }
    }

    private static func configuration(
        _ context: ToolContext,
        _ reconnect: Reconnect,
        noEcho: Bool
    ) throws -> NATSClientConfiguration {
        var configuration = try Self.configuration(context.settings, eventLoop: context.eventLoop, reconnect: reconnect)
        configuration.noEcho = noEcho
        if context.tracesProtocol {
            let diagnostics = context.diagnostics
            configuration.protocolTrace = { line in
                let arrow = line.direction == .sent ? "->" : "<-"
                diagnostics.report("\(arrow) \(GoString.harmless(line.bytes))")
            }
        }
        return configuration
    }

    private static func setWait(_ wait: Duration, _ configuration: inout NATSClientConfiguration) {
        configuration.reconnectWait = wait
        configuration.maxReconnectWait = wait
        configuration.reconnectJitter = .zero
        configuration.secureReconnectJitter = .zero
    }

    /// Whether what a server says ends its connection and nothing else, so that with `--retry` the next one is waited for.
    package static func endsOnlyConnection(_ error: NATSError) -> Bool {
        switch error.code {
        case .authExpired, .accountAuthExpired: true
        default: Self.mayPass(error)
        }
    }

    /// Whether another attempt may succeed where this one failed: not with credentials or TLS that were refused.
    private static func mayPass(_ error: NATSError) -> Bool {
        switch error.code {
        case .noServers, .timeout, .connectionFailed, .disconnected, .proxyFailed, .webSocketFailed, .noInfoReceived,
            .staleConnection, .maximumConnectionsExceeded, .maximumAccountConnectionsExceeded, .authenticationTimeout:
            true
        default:
            false
        }
    }
}

extension NATSClient {
    /// The largest headers plus payload that the client sends to the server.
    package var maximumPayload: Int {
        ToolConnection.maximumPayload(announced: self.serverInfo?.maxPayload ?? 1_048_576)
    }
}

extension ConnectionSettings.TLS {
    /// The same for the client.
    package var clientTLS: NATSClientConfiguration.TLS {
        var tls = NATSClientConfiguration.TLS()
        tls.isRequired = self.isRequired
        tls.handshakeFirst = self.handshakeFirst
        tls.skipsVerification = self.skipsVerification
        tls.serverName = self.serverName
        tls.certificate = self.certificate.map { .file($0) }
        tls.privateKey = self.privateKey.map { .file($0) }
        tls.trustRoots = self.authorities.map { .file($0) }
        return tls
    }
}
