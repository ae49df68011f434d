import ArgumentParser
import Foundation
import NATSDrill
import NATSTestSupport

@main
struct NATSDrillProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nats-drill",
        abstract: "Upgrade a cluster server by server, under load, and back again.",
        discussion: """
            Servers A and B, and T, which comes for the time of the drill, are replaced one after the other, each in lame \
            duck mode first; then A and B get back what they were, and T goes. Clients of ours, of nats-py and of libnats \
            publish numbered messages, work in queue groups, ask and answer all the while.

            Exit status: 0 if clients of ours that migrate lost nothing, got nothing twice, and had all their requests to \
            each other answered; 1 if not, or if the drill could not be done.
            """
    )

    @Option(help: ArgumentHelp("Seconds of load before each step.", valueName: "n"))
    var seconds = 5.0

    @Option(help: ArgumentHelp("Clients of ours that migrate; at least two.", valueName: "n"))
    var clients = 20

    @Option(help: ArgumentHelp("Clients of ours that reconnect when they are closed.", valueName: "n"))
    var notified = 2

    @Option(help: ArgumentHelp("Clients of nats-py.", valueName: "n"))
    var python = 2

    @Option(help: ArgumentHelp("Clients of libnats.", valueName: "n"))
    var libnats = 2

    @Option(
        help: ArgumentHelp(
            "Numbered messages a second of each client, and as many jobs and requests to each kind.",
            valueName: "n"
        )
    )
    var rate = 10.0

    @Option(help: ArgumentHelp("Program of the first servers (default: the official one).", valueName: "path"))
    var from: String?

    @Option(help: ArgumentHelp("Program that takes their place (default: ours).", valueName: "path"))
    var to: String?

    @Option(
        help: ArgumentHelp("Seconds before a server in lame duck mode closes clients, below 30.", valueName: "n")
    )
    var grace = 10.0

    @Flag(help: "Print the result as JSON on standard output, and the timeline on standard error.")
    var json = false

    func validate() throws {
        guard self.clients >= 2, self.notified >= 0, self.python >= 0, self.libnats >= 0 else {
            throw ValidationError("there must be at least two clients that migrate, and no less than none of others")
        }
        guard (0...3600).contains(self.seconds), self.rate > 0, self.rate <= 1000, (0..<30).contains(self.grace) else {
            throw ValidationError("--seconds is up to 3600, --rate above 0 and up to 1000, --grace below 30")
        }
    }

    func run() async throws {
        var options = DrillOptions(from: try self.first(), to: try self.other())
        options.clients = [
            .migrating: self.clients, .reconnecting: self.notified, .python: self.python, .libnats: self.libnats,
        ]
        options.interval = .seconds(1 / self.rate)
        options.pause = .seconds(self.seconds)
        options.gracePeriod = .seconds(self.grace)
        let output = self.json ? FileHandle.standardError : FileHandle.standardOutput
        options.say = { line in output.write(Data((line + "\n").utf8)) }

        let report: DrillReport
        do {
            report = try await Drill.run(options)
        } catch {
            FileHandle.standardError.write(Data("nats-drill: \(error)\n".utf8))
            throw ExitCode.failure
        }
        if self.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            FileHandle.standardOutput.write(try encoder.encode(report) + Data("\n".utf8))
        } else {
            FileHandle.standardOutput.write(Data("\n\(report.tables)\n".utf8))
        }
        let faults = report.isEmpty ? ["nothing happened that could have gone wrong"] : report.faults
        for line in report.details.prefix(100) { output.write(Data("  \(line)\n".utf8)) }
        for fault in faults { output.write(Data("FAILED: clients that migrate: \(fault)\n".utf8)) }
        guard faults.isEmpty else { throw ExitCode.failure }
        output.write(Data("clients that migrate: nothing lost, nothing twice, no request failed\n".utf8))
    }

    // MARK: Programs

    private func first() throws -> DrillOptions.Program {
        if let from { return Self.program(from) }
        guard let path = TestDependencies.officialServer(.current) else {
            throw DrillFailure("no official nats-server; Scripts/install-test-dependencies installs it")
        }
        return DrillOptions.Program("official \(OfficialServer.Version.current.rawValue)", path: path)
    }

    private func other() throws -> DrillOptions.Program {
        if let to { return Self.program(to) }
        let directory = Bundle.main.executableURL?.deletingLastPathComponent().path ?? "."
        let path = directory + "/nats-server"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw DrillFailure("no nats-server beside this program; name one by --to")
        }
        return DrillOptions.Program("ours", path: path)
    }

    private static func program(_ path: String) -> DrillOptions.Program {
        DrillOptions.Program(URL(fileURLWithPath: path).lastPathComponent, path: path)
    }
}
