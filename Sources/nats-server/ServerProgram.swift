import Logging
import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The life of the process around the engine: limits, log, pid file, signals, exit codes.
struct ServerProgram {
    let settings: ProgramSettings

    /// Serves until a signal or a fatal error ends the process.
    func run() -> Never {
        var signals = Signals()
        let fileLimit = OpenFileLimit.raise()

        let sink = self.openLog()
        let logger = Logger(label: "nats-server") { _ in
            OfficialLogHandler(sink: sink, debug: self.settings.debug, trace: self.settings.trace)
        }
        let options = self.options(logger: logger)
        let server = Server(options: options)
        server.announce()
        if let warning = OpenFileLimit.warning(limit: fileLimit, maximumConnections: options.maxConnections) {
            logger.warning("\(warning)")
        }
        self.writePIDFile(logger)

        let start = Task.detached {
            do {
                try await server.start()
            } catch {
                logger.critical("\(error)")
                exit(1)
            }
        }
        while true {
            let signal = signals.next()
            logger.info("Trapped \"\(signal.name)\" signal")
            switch signal {
            case .interrupt, .terminate:
                Task.detached {
                    await start.value
                    await server.shutdown()
                    exit(0)
                }
                // As with the official server, later signals are not answered any more.
                while true { _ = signals.next() }
            case .hangup:
                logger.error(
                    """
                    Failed to reload server configuration: \
                    can only reload config when a file is provided using -c or --config
                    """
                )
            case .user1:
                self.reopenLog(sink, logger)
            case .user2:
                logger.error("Lame duck mode is not supported yet")
            }
        }
    }

    private func options(logger: Logger) -> ServerOptions {
        var options = ServerOptions(logger: logger)
        options.host = self.settings.host
        options.port = self.settings.port
        options.serverName = self.settings.serverName
        options.username = self.settings.user
        options.password = self.settings.password
        options.token = self.settings.token
        options.traceProtocol = self.settings.trace
        return options
    }

    private func openLog() -> LogSink {
        guard let path = self.settings.logFile else {
            return LogSink(standardErrorWithTime: self.settings.logTime)
        }
        do {
            return try LogSink(path: path, showsTime: self.settings.logTime)
        } catch {
            // There is no log yet: Go's `log.Fatalf`, which has its own format.
            let now = LogLineFormatter.text(SystemCalls.localTime(SystemCalls.wallClock().second))
            StandardStreams.error("\(String(decoding: now, as: UTF8.self)) error opening file: \(error)\n")
            exit(1)
        }
    }

    private func writePIDFile(_ logger: Logger) {
        guard let path = self.settings.pidFile else { return }
        do {
            try SystemCalls.writeFile(path, "\(SystemCalls.processID())")
        } catch {
            logger.critical("Could not write pidfile: \(error)")
            exit(1)
        }
    }

    private func reopenLog(_ sink: LogSink, _ logger: Logger) {
        do {
            if try sink.reopen() {
                logger.info("File log re-opened")
            } else {
                logger.info("File log re-open ignored, not a file logger")
            }
        } catch {
            logger.error("error opening file: \(error)")
        }
    }
}
