import NATSTestSupport

/// A shell command that uses the built tools, with standard output and standard error apart.
///
/// In the script the tools are found by name, and `$U` stands for `-s` and the server's URL.
final class ToolShell: Sendable {
    /// What came of a script.
    struct Result: Sendable {
        var exit: ChildProcess.Exit
        var output: String
        var errors: String
        var duration: Duration

        /// The status as a shell would say it.
        var status: Int {
            switch self.exit {
            case .exited(let status): status
            case .signaled(let signal): 128 + signal
            }
        }
    }

    /// The script did not end.
    struct Hangs: Error, CustomStringConvertible {
        let description: String
    }

    private let process: ChildProcess
    private let directory: TemporaryDirectory
    private let start = ContinuousClock.now

    /// Starts a script; one that begins with `exec` gets signals itself.
    init(
        _ script: String,
        url: String? = nil,
        files: [String: String] = [:],
        environment: [String: String] = [:]
    ) throws {
        self.directory = try TemporaryDirectory()
        for (name, text) in files { try self.directory.write(text, to: name) }
        let tools = try BuiltProgram.path("nats-pub").split(separator: "/").dropLast().joined(separator: "/")
        var variables = environment
        variables["PATH"] = "/\(tools):/usr/local/bin:/usr/bin:/bin"
        variables["U"] = url.map { "-s \($0)" } ?? ""
        variables["DIR"] = self.directory.path
        // Nothing from outside; and machines that are busy with tests may take their time.
        let names = "URL USER PASSWORD TOKEN CREDS NKEY JWT SEED CERT KEY CA CONTEXT SOCKS_PROXY"
        for name in names.split(separator: " ").map({ "NATS_\($0)" }) { variables[name] = environment[name] ?? "" }
        variables["XDG_CONFIG_HOME"] = environment["XDG_CONFIG_HOME"] ?? self.directory.path
        variables["NATS_TIMEOUT"] = environment["NATS_TIMEOUT"] ?? "30s"
        let text = "cd \"$DIR\" && exec >output 2>errors\n\(script)\n"
        self.process = try ChildProcess("/bin/sh", ["-c", text], environment: variables)
    }

    /// Runs a script to its end.
    static func run(
        _ script: String,
        url: String? = nil,
        files: [String: String] = [:],
        environment: [String: String] = [:]
    ) async throws -> Result {
        try await ToolShell(script, url: url, files: files, environment: environment).result()
    }

    /// Waits for the end.
    func result(timeout: Duration = .seconds(60)) async throws -> Result {
        guard let exit = await self.process.waitForExit(timeout: timeout) else {
            throw Hangs(description: "no end within \(timeout); printed \(self.output) \(self.errors)")
        }
        return Result(
            exit: exit,
            output: self.output,
            errors: self.errors,
            duration: ContinuousClock.now - self.start
        )
    }

    /// What went to standard output so far.
    var output: String { self.directory.read("output") }

    /// What went to standard error so far.
    var errors: String { self.directory.read("errors") }

    /// The text of a file that the script wrote.
    func file(_ name: String) -> String { self.directory.read(name) }

    /// Whether the script has made a file.
    func hasFile(_ name: String) -> Bool { self.directory.names.contains(name) }

    /// Writes a file for the script.
    func write(_ text: String, to name: String) throws { try self.directory.write(text, to: name) }

    var isRunning: Bool { self.process.isRunning }

    func signal(_ number: Int32) { self.process.signal(number) }

    /// Waits until standard output has this text.
    func waitForOutput(_ text: String) async throws {
        try await eventually("\"\(text)\" on standard output, which is \(self.output)") { self.output.contains(text) }
    }

    /// Waits until standard error has a line that begins so: nats-sub's ready mark.
    func waitForErrors(_ text: String = "Listening on") async throws {
        try await eventually("\"\(text)\" on standard error, which is \(self.errors)") { self.errors.contains(text) }
    }
}
