import NATSAuth
import NATSTestServer

/// One cell of the matrix in which the behaviour of the client holds: a server, a link to it, and who the client is.
package struct MatrixCell: Sendable, Hashable, CustomStringConvertible {
    package enum Server: Sendable, Hashable, CustomStringConvertible {
        case official(OfficialServer.Version)
        case ours
        case oursOnManyLoops

        package var description: String {
            switch self {
            case .official(let version): "official \(version.rawValue)"
            case .ours: "ours"
            case .oursOnManyLoops: "ours on many loops"
            }
        }
    }

    /// How bytes get there.
    package enum Link: String, Sendable, CaseIterable {
        case plain
        case tls
        case webSocket
        /// With TLS, and with compressed messages.
        case secureWebSocket

        package var isSecure: Bool { self == .tls || self == .secureWebSocket }
        package var isWebSocket: Bool { self == .webSocket || self == .secureWebSocket }

        /// The scheme of the server's URL.
        package var scheme: String {
            switch self {
            case .plain: "nats"
            case .tls: "tls"
            case .webSocket: "ws"
            case .secureWebSocket: "wss"
            }
        }
    }

    package enum Identity: String, Sendable, CaseIterable {
        case nobody
        case password
        case token
        case nkey
        case creds
    }

    package let server: Server
    package let link: Link
    package let identity: Identity

    package var description: String { "\(self.server), \(self.link.rawValue), \(self.identity.rawValue)" }

    /// All that can run here; what cannot is said once, and under CI runs and fails.
    package static let available: [MatrixCell] = {
        var servers: [Server] = [.ours, .oursOnManyLoops]
        for version in OfficialServer.Version.allCases {
            #if !os(Linux)
            // The old one comes out of a Debian package.
            guard version == .current else { continue }
            #endif
            let path = TestDependencies.officialServer(version)
            if TestDependencies.canRun(
                path,
                "official nats-server \(version.rawValue), its column of the client's matrix"
            ) {
                servers.append(.official(version))
            }
        }
        return servers.flatMap { server in
            Link.allCases.flatMap { link in
                // Who the client is has nothing to do with the link; over others than TCP the two that differ most will do.
                Identity.allCases.filter { link == .plain || $0 == .nobody || $0 == .creds }
                    .map { MatrixCell(server: server, link: link, identity: $0) }
            }
        }
    }()
}

/// A server of a ``MatrixCell``, and what a client needs to get in.
package struct MatrixServer: Sendable {
    /// Who the client is, as a test passes it on to the client.
    package enum Credentials: Sendable {
        case none
        case password(user: String, password: String)
        case token(String)
        case nkey(seed: String)
        case credsFile(String)
    }

    package let running: RunningServer
    package let credentials: Credentials
    /// The file of the authority that signed the server's certificate, if the link has TLS.
    package let trustRoots: String?

    /// The port for the link.
    package let port: Int
}

extension MatrixCell {
    /// Starts the server, runs the body, stops the server.
    package func withServer<Result: Sendable>(_ body: (MatrixServer) async throws -> Result) async throws -> Result {
        let directory = try TemporaryDirectory()
        var configuration = ServerConfiguration(authTimeout: .seconds(60))
        var roots: String?
        if self.link.isWebSocket {
            configuration.webSocket = .init()
        }
        if self.link.isSecure {
            let authority = try TestAuthority()
            let certificate = try authority.server()
            roots = try directory.write(authority.text, to: "ca.pem")
            var tls = NATSTestServer.TLS(
                certificate: .file(try directory.write(certificate.certificateText, to: "server.pem")),
                key: .file(try directory.write(certificate.keyText, to: "server-key.pem"))
            )
            // For slow machines.
            tls.timeout = .seconds(30)
            if self.link.isWebSocket {
                configuration.webSocket?.tls = tls
                configuration.webSocket?.compression = true
            } else {
                configuration.tls = tls
            }
        }
        var credentials = MatrixServer.Credentials.none
        var authority: TestOperator?
        switch self.identity {
        case .nobody:
            break
        case .password:
            configuration.user = "user"
            configuration.password = "a password"
            credentials = .password(user: "user", password: "a password")
        case .token:
            configuration.token = "a token"
            credentials = .token("a token")
        case .nkey:
            let keys = try NKeyPair(kind: .user)
            configuration.users = [.init(nkey: keys.publicKey.text)]
            credentials = .nkey(seed: keys.seed)
        case .creds:
            var made = try TestOperator()
            let account = try made.addAccount("A")
            let user = try NKeyPair(kind: .user)
            let jwt = try UserClaims(subject: user.publicKey.text).encoded(signedBy: account, at: made.now)
            let file = try CredentialsFile(jwt: jwt, keyPair: user).text
            credentials = .credsFile(try directory.write(file, to: "user.creds"))
            authority = made
        }
        let running = try await self.start(configuration, authority)
        guard let port = self.link.isWebSocket ? running.webSocketPort : running.port else {
            await running.stop()
            throw OfficialServer.StartFailure(description: "the server told no port for WebSocket")
        }
        let server = MatrixServer(running: running, credentials: credentials, trustRoots: roots, port: port)
        do {
            let result = try await body(server)
            await server.running.stop()
            return result
        } catch {
            await server.running.stop()
            throw error
        }
    }

    private func start(_ configuration: ServerConfiguration, _ authority: TestOperator?) async throws -> RunningServer {
        switch self.server {
        case .official(let version):
            guard let authority else {
                return .official(try await OfficialServer.start(configuration, version: version))
            }
            let blocks = [configuration.tls?.configurationText, configuration.webSocket?.configurationText].compactMap {
                $0
            }
            let text = try authority.configurationText() + blocks.joined(separator: "\n")
            return .official(try await OfficialServer.start(configurationText: text + "\n", version: version))
        case .ours, .oursOnManyLoops:
            var options = try authority?.testServerOptions() ?? configuration.options
            options.tls = configuration.tls
            options.webSocket = configuration.webSocket
            if self.server == .oursOnManyLoops { options.eventLoopCount = 3 }
            return .ours(try await NATSTestServer.start(options))
        }
    }
}
