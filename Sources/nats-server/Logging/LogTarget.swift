import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Where log lines go at the moment, and their format.
///
/// Lines are written by the thread that logs, one after the other, as the official server does it. There a slow target (a
/// pipe that nobody reads, a stopped terminal, a syslog server that does not answer) holds up the goroutines that log; here
/// it would hold up an event loop with all its connections. So nothing is written that would have to wait: what the target
/// does not take goes to a backlog, which another thread writes, and lines beyond ``backlogLimit`` are counted instead of
/// kept. A regular file always takes everything, so with files nothing is ever put off.
final class LogTarget: Sendable {
    enum Format: Sendable {
        case official(LogLineFormatter)
        case syslog(SyslogFormatter)
    }

    /// Bytes that may wait for a slow target.
    static let backlogLimit = 4 << 20

    private struct State {
        var format: Format
        var buffer: [UInt8] = []
        var backlog: [ArraySlice<UInt8>] = []
        var backlogBytes = 0
        var linesLost = 0
        var isDraining = false
        var isClosed = false
    }

    private let transport: any LogTransport
    private let state: NIOLockedValueBox<State>

    init(_ transport: any LogTransport, format: Format) {
        self.transport = transport
        self.state = NIOLockedValueBox(State(format: format))
    }

    /// Writes one line, or several if the text is ours and has them (`keepsLineFeeds`).
    ///
    /// - Returns: `false` if the target has been closed: there is another one now.
    func write(_ text: String, label: LogLineFormatter.Label, keepsLineFeeds: Bool = false) -> Bool {
        let now = SystemCalls.wallClock()
        return self.state.withLockedValue { state in
            guard !state.isClosed else { return false }
            Self.render(text, label, now, keepsLineFeeds, &state)
            guard !state.isDraining else {
                Self.keep(state.buffer[...], &state)
                return true
            }
            let taken = self.transport.writeAtOnce(state.buffer[...])
            if taken < state.buffer.count {
                Self.keep(state.buffer[taken...], &state)
                self.startDraining(&state)
            }
            return true
        }
    }

    /// A file that holds more than it may.
    var needsRotation: Bool { (self.transport as? RotatingFile)?.isTooLarge ?? false }

    /// Makes sure that lines go to the file of the name, which another target may have rotated since this one was opened.
    func followName() {
        self.state.withLockedValue { _ in (self.transport as? RotatingFile)?.followName() }
    }

    /// Writes no more lines; what waits is written before the descriptor is closed.
    func close() {
        self.state.withLockedValue { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            if !state.isDraining {
                self.transport.close()
            }
        }
    }

    /// Waits until a slow target has taken everything, or the time is over.
    func flush(milliseconds: Int) {
        for _ in 0..<milliseconds {
            guard self.state.withLockedValue({ $0.isDraining }) else { return }
            SystemCalls.sleep(milliseconds: 1)
        }
    }

    private static func render(
        _ text: String,
        _ label: LogLineFormatter.Label,
        _ now: SystemCalls.WallClock,
        _ keepsLineFeeds: Bool,
        _ state: inout State
    ) {
        state.buffer.removeAll(keepingCapacity: true)
        switch state.format {
        case .official(var formatter):
            formatter.append(text, label: label, now, keepsLineFeeds: keepsLineFeeds, to: &state.buffer)
            state.format = .official(formatter)
        case .syslog(let formatter):
            formatter.append(text, label: label, second: now.second, to: &state.buffer)
        }
    }

    private static func keep(_ bytes: ArraySlice<UInt8>, _ state: inout State) {
        guard state.backlogBytes + bytes.count <= Self.backlogLimit else {
            state.linesLost += 1
            return
        }
        state.backlog.append(ArraySlice(Array(bytes)))
        state.backlogBytes += bytes.count
    }

    // MARK: The other thread

    private func startDraining(_ state: inout State) {
        state.isDraining = true
        NIOSingletons.posixBlockingThreadPool.submit { _ in self.drain() }
    }

    private func drain() {
        while let lines = self.takeBacklog() {
            for line in lines {
                self.transport.writeWaiting(line)
            }
        }
    }

    private func takeBacklog() -> [ArraySlice<UInt8>]? {
        self.state.withLockedValue { state in
            if state.backlog.isEmpty, state.linesLost > 0, !state.isClosed {
                let lost = state.linesLost
                state.linesLost = 0
                Self.render(
                    "\(lost) log lines lost, the log is too slow",
                    .warning,
                    SystemCalls.wallClock(),
                    false,
                    &state
                )
                Self.keep(state.buffer[...], &state)
            }
            guard !state.backlog.isEmpty else {
                state.isDraining = false
                if state.isClosed {
                    self.transport.close()
                }
                return nil
            }
            defer {
                state.backlog = []
                state.backlogBytes = 0
            }
            return state.backlog
        }
    }
}
