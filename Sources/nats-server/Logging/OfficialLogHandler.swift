import Logging

/// A swift-log handler that writes the official server's lines to a ``LogSink``.
struct OfficialLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    private let sink: LogSink
    /// The official server can trace without debugging; swift-log's levels cannot say that.
    private let debug: Bool

    init(sink: LogSink, debug: Bool, trace: Bool) {
        self.sink = sink
        self.debug = debug
        self.logLevel = trace ? .trace : (debug ? .debug : .info)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level == .debug, !self.debug {
            return
        }
        self.sink.write(event.message.description, label: Self.label(event.level))
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
