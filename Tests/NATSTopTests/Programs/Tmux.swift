import NATSTestSupport

/// A terminal in which a shell script runs, drawn by tmux.
final class Tmux: Sendable {
    /// Says once that the tests do not run where there is no tmux, except under CI, where they run and fail.
    static let isAvailable = TestDependencies.canRun(TestDependencies.tmux, "tmux, the terminal of nats-top's tests")

    private let directory: TemporaryDirectory
    private let server: ChildProcess
    private let tmux: String
    private var socket: String { self.directory.path + "/s" }

    /// Starts a script in a terminal of some size.
    init(_ script: String, columns: Int, rows: Int, environment: [String: String] = [:]) async throws {
        guard let tmux = TestDependencies.tmux else { throw ConditionNotMet(description: "no tmux") }
        self.tmux = tmux
        self.directory = try TemporaryDirectory()
        let settings =
            "set -g status off\nset -g escape-time 0\nset -g default-shell /bin/sh\n"
        let file = try self.directory.write(settings, to: "tmux.conf")
        var variables = environment
        variables["LC_ALL"] = "C.UTF-8"
        variables["DIR"] = self.directory.path
        variables["TOP"] = try BuiltProgram.path("nats-top")
        // In the foreground, so that it never outlives the tests.
        let arguments = ["-u", "-D", "-S", self.directory.path + "/s", "-f", file]
        self.server = try ChildProcess(tmux, arguments, environment: variables)
        try self.directory.write(script, to: "script")
        let size = ["-x", String(columns), "-y", String(rows)]
        let command = "/bin/sh '\(self.directory.path)/script'"
        try await eventually("a terminal") {
            try await self.command(["new-session", "-d"] + size + [command]).isGood
        }
    }

    /// Ends everything that runs in it.
    func close() async {
        await self.server.stop()
    }

    private func command(_ arguments: [String]) async throws -> (isGood: Bool, output: String) {
        let process = try ChildProcess(
            self.tmux,
            ["-N", "-u", "-S", self.socket] + arguments,
            environment: ["LC_ALL": "C.UTF-8"]
        )
        let exit = await process.waitForExit()
        return (exit == .exited(0), process.output)
    }

    /// What stands on the screen, without blanks at the ends of lines.
    func screen() async throws -> [String] {
        let output = try await self.command(["capture-pane", "-p"]).output
        return output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    func text() async throws -> String { try await self.screen().joined(separator: "\n") }

    /// Presses keys, by tmux's names.
    func press(_ keys: String...) async throws {
        _ = try await self.command(["send-keys"] + keys)
    }

    /// Types a text as it is.
    func type(_ text: String) async throws {
        _ = try await self.command(["send-keys", "-l", text])
    }

    func resize(columns: Int, rows: Int) async throws {
        _ = try await self.command(["resize-window", "-x", String(columns), "-y", String(rows)])
    }

    /// Waits until the screen shows a text, or something else.
    func wait(
        for what: String,
        fileID: String = #fileID,
        line: Int = #line,
        until condition: (String) -> Bool
    ) async throws {
        var last = ""
        do {
            try await eventually(what, fileID: fileID, line: line) {
                // Each look starts a program.
                try await Task.sleep(for: .milliseconds(30))
                last = try await self.text()
                return condition(last)
            }
        } catch let error as ConditionNotMet {
            throw ConditionNotMet(description: "\(error.description); the screen is:\n\(last)")
        }
    }

    func wait(for text: String, fileID: String = #fileID, line: Int = #line) async throws {
        try await self.wait(for: "\"\(text)\" on the screen", fileID: fileID, line: line) { $0.contains(text) }
    }

    /// Sends a signal to a process that has written its id to a file.
    func signal(_ signal: String, file: String) async throws {
        let number = self.file(file).filter { $0.isNumber }
        _ = await (try ChildProcess("/bin/kill", ["-\(signal)", number])).waitForExit()
    }

    /// Whether a process is there that has written its id to a file.
    func isRunning(file: String) async throws -> Bool {
        let number = self.file(file).filter { $0.isNumber }
        return await (try ChildProcess("/bin/kill", ["-0", number])).waitForExit() == .exited(0)
    }

    func file(_ name: String) -> String { self.directory.read(name) }
}
