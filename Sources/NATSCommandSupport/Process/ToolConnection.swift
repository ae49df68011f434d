package import NATSClient
import NATSText

/// Makes the tools' connections.
package enum ToolConnection {
    /// What happens when the connection is lost.
    package enum Reconnect: Sendable {
        /// The tool ends.
        case never
        /// Once a second so many times, or for ever; the Go tools do so 600 times.
        case everySecond(attempts: Int?)

        /// What `--max-reconnects` asks for; less than zero is for ever.
        package init(maximumAttempts: Int) {
            self = maximumAttempts == 0 ? .never : .everySecond(attempts: maximumAttempts < 0 ? nil : maximumAttempts)
        }

        /// Said behind the reason when a connection is lost.
        package var announcement: String {
            switch self {
            case .never: ""
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

    /// Connects, or fails after one pass over the servers.
    ///
    /// - Parameters:
    ///   - context: Servers, credentials and so on.
    ///   - reconnect: What happens when the connection is lost.
    ///   - noEcho: The server keeps own messages back.
    /// - Returns: The client.
    /// - Throws: `ToolFailure`, also if a signal came.
    package static func connect(
        _ context: ToolContext,
        reconnect: Reconnect,
        noEcho: Bool = false
    ) async throws -> NATSClient {
        let settings = context.settings
        var configuration = NATSClientConfiguration(servers: settings.servers)
        configuration.name = settings.name
        configuration.noEcho = noEcho
        configuration.connectTimeout = settings.timeout
        configuration.credentials = try settings.credentials.clientCredentials()
        configuration.tls = settings.tls.clientTLS
        configuration.proxy = settings.proxy?.clientProxy
        if let prefix = settings.inboxPrefix { configuration.inboxPrefix = prefix }
        if let name = settings.context {
            context.diagnostics.detail("Using context \(GoString.quoted(name))")
        }
        switch reconnect {
        case .never:
            configuration.allowReconnect = false
        case .everySecond(let attempts):
            configuration.maxReconnects = attempts
            configuration.reconnectWait = .seconds(1)
            configuration.maxReconnectWait = .seconds(1)
            configuration.reconnectJitter = .zero
            configuration.waitsBeforeFirstReconnect = true
        }
        configuration.eventLoopGroup = context.eventLoop
        let finished = configuration
        let client: NATSClient
        do {
            client = try await context.cancelledBySignal { try await NATSClient.connect(finished) }
        } catch let error as NATSError {
            // Status 3 is kept for messages and replies that did not come.
            throw ToolFailure(ToolFailure(error).description, status: .failure)
        }
        if let server = client.serverInfo {
            context.diagnostics.detail("Connected to \(server.url) (\(GoString.harmless(server.name.utf8)))")
        }
        return client
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
