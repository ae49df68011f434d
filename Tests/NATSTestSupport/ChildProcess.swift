import Foundation
import NATSTestServer

/// Another program, whose output goes to a file; it is always reaped and never outlives the test.
package final class ChildProcess: Sendable {
    /// How the program ended.
    package enum Exit: Sendable, Equatable {
        case exited(Int)
        case signaled(Int)

        /// What `waitpid` says.
        init(status: CInt) {
            self = status & 0x7f == 0 ? .exited(Int(status >> 8) & 0xff) : .signaled(Int(status & 0x7f))
        }
    }

    private let process: SpawnedProcess
    private let directory: TemporaryDirectory
    private let exit = Watched<Exit?>(nil)

    /// Starts the program at a path, with `environment` added to this process's environment.
    package init(_ path: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.directory = try TemporaryDirectory()
        self.process = try SpawnedProcess(
            path,
            arguments,
            environment: variables.map { "\($0.key)=\($0.value)" },
            output: self.directory.path + "/output"
        )
        let exit = self.exit
        self.process.whenEnded { status in exit.update { $0 = Exit(status: status) } }
    }

    package var processID: Int { self.process.processID }

    /// Everything the program has printed so far, to standard output and standard error.
    package var output: String { self.directory.read("output") }

    /// True until the program has ended and has been reaped.
    package var isRunning: Bool { self.exit.value == nil }

    /// Sends a signal, unless the program has ended.
    package func signal(_ number: CInt) { self.process.send(number) }

    /// Waits for the end; nil when `timeout` has passed.
    package func waitForExit(timeout: Duration = .seconds(60)) async -> Exit? {
        _ = await self.exit.wait(timeout: timeout) { $0 != nil }
        return self.exit.value
    }

    /// Asks the program to end (SIGTERM), waits, and kills it if it does not.
    package func stop(timeout: Duration = .seconds(10)) async {
        self.signal(SIGTERM)
        if await self.waitForExit(timeout: timeout) == nil {
            self.signal(SIGKILL)
            _ = await self.waitForExit()
        }
    }
}
