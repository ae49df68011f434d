import NATSText
import NIOConcurrencyHelpers
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The log of the program: what is logged, and the target that can be changed while it is used.
final class LogOutput: Sendable {
    /// What is wrong with the target, as it is told before there is a log.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var settings: LogSettings
        var target: LogTarget
    }

    private let state: NIOLockedValueBox<State>
    private let logsDebug: Synchronization.Atomic<Bool>
    private let logsTrace: Synchronization.Atomic<Bool>

    /// A target that is open, to be changed to.
    struct Prepared: Sendable {
        fileprivate let settings: LogSettings
        fileprivate let target: LogTarget
    }

    /// Opens the target.
    init(_ settings: LogSettings) throws(Failure) {
        let target = try Self.open(settings)
        self.state = NIOLockedValueBox(State(settings: settings, target: target))
        self.logsDebug = Synchronization.Atomic(settings.debug)
        self.logsTrace = Synchronization.Atomic(settings.trace)
        Self.announceRotation(settings, target)
    }

    deinit {
        self.state.withLockedValue { $0.target.close() }
    }

    var debug: Bool { self.logsDebug.load(ordering: .relaxed) }
    var trace: Bool { self.logsTrace.load(ordering: .relaxed) }
    var settings: LogSettings { self.state.withLockedValue { $0.settings } }

    /// Writes one line.
    func write(_ text: String, label: LogLineFormatter.Label, keepsLineFeeds: Bool = false) {
        while true {
            let target = self.state.withLockedValue { $0.target }
            // A target that was closed in between has a successor.
            if target.write(text, label: label, keepsLineFeeds: keepsLineFeeds) { return }
        }
    }

    /// Opens the target of other settings; what is in use stays in use.
    func prepare(_ settings: LogSettings) throws(Failure) -> Prepared {
        Prepared(settings: settings, target: try Self.open(settings))
    }

    /// Opens the log file again by its name, for log rotation, and returns `false` if there is none.
    ///
    /// The old file stays in use if the new one cannot be opened.
    func reopen() throws(Failure) -> Bool {
        let settings = self.settings
        guard settings.file != nil else { return false }
        self.change(to: try self.prepare(settings))
        return true
    }

    /// Waits a little until a slow target has taken what was logged.
    func flush() {
        self.state.withLockedValue { $0.target }.flush(milliseconds: 500)
    }

    /// Goes on with other settings.
    func change(to prepared: Prepared) {
        let settings = prepared.settings
        let old = self.state.withLockedValue { state in
            defer { state = State(settings: settings, target: prepared.target) }
            return state.target
        }
        self.logsDebug.store(settings.debug, ordering: .relaxed)
        self.logsTrace.store(settings.trace, ordering: .relaxed)
        old.close()
        // The old target may have rotated the file since the new one was opened.
        prepared.target.followName()
        Self.announceRotation(settings, prepared.target)
    }

    // MARK: Targets

    /// nats-server log.go ConfigureLogger: a file wins over a remote syslog, that over the local one.
    private static func open(_ settings: LogSettings) throws(Failure) -> LogTarget {
        let formatter = LogLineFormatter(
            processID: SystemCalls.processID(),
            showsTime: settings.showsTime,
            colored: settings.file == nil && SystemCalls.isCharacterDevice(STDERR_FILENO),
            localTime: settings.isUTC ? SystemCalls.universalTime : SystemCalls.localTime
        )
        if let path = settings.file {
            do {
                return LogTarget(try Self.openFile(path, settings), format: .official(formatter))
            } catch {
                throw Failure(description: "error opening file: \(error)")
            }
        }
        if let url = settings.remoteSyslog {
            let address: SyslogAddress
            do {
                address = try SyslogAddress(url: url)
            } catch {
                throw Failure(description: error.description)
            }
            // Go log/syslog: what goes to a local socket names no host.
            if case .unix = address { return try Self.openSyslog(address, facility: 0, hostName: nil) }
            return try Self.openSyslog(address, facility: 0, hostName: SystemCalls.hostName())
        }
        if settings.syslog {
            return try Self.openSyslog(.local, facility: SyslogFormatter.daemonFacility, hostName: nil)
        }
        return LogTarget(DescriptorTransport(STDERR_FILENO, closesDescriptor: false), format: .official(formatter))
    }

    private static func openFile(_ path: String, _ settings: LogSettings) throws(SystemCallError) -> any LogTransport {
        guard settings.fileSizeLimit > 0 else {
            return DescriptorTransport(try SystemCalls.openForAppending(path), closesDescriptor: true)
        }
        // The official server's lines about rotation are in local time whatever the setting, and end in CR LF.
        let plain = LogLineFormatter(
            processID: SystemCalls.processID(),
            showsTime: settings.showsTime,
            colored: false,
            localTime: SystemCalls.localTime
        )
        return try RotatingFile(
            path: path,
            limit: settings.fileSizeLimit,
            maximumFiles: max(0, settings.maximumFiles)
        ) { label, text in
            var formatter = plain
            var line: [UInt8] = []
            formatter.append(text, label: label, SystemCalls.wallClock(), to: &line)
            return line.dropLast() + [0x0d, 0x0a]
        }
    }

    private static func openSyslog(
        _ address: SyslogAddress,
        facility: Int,
        hostName: String?
    ) throws(Failure) -> LogTarget {
        let transport: SyslogTransport
        do {
            transport = try SyslogTransport(address)
        } catch {
            throw Failure(description: "error connecting to syslog: \(GoString.quoted(error.description))")
        }
        let path = CommandLine.arguments.first ?? "nats-server"
        let tag = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
        let formatter = SyslogFormatter(
            facility: facility,
            hostName: hostName,
            tag: tag,
            processID: SystemCalls.processID()
        )
        return LogTarget(transport, format: .syslog(formatter))
    }

    /// A file that is too large already is rotated by the line that says so.
    private static func announceRotation(_ settings: LogSettings, _ target: LogTarget) {
        guard settings.fileSizeLimit > 0, target.needsRotation else { return }
        _ = target.write("Rotating logfile...", label: .info)
    }
}
