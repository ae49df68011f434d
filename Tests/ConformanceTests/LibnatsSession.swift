import NATSTestSupport
import Testing

/// What `Scripts/libnats-session` does with a server, and how that must end.
struct LibnatsAttempt: Sendable {
    enum Ending: Sendable {
        /// It gets what it wants, and is told this in the end.
        case works(told: String? = nil)
        /// It is refused, and this is part of what libnats says.
        case refused(String)
        /// One or the other, as the version of libnats knows how.
        case worksOrRefused(String)
        /// It is refused after its side of a handshake of TLS 1.3: whether libnats notices when it writes or when it
        /// reads depends on which of the two sides is faster, with the official server too.
        case refusedAfterHandshake
    }

    let what: String
    let arguments: [String]
    let credentials: String
    let environment: [String: String]
    let ending: Ending

    /// `credentials` go into the URL.
    init(
        _ what: String,
        _ arguments: [String],
        credentials: String = "",
        environment: [String: String] = [:],
        _ ending: Ending
    ) {
        self.what = what
        self.arguments = arguments
        self.credentials = credentials.isEmpty ? "" : credentials + "@"
        self.environment = environment
        self.ending = ending
    }

    /// libnats signs the server's nonce.
    private var signs: Bool {
        ["seed", "signature"].contains(self.arguments.first ?? "")
    }

    /// What the program prints.
    ///
    /// libnats 3 signs about one nonce in a hundred wrongly, and crashes over as many, with the official server as with
    /// ours: an attempt that signs gets four tries. A server that refused what it must not would do so each time.
    func run(_ server: RunningServer) async throws -> [String] {
        for _ in 1..<(self.signs ? 4 : 1) {
            let (output, exit) = try await self.runOnce(server)
            if exit == .exited(0), self.objection(to: output) == nil { return output }
        }
        let (output, exit) = try await self.runOnce(server)
        #expect(exit == .exited(0), "\(self.what): \(output)")
        return output
    }

    private func runOnce(_ server: RunningServer) async throws -> (output: [String], exit: ChildProcess.Exit?) {
        let program = try #require(TestDependencies.libnatsSession, "Scripts/install-test-dependencies makes it")
        let url = "nats://\(self.credentials)127.0.0.1:\(server.port)"
        let session = try ChildProcess(program, [url] + self.arguments, environment: self.environment)
        let exit = await session.waitForExit(timeout: .seconds(90))
        return (session.output.split(separator: "\n").map(String.init), exit)
    }

    /// What is wrong with an output by itself, or nil.
    func objection(to output: [String]) -> String? {
        let isGood =
            switch self.ending {
            case .works(let told):
                output == ["connected", "received"] + (told.map { [$0] } ?? [])
            case .refused(let part):
                output.count == 1 && output[0].hasPrefix("refused: ") && output[0].contains(part)
            case .worksOrRefused(let part):
                output == ["connected", "received"]
                    || output.count == 1 && output[0].hasPrefix("refused: ") && output[0].contains(part)
            case .refusedAfterHandshake:
                output.count == 1
                    && (output[0].hasPrefix("refused: Protocol Error: ") && output[0].hasSuffix("got ''")
                        || output[0].hasPrefix("refused: IO Error: "))
            }
        return isGood ? nil : "\(self.what): \(output)"
    }

    /// True when each server must lead to the same words.
    var isExact: Bool {
        if case .refusedAfterHandshake = self.ending { return false }
        return true
    }

    /// Makes the attempts with a server of each kind: each ends as it should, and libnats says about ours what it says
    /// about the official one.
    static func compare(_ configuration: ServerConfiguration, _ attempts: [LibnatsAttempt]) async throws {
        var official: [[String]] = []
        for server in ServerUnderTest.available {
            try await server.withServer(configuration) { running in
                for (index, attempt) in attempts.enumerated() {
                    let output = try await attempt.run(running)
                    if let objection = attempt.objection(to: output) { Issue.record("\(server): \(objection)") }
                    if server == .official {
                        official.append(output)
                    } else if attempt.isExact, official.indices.contains(index) {
                        #expect(output == official[index], "\(attempt.what), \(server)")
                    }
                }
            }
        }
    }
}
