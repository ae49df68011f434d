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
                "\nUsage: nats-server [options]\n"
            )
        )
        #expect(run.output.contains("\n\nServer Options:\n    -a, --addr, --net <host>         "))
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

    @Test("a flag whose feature is not there is refused, never ignored")
    func unsupported() async throws {
        for arguments in [["-js"], ["--profile", "7000"]] {
            let run = try ProgramRun(.ours, arguments)
            #expect(await run.exitCode() == 1)
            #expect(run.errors == "nats-server: not supported yet: -\(arguments[0].drop { $0 == "-" })\n")
            #expect(run.output == "")
        }
    }

    @Test(
        "files that are not there and targets that do not run: text on stderr, exit 1",
        arguments: Program.available,
        [
            (["-t"], "must specify [-c, --config] option to check configuration file syntax"),
            (["-c", "/no/x.conf"], "open /no/x.conf: no such file or directory"),
            (["-t", "-c", "/no/x.conf"], "open /no/x.conf: no such file or directory"),
            (["-routes", "nats://h:1"], "solicited routes require cluster capabilities, e.g. --cluster"),
            (["-cluster", "nats://127.0.0.1"], "address 127.0.0.1: missing port in address"),
            (["-cluster", "nats://user@h:1"], "expected cluster password to be set"),
            (["--tls"], "TLS Server certificate must be present and valid"),
            (["--tlscert", "c"], "TLS Server private key must be present and valid"),
            (
                ["--tlscert", "/no/c", "--tlskey", "k"],
                "error parsing X509 certificate/key pair: open /no/c: no such file or directory"
            ),
            (["-sl", "foo=99999999"], #"unknown signal "foo""#),
            (["--signal", "reload=99999999"], "\nsignal \"reload\" 99999999: no such process"),
            (["-sl", "reload=abc"], "invalid pid: abc"),
            (["-sl=a=b=c"], "invalid signal parameters: [c]"),
        ]
    )
    func missing(program: Program, sample: (arguments: [String], text: String)) async throws {
        let run = try ProgramRun(program, sample.arguments)
        #expect(await run.exitCode() == 1)
        #expect(run.errors == "nats-server: \(sample.text)\n")
        #expect(run.output == "")
    }

    @Test("the help on TLS goes to stdout", arguments: Program.available)
    func helpTLS(program: Program) async throws {
        let run = try ProgramRun(program, ["--help_tls"])
        #expect(await run.exitCode() == 0)
        #expect(run.errors == "")
        for text in [
            "\nTLS ", "tls {", "\nAvailable cipher suites include:\n    TLS_", "TLS_AES_128_GCM_SHA256\n",
            "\nAvailable curve preferences include:\n    ", "    X25519\n", "    CurveP256\n",
        ] {
            #expect(run.output.contains(text), "\(text)")
        }
    }
}
