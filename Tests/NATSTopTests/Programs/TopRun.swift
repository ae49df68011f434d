import NATSTestSupport

/// nats-top as a process, with standard output and standard error apart.
final class TopRun: Sendable {
    struct Result: Sendable {
        /// As a shell would say it.
        var status: Int
        var output: String
        var errors: String

        var lines: [String] { self.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }

    private let process: ChildProcess
    private let directory: TemporaryDirectory

    /// Starts nats-top; the script is what follows the program's name, and `$DIR` in it a directory of its own.
    ///
    /// `before` are commands of the shell that becomes nats-top.
    init(_ script: String, before: String = "", environment: [String: String] = [:]) throws {
        self.directory = try TemporaryDirectory()
        var variables = environment
        variables["DIR"] = self.directory.path
        variables["TOP"] = try BuiltProgram.path("nats-top")
        let text = "cd \"$DIR\" && exec >output 2>errors && \(before)exec \"$TOP\" \(script)\n"
        self.process = try ChildProcess("/bin/sh", ["-c", text], environment: variables)
    }

    static func run(_ script: String, environment: [String: String] = [:]) async throws -> Result {
        try await TopRun(script, environment: environment).result()
    }

    func result() async throws -> Result {
        guard let exit = await self.process.waitForExit(timeout: .seconds(60)) else {
            throw ConditionNotMet(description: "nats-top does not end; it printed \(self.output) \(self.errors)")
        }
        let status =
            switch exit {
            case .exited(let status): status
            case .signaled(let signal): 128 + signal
            }
        return Result(status: status, output: self.output, errors: self.errors)
    }

    var output: String { self.directory.read("output") }
    var errors: String { self.directory.read("errors") }
    var path: String { self.directory.path }

    func file(_ name: String) -> String { self.directory.read(name) }

    func signal(_ number: Int32) { self.process.signal(number) }

    /// Sends a signal to a process that has written its id to a file.
    func signal(_ signal: String, file: String) async throws {
        let number = self.file(file).filter { $0.isNumber }
        _ = await (try ChildProcess("/bin/kill", ["-\(signal)", number])).waitForExit()
    }
}
