/// What the flags set, with the official server's defaults.
struct ProgramSettings: Equatable, Sendable {
    static let defaultHost = "0.0.0.0"
    static let defaultPort = 4222

    var host = Self.defaultHost
    /// `-1` asks for any free port.
    var port = Self.defaultPort
    var serverName: String?
    var pidFile: String?

    var debug = false
    var trace = false
    var logTime = true
    var logFile: String?

    var user: String?
    var password: String?
    var token: String?

    private var debugAndTrace: Bool?

    /// Applies one flag; the parser has already made sure of the kind of its value.
    mutating func apply(_ setting: Flag.Setting, _ value: FlagParser.Value) {
        switch (setting, value) {
        case (.port, .integer(let port)): self.port = port
        case (.host, .string(let text)): self.host = text
        case (.serverName, .string(let text)): self.serverName = Self.nonEmpty(text)
        case (.pidFile, .string(let text)): self.pidFile = Self.nonEmpty(text)
        case (.logFile, .string(let text)): self.logFile = Self.nonEmpty(text)
        case (.user, .string(let text)): self.user = Self.nonEmpty(text)
        case (.password, .string(let text)): self.password = Self.nonEmpty(text)
        case (.token, .string(let text)): self.token = Self.nonEmpty(text)
        case (.debug, .boolean(let on)): self.debug = on
        case (.trace, .boolean(let on)): self.trace = on
        case (.logTime, .boolean(let on)): self.logTime = on
        case (.debugAndTrace, .boolean(let on)): self.debugAndTrace = on
        default: preconditionFailure("flag \(setting) declared with another kind of value")
        }
    }

    /// Why the server cannot start with these settings, in the official server's words where it has them.
    var problem: String? {
        if let serverName = self.serverName, serverName.contains(" ") {
            return "server name cannot contain spaces"
        }
        return nil
    }

    /// The settings with what Go decides only after all flags are parsed.
    func completed() -> ProgramSettings {
        var settings = self
        // -DV wins over -D and -V wherever it stands.
        if let debugAndTrace = self.debugAndTrace {
            settings.debug = debugAndTrace
            settings.trace = debugAndTrace
            settings.debugAndTrace = nil
        }
        if settings.host.isEmpty {
            settings.host = Self.defaultHost
        }
        if settings.port == 0 {
            settings.port = Self.defaultPort
        }
        return settings
    }

    private static func nonEmpty(_ text: String) -> String? {
        text.isEmpty ? nil : text
    }
}
