import Logging

/// A swift-log handler that writes the official server's lines to a ``LogOutput``, whose settings may change meanwhile.
struct OfficialLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let output: LogOutput

    init(_ output: LogOutput) {
        self.output = output
    }

    /// What the output logs; setting it does nothing.
    var logLevel: Logger.Level {
        get { self.output.trace ? .trace : (self.output.debug ? .debug : .info) }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // The official server can trace without debugging; swift-log's levels cannot say that.
        if event.level == .debug, !self.output.debug {
            return
        }
        self.output.write(event.message.description, label: Self.label(event.level))
    }

    static func label(_ level: Logger.Level) -> LogLineFormatter.Label {
        switch level {
        case .trace: .trace
        case .debug: .debug
        case .info, .notice: .info
        case .warning: .warning
        case .error: .error
        case .critical: .fatal
        }
    }
}
