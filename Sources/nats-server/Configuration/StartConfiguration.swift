import NATSServerConfig
import NATSServerCore

/// The options that a start, or a reload, goes by: the file's with the flags' over them, checked.
struct StartConfiguration: Sendable {
    /// Why there is none.
    struct Failure: Error, Equatable, CustomStringConvertible {
        /// What follows `nats-server: ` or `Failed to reload server configuration: `; may be several lines.
        let description: String
    }

    var configuration: ServerConfiguration
    /// `sha256:` and 64 digits, if there is a file.
    var digest: String?
    /// The certificates that it names, loaded.
    var certificates: TLSContext?
    /// The same for the WebSocket listener.
    var webSocketCertificates: TLSContext?
    /// Lines about what is odd but possible.
    var warnings = ""
    /// Options that do not go together (nats-server server.go validateOptions, configureAccounts).
    var problem: String?
    /// The first flag, or key with its place, that needs a feature that is not there yet.
    var firstUnsupported: String?

    /// Reads the file and applies the flags.
    init(_ request: StartRequest) throws(Failure) {
        var configuration = ServerConfiguration()
        if let path = request.configFile {
            let loaded = try Self.load(path)
            configuration = loaded.configuration
            self.digest = loaded.digest
            self.warnings = loaded.warningReport
        }
        do {
            try request.overrides.apply(to: &configuration)
        } catch {
            throw Failure(description: error.description)
        }
        do {
            self.certificates = try Server.loadTLS(TLSOptions(configuration))
            self.webSocketCertificates = try Server.loadTLS(
                configuration.websocket.flatMap(WebSocketOptions.init)?.tls
            )
        } catch {
            throw Failure(description: error.description)
        }
        self.problem =
            configuration.startFailure ?? AuthorizationOptions(configuration).firstProblem()
            ?? OperatorModeOptions(configuration)?.firstProblem()
        self.configuration = configuration
        self.firstUnsupported =
            request.overrides.firstUnsupported() ?? SupportedKeys.firstUnsupported(configuration)
    }

    /// Whether the official server notices the problem only when it has seen that nothing else speaks against a reload.
    var isProblemOfAccounts: Bool { self.problem?.hasPrefix("error resolving system account") ?? false }

    /// What `-t` finds: the digest of a file without any flaw.
    static func test(_ path: String) throws(Failure) -> String {
        let loaded = try Self.load(path)
        guard loaded.warningReport.isEmpty else { throw Failure(description: loaded.warningReport) }
        return loaded.digest
    }

    private static func load(_ path: String) throws(Failure) -> ConfigurationFile.Loaded {
        let loaded: ConfigurationFile.Loaded
        do {
            loaded = try ConfigurationFile.load(path)
        } catch {
            throw Failure(description: error.description)
        }
        guard loaded.errorReport.isEmpty else { throw Failure(description: loaded.errorReport) }
        return loaded
    }

    /// Where the log goes.
    var logSettings: LogSettings {
        LogSettings(
            debug: self.configuration.debug,
            trace: self.configuration.trace,
            showsTime: self.configuration.logtime,
            isUTC: self.configuration.logtimeUTC,
            file: self.configuration.logFile,
            fileSizeLimit: self.configuration.logSizeLimit,
            maximumFiles: self.configuration.logMaxNum,
            syslog: self.configuration.syslog,
            remoteSyslog: self.configuration.remoteSyslog
        )
    }
}
