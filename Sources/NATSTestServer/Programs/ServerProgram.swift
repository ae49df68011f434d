#if os(Linux) || os(macOS)
import NATSWire
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A running server that is a program of its own: an official `nats-server`, or one with the same command line.
package final class ServerProgram: Sendable {
    private static let configurationName = "server.conf"
    private static let outputName = "output"
    /// Time from the start to listeners that stand.
    private static let patience: Duration = .seconds(60)

    /// The ports of its listeners, by what the ports file calls them: `nats`, `monitoring`, `cluster`, `websocket`, ….
    package let ports: [String: Int]
    private let process: SpawnedProcess
    private let directory: ScratchDirectory

    private init(ports: [String: Int], process: SpawnedProcess, directory: ScratchDirectory) {
        self.ports = ports
        self.process = process
        self.directory = directory
    }

    /// Starts it, and waits until all its listeners stand.
    ///
    /// - Parameters:
    ///   - path: Where the program is.
    ///   - arguments: Further arguments.
    ///   - configuration: The text of its configuration file; gets the directory for `ports_file_dir`.
    /// - Returns: The running server.
    /// - Throws: ``NATSTestServerError`` with what it has printed if it ends, or does not begin to listen.
    package static func start(
        _ path: String,
        arguments: [String] = [],
        configuration: (_ portsDirectory: String) throws -> String
    ) async throws -> ServerProgram {
        let directory = try ScratchDirectory()
        try directory.write(configuration(directory.path), to: Self.configurationName)
        let process = try SpawnedProcess(
            path,
            ["-c", directory.file(Self.configurationName)] + arguments,
            output: directory.file(Self.outputName)
        )
        let end = ContinuousClock.now + Self.patience
        while process.status == nil, ContinuousClock.now < end {
            if let ports = Self.ports(in: directory) {
                return ServerProgram(ports: ports, process: process, directory: directory)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let what = process.status == nil ? "told no ports" : "ended"
        throw NATSTestServerError(message: "\(path) \(what):\n\(directory.read(Self.outputName))")
    }

    /// What the ports file says; the server writes it when its listeners stand, not at one stroke: `nil` until it is whole.
    private static func ports(in directory: ScratchDirectory) -> [String: Int]? {
        guard let name = directory.names.first(where: { $0.hasSuffix(".ports") }),
            case .object(let members) = try? JSONValue.parse(Array(directory.read(name).utf8))
        else { return nil }
        var ports: [String: Int] = [:]
        for (kind, value) in members {
            guard case .array(let urls) = value, case .string(let url) = urls.first else { continue }
            ports[kind] = url.split(separator: ":").last.flatMap { Int($0) }
        }
        return ports["nats"] == nil ? nil : ports
    }

    package var processID: Int { self.process.processID }

    package var isRunning: Bool { self.process.status == nil }

    /// All that it has printed.
    package var output: String { self.directory.read(Self.outputName) }

    /// The directory in which its configuration file is, and into which it writes its ports.
    package var portsDirectory: String { self.directory.path }

    /// Gives it another configuration file, which it reads at the next SIGHUP.
    package func write(configuration: String) throws {
        try self.directory.write(configuration, to: Self.configurationName)
    }

    /// Sends a signal, unless it has ended.
    package func send(_ number: CInt) { self.process.send(number) }

    /// Ends it as an operator would (SIGTERM), and kills it if that takes longer than ten seconds.
    package func stop() async { await self.process.stop() }

    /// Ends it at once (SIGKILL).
    package func kill() async {
        self.process.send(SIGKILL)
        await self.process.waitForEnd()
    }

    /// Sends its clients away (SIGUSR2), and waits for its end.
    package func enterLameDuckMode() async {
        self.process.send(SIGUSR2)
        await self.process.waitForEnd()
    }

    /// Calls back with what `waitpid` has said once it has ended.
    package func whenEnded(_ body: @escaping @Sendable (CInt) -> Void) { self.process.whenEnded(body) }
}

extension ServerProgram {
    /// The version that a program says it has, such as `2.15.1`.
    ///
    /// - Throws: ``NATSTestServerError`` if it says none.
    package static func version(of path: String) async throws -> String {
        let directory = try ScratchDirectory()
        let process = try SpawnedProcess(path, ["--version"], output: directory.file(self.outputName))
        await process.waitForEnd()
        let text = directory.read(self.outputName)
        let prefix = "nats-server: v"
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else {
            throw NATSTestServerError(message: "\(path) is no nats-server:\n\(text)")
        }
        return String(line.dropFirst(prefix.count))
    }
}
#endif
