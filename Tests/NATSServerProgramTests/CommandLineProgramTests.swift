import NATSTestSupport
import Testing

@testable import nats_server

/// What the program prints and returns without serving; the official one must do the same.
@Suite struct CommandLineProgramTests {
    @Test(
        "versions are printed alike",
        arguments: Program.available,
        [
            ["-v"], ["--version"], ["version"], ["VERSION", "bogus"], ["-h", "-v"], ["-p", "0x10", "version"],
            ["-T=F", "-v"],
        ]
    )
    func version(program: Program, arguments: [String]) async throws {
        let run = try ProgramRun(program, arguments)
        #expect(await run.exitCode() == 0)
        #expect(run.output == "nats-server: v2.15.1\n")
        #expect(run.errors == "")
    }

    @Test("help goes to stdout", arguments: Program.available, [["-h"], ["--help"], ["help"], ["help", "bogus"]])
    func help(program: Program, arguments: [String]) async throws {
        let run = try ProgramRun(program, arguments)
        #expect(await run.exitCode() == 0)
        #expect(
            run.output.hasPrefix(
                "\nUsage: nats-server [options]\n\nServer Options:\n    -a, --addr, --net <host>         "
            )
        )
        #expect(run.output.hasSuffix("\n\n"))
        #expect(run.errors == "")
    }

    @Test(
        "a flag that Go's parser refuses: text on stderr, help on stdout, exit 0",
        arguments: Program.available,
        [
            (["-foo"], "flag provided but not defined: -foo"),
            (["-v", "--foo=1"], "flag provided but not defined: -foo"),
            (["-p"], "flag needs an argument: -p"),
            (["-p", "abc"], #"invalid value "abc" for flag -p: parse error"#),
            (["-p=08"], #"invalid value "08" for flag -p: parse error"#),
            (["-p", "99999999999999999999"], #"invalid value "99999999999999999999" for flag -p: value out of range"#),
            (["-D=maybe"], #"invalid boolean value "maybe" for -D: parse error"#),
            (["-DV=\u{1B}ü"], #"invalid boolean value "\x1bü" for -DV: parse error"#),
            (["---x"], "bad flag syntax: ---x"),
        ]
    )
    func misuse(program: Program, sample: (arguments: [String], text: String)) async throws {
        let run = try ProgramRun(program, sample.arguments)
        #expect(await run.exitCode() == 0)
        #expect(run.errors == sample.text + "\n")
        #expect(run.output.hasPrefix("\nUsage: nats-server [options]\n"))
    }

    @Test(
        "what is understood but wrong: text on stderr, exit 1",
        arguments: Program.available,
        [
            (["bogus"], #"unrecognized command: "bogus""#),
            (["-D", "false"], #"unrecognized command: "false""#),
            (["-D", "Bögus\n", "-v"], #"unrecognized command: "Bögus\n""#),
            (["-n", "has space"], "server name cannot contain spaces"),
        ]
    )
    func refusal(program: Program, sample: (arguments: [String], text: String)) async throws {
        let run = try ProgramRun(program, sample.arguments)
        #expect(await run.exitCode() == 1)
        #expect(run.errors == "nats-server: \(sample.text)\n")
        #expect(run.output == "")
    }

    @Test("an official flag that does not work yet is refused, never ignored")
    func unsupported() async throws {
        for arguments in [["-c", "x.conf"], ["-js"], ["-m", "8222"], ["-DVV"]] {
            let run = try ProgramRun(.ours, arguments)
            #expect(await run.exitCode() == 1)
            #expect(run.errors == "nats-server: flag not supported yet: \(arguments[0])\n")
            #expect(run.output == "")
        }
    }
}
