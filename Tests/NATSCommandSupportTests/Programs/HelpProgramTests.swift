import NATSCommandSupport
import NATSTestSupport
import Testing

/// What the tools say of themselves, in which no server has a part.
@Suite("The tools' help", .timeLimit(.minutes(3)))
struct HelpProgramTests {
    /// A tool with its usage and its flags.
    struct Tool: Sendable, CustomStringConvertible {
        var name: String
        var operands: String
        var flags: [CommandFlag]

        var description: String { self.name }

        static let all = [
            Tool(name: "nats-pub", operands: "<subject> [<msg>]", flags: CommandFlag.publish),
            Tool(name: "nats-sub", operands: "<subject>...", flags: CommandFlag.subscribe),
            Tool(name: "nats-req", operands: "<subject> [<msg>]", flags: CommandFlag.request),
            Tool(name: "nats-rply", operands: "<subject> [<response>]", flags: CommandFlag.reply),
            Tool(name: "nats-bench", operands: "<subject>", flags: CommandFlag.bench),
        ]
    }

    @Test("D24 --help is on standard output, the completion scripts load", arguments: Tool.all)
    func help(tool: Tool) async throws {
        let result = try await ToolShell.run("\(tool) --generate-completion-script bash >script && bash -n script")
        #expect(result.status == 0)
        #expect(result.errors == "")
        for flag in ["--help", "-h", "-help"] {
            let help = try await ToolShell.run("\(tool) \(flag)")
            #expect(help.status == 0)
            #expect(help.output.contains("USAGE: \(tool) [flags] \(tool.operands)"), "\(help.output.prefix(300))")
            #expect(help.errors == "")
        }
    }

    @Test("D24 every flag stands in the help and in the man page, with each of its names", arguments: Tool.all)
    func flags(tool: Tool) async throws {
        let help = try await ToolShell.run("\(tool) --help").output
        let page = try await ToolShell.run(
            #"sed -e 's/\\f[BIR]//g' -e 's/\\-/-/g' "$PAGE""#,
            environment: ["PAGE": "\(TestDependencies.packageRoot)/packaging/man/\(tool).1"]
        )
        try #require(page.status == 0, "\(page.errors)")
        for (place, text) in [("--help", help), ("the man page", page.output)] {
            let words = Set(text.split { " ,\n/()[]".contains($0) }.map(String.init))
            for flag in tool.flags where flag.isSupported && flag.kind != .builtIn && flag.kind != .builtInValue {
                for name in flag.names {
                    #expect(words.contains((name.count == 1 ? "-" : "--") + name), "\(name) is not in \(place)")
                }
            }
        }
    }
}
