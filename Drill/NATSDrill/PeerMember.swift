import Foundation
import NATSTestSupport
import NIOConcurrencyHelpers

/// A client of somebody else's that takes part, in a program of its own; see `Drill/peers`.
///
/// It prints a line for everything that happens, with the time in microseconds of the monotonic clock:
///
///     m TIME PUBLISHER NUMBER    a plain message        p TIME COUNT            so many were published, after the load
///     j TIME PUBLISHER NUMBER    a job                  q TIME FAMILY ok|WHY    a request came to its end
///     a TIME REQUESTER NUMBER    a request to it        e TIME reconnected      an event
///
/// SIGUSR1 starts the load, SIGUSR2 ends it, SIGTERM ends the program.
final class PeerMember: DrillMember {
    private struct State {
        var record: DrillRecord
        var position: UInt64 = 0
        var rest = Data()
        var isLoading = false
        var hasStopped = false
    }

    private let name: String
    private let process: ChildProcess
    private let directory: TemporaryDirectory
    private let state: NIOLockedValueBox<State>

    /// Starts the program.
    ///
    /// - Throws: If it is not there.
    init(name: String, family: DrillFamily, servers: [String], options: DrillOptions) throws {
        let program: [String]
        switch family {
        case .python:
            let python = try Self.require(TestDependencies.python, "nats-py")
            program = [python, TestDependencies.packageRoot + "/Drill/peers/nats-py-drill"]
        case .libnats:
            program = [try Self.require(TestDependencies.program("libnats-drill"), "libnats")]
        case .migrating, .reconnecting:
            throw DrillFailure("\(family) is no other program")
        }
        let milliseconds = { (duration: Duration) in "\(Int(duration.timeInterval * 1000))" }
        let families = options.families.map(\.rawValue).joined(separator: ",")
        let directory = try TemporaryDirectory()
        self.process = try ChildProcess(
            "/bin/sh",
            ["-c", "exec \"$0\" \"$@\" >\"$DRILL/lines\" 2>\"$DRILL/errors\""] + program
                + [
                    name, family.rawValue, milliseconds(options.interval), milliseconds(options.otherRequestTimeout),
                    families,
                ]
                + servers,
            environment: ["DRILL": directory.path]
        )
        self.name = name
        self.directory = directory
        self.state = NIOLockedValueBox(State(record: DrillRecord(name: name, family: family)))
    }

    private static func require(_ path: String?, _ what: String) throws -> String {
        guard let path else { throw DrillFailure("no \(what); Scripts/install-test-dependencies installs it") }
        return path
    }

    var record: DrillRecord {
        self.state.withLockedValue { state in
            self.read(&state)
            return state.record
        }
    }

    func check() throws {
        guard self.process.isRunning else {
            throw DrillFailure("\(self.name) has ended: \(self.directory.read("errors"))")
        }
    }

    func startLoad() {
        self.state.withLockedValue { state in
            self.read(&state)
            state.isLoading = true
        }
        self.process.signal(SIGUSR1)
    }

    func stopLoad() async throws {
        self.process.signal(SIGUSR2)
        try await eventually("the end of the load of \(self.name)", timeout: .seconds(120)) {
            try self.check()
            return self.state.withLockedValue { state in
                self.read(&state)
                return state.hasStopped
            }
        }
    }

    func end() async { await self.process.stop() }

    // MARK: What it prints

    private func read(_ state: inout State) {
        guard let file = FileHandle(forReadingAtPath: self.directory.path + "/lines") else { return }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: state.position)) != nil, let data = try? file.readToEnd() else { return }
        state.position += UInt64(data.count)
        state.rest += data
        guard let end = state.rest.lastIndex(of: 0x0a) else { return }
        for line in String(decoding: state.rest[..<end], as: UTF8.self).split(separator: "\n") {
            self.take(line.split(separator: " "), &state)
        }
        state.rest = Data(state.rest[(end + 1)...])
    }

    private func take(_ fields: [Substring], _ state: inout State) {
        guard fields.count >= 3, let time = Int(fields[1]) else { return }
        let name = String(fields[2])
        let number = fields.count > 3 ? Int(fields[3]) ?? -1 : -1
        switch fields[0] {
        case "m":
            let isMeasured = state.isLoading && !state.hasStopped
            state.record.arrived(from: name, number, at: isMeasured ? time : nil)
        case "j": state.record.jobs[name, default: SequenceTally()].record(number)
        case "a": state.record.asked[name, default: SequenceTally()].record(number)
        case "q":
            guard let family = DrillFamily(rawValue: name), fields.count > 3 else { return }
            let outcome = fields[3...].joined(separator: " ")
            state.record.answered(by: family, failure: outcome == "ok" ? nil : outcome)
        case "e" where name == "reconnected": state.record.reconnects += 1
        case "p":
            state.record.published = Int(name) ?? 0
            state.hasStopped = true
        default: break
        }
    }
}
