import Foundation
import NATSTestSupport
import Testing

/// Which `nats-server` program a test runs.
enum Program: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case official, ours

    /// Both, or only ours where the official program is not installed (never under CI).
    static var available: [Program] {
        let official = TestDependencies.officialServer(.current)
        return TestDependencies.canRun(official, "official nats-server") ? [.official, .ours] : [.ours]
    }

    var testDescription: String { self.rawValue }

    func path() throws -> String {
        switch self {
        case .ours:
            return try BuiltProgram.path("nats-server")
        case .official:
            guard let path = TestDependencies.officialServer(.current) else {
                throw EndedEarly(description: "no official nats-server; run Scripts/install-test-dependencies")
            }
            return path
        }
    }
}

/// The program ended although the test needs it.
struct EndedEarly: Error, CustomStringConvertible {
    let description: String
}

/// One run of a program, with its two output streams apart.
final class ProgramRun: Sendable {
    private let process: ChildProcess
    private let directory: TemporaryDirectory

    init(_ program: Program, _ arguments: [String], before commands: String = ":") throws {
        let directory = try TemporaryDirectory()
        let script = "\(commands); exec \"$0\" \"$@\" >\"$STREAMS/out\" 2>\"$STREAMS/err\""
        self.process = try ChildProcess(
            "/bin/sh",
            ["-c", script, try program.path()] + arguments,
            environment: ["STREAMS": directory.path]
        )
        self.directory = directory
    }

    var processID: Int { self.process.processID }
    var output: String { self.directory.read("out") }
    var errors: String { self.directory.read("err") }

    func signal(_ number: CInt) {
        self.process.signal(number)
    }

    /// Waits until stderr (the log) contains a text.
    func waitForLog(_ text: String) async throws {
        try await eventually("\(text) in the log") {
            if self.errors.contains(text) {
                return true
            }
            guard self.process.isRunning else {
                throw EndedEarly(description: self.errors)
            }
            return false
        }
    }

    /// Waits for the end and returns the exit code; -1 if a signal ended the program or it did not end.
    func exitCode() async -> Int {
        guard case .exited(let code) = await self.process.waitForExit() else {
            return -1
        }
        return code
    }

    /// Runs the body, and then ends the program as an operator would, which has to go well unless the body has failed.
    ///
    /// - Parameters:
    ///   - sourceLocation: What a program that does not end well is told of with.
    ///   - body: Usually waits first until the program is ready.
    /// - Returns: what the body returns.
    /// - Throws: what the body throws.
    func use<Result>(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let result: Result
        do {
            result = try await body()
        } catch {
            self.signal(SIGTERM)
            _ = await self.exitCode()
            throw error
        }
        self.signal(SIGTERM)
        #expect(await self.exitCode() == 0, sourceLocation: sourceLocation)
        return result
    }

    /// The port for clients that the log names.
    var port: Int? { self.port(after: "Listening for client connections on ") }

    /// The port of the monitoring pages that the log names.
    var monitoringPort: Int? { self.port(after: "Starting http monitor on ") }

    private func port(after marker: String) -> Int? {
        for line in self.errors.split(separator: "\n") {
            guard let range = line.range(of: marker), let colon = line.lastIndex(of: ":") else { continue }
            return colon >= range.upperBound ? Int(line[line.index(after: colon)...]) : nil
        }
        return nil
    }
}
