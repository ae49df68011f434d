import NATSText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// `--signal command[=target]`: tells a running server something.
///
/// nats-server opts.go processSignal, signal.go ProcessSignal.
struct SignalCommand {
    struct Failure: Error, Equatable, CustomStringConvertible {
        /// What follows `nats-server: `.
        let description: String
    }

    static let processName = "nats-server"

    /// The outside world.
    struct Environment: Sendable {
        /// The text of a file; `nil` if it cannot be read.
        var readFile: @Sendable (String) -> String?
        /// The running servers; `nil` if that cannot be found out.
        var processes: @Sendable () -> [Int]?
        /// Sends a signal and returns 0 or `errno`.
        var kill: @Sendable (Int, CInt) -> CInt
    }

    let command: String
    /// A process id, one that ends in `*`, or empty.
    let target: String

    init(_ value: String, _ environment: Environment) throws(Failure) {
        let parts = value.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else {
            throw Failure(description: "invalid signal parameters: [\(parts.dropFirst(2).joined(separator: " "))]")
        }
        self.command = parts[0]
        // A file that can be read wins over a process id of the same name.
        self.target = parts.count == 2 ? environment.readFile(parts[1]) ?? parts[1] : ""
    }

    func run(_ environment: Environment) throws(Failure) {
        let isPattern = self.target.hasSuffix("*")
        let prefix = isPattern ? String(self.target.dropLast()) : self.target
        var processes: [Int] = []
        if !prefix.isEmpty {
            // kill(2) takes zero and less for many processes at once, which nobody means.
            guard let process = Int(prefix), process > 0 else { throw Failure(description: "invalid pid: \(prefix)") }
            processes = [process]
        }
        if prefix.isEmpty || isPattern {
            guard let found = environment.processes() else {
                throw Failure(description: "unable to resolve pid, try providing one")
            }
            processes = found
        }
        if processes.count > 1, !isPattern {
            let list = processes.map { "\n\($0)" }.joined()
            throw Failure(description: "multiple \(Self.processName) processes running:\(list)")
        }
        guard !processes.isEmpty else {
            throw Failure(description: "no \(Self.processName) processes running")
        }
        guard let signal = Self.signal(self.command) else {
            throw Failure(description: "unknown signal \(GoString.quoted(self.command))")
        }
        var problems = ""
        for process in processes where !isPattern || "\(process)".hasPrefix(prefix) {
            let number = environment.kill(process, signal)
            if number != 0 {
                problems += "\nsignal \(GoString.quoted(self.command)) \(process): \(SystemCallError.text(number))"
            }
        }
        guard problems.isEmpty else { throw Failure(description: problems) }
    }

    static func signal(_ command: String) -> CInt? {
        switch command {
        case "stop": SIGKILL
        case "quit": SIGINT
        case "reopen": SIGUSR1
        case "reload": SIGHUP
        case "ldm": SIGUSR2
        case "term": SIGTERM
        default: nil
        }
    }
}

extension SignalCommand.Environment {
    /// This machine.
    static let system = SignalCommand.Environment(
        readFile: { path in
            SystemCalls.readFile(path, limit: 4096).map { String(decoding: $0, as: UTF8.self) }
        },
        processes: {
            guard let output = SystemCalls.output(of: ["pgrep", SignalCommand.processName]) else { return nil }
            let own = SystemCalls.processID()
            var processes: [Int] = []
            for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
                guard let process = Int(line) else { return nil }
                if process != own { processes.append(process) }
            }
            return processes
        },
        kill: { process, signal in SystemCalls.sendSignal(signal, to: process) }
    )
}
