import NATSClient
import NATSTestSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A place for a server of the cluster; programs take turns there, on the same ports.
package final class DrillNode: Sendable {
    package enum Name: String, Sendable, CaseIterable {
        case a = "A", b = "B"
        /// Comes for the time of the drill.
        case t = "T"
    }

    let name: Name
    private let client: ReservedPort
    private let route: ReservedPort
    private let directory: TemporaryDirectory
    private let process = Watched<ChildProcess?>(nil)

    var clientURL: String { self.client.url }
    var routeURL: String { self.route.url }
    var isRunning: Bool { self.process.value?.isRunning ?? false }

    /// Whether a URL of a server is that of this one.
    func isAt(_ url: String) -> Bool { url.hasSuffix(":\(self.client.port)") }

    init(_ name: Name) throws {
        self.name = name
        self.client = try ReservedPort()
        self.route = try ReservedPort()
        self.directory = try TemporaryDirectory()
    }

    /// Starts a program, and waits until it lets clients in.
    ///
    /// - Parameters:
    ///   - program: Which one.
    ///   - routes: URLs of servers that it dials.
    ///   - options: How its lame duck mode goes.
    /// - Throws: If it ends, or is not ready within two minutes.
    func start(_ program: DrillOptions.Program, routes: [String], _ options: DrillOptions) async throws {
        let milliseconds = { (duration: Duration) in "\(Int(duration.timeInterval * 1000))ms" }
        let file = try self.directory.write(
            """
            server_name: "\(self.name.rawValue)"
            listen: "127.0.0.1:\(self.client.port)"
            lame_duck_grace_period: "\(milliseconds(options.gracePeriod))"
            lame_duck_duration: "\(milliseconds(options.lameDuckDuration))"
            cluster {
              name: drill
              listen: "127.0.0.1:\(self.route.port)"
              routes: [ \(routes.map { "\"\($0)\"" }.joined(separator: ", ")) ]
            }

            """,
            to: "\(self.name.rawValue).conf"
        )
        let process = try ChildProcess(program.path, ["-c", file])
        self.process.update { $0 = process }
        try await eventually("\(program.label) as \(self.name.rawValue)", timeout: .seconds(120)) {
            guard process.isRunning else {
                throw DrillFailure("\(program.label) as \(self.name.rawValue) ended: \(process.output)")
            }
            return process.output.contains("Server is ready")
        }
    }

    /// Tells it to send its clients away.
    func enterLameDuckMode() { self.process.value?.signal(SIGUSR2) }

    /// Tells it to end at once, which it does in lame duck mode as well.
    func interrupt() { self.process.value?.signal(SIGINT) }

    /// Waits until it has ended by itself.
    func awaitEnd(timeout: Duration) async throws {
        guard let process = self.process.value else { return }
        guard let exit = await process.waitForExit(timeout: timeout) else {
            throw DrillFailure("\(self.name.rawValue) runs \(timeout) after lame duck mode:\n\(process.output)")
        }
        guard exit == .exited(0) else {
            throw DrillFailure("\(self.name.rawValue) ended with \(exit):\n\(process.output)")
        }
    }

    func stop() async {
        await self.process.value?.stop()
        self.client.release()
        self.route.release()
    }
}
