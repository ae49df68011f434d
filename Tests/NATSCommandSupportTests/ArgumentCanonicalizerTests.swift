import NATSCommandSupport
import Testing

@Suite("Argument canonicaliser")
struct ArgumentCanonicalizerTests {
    private let flags: [CommandFlag] = [
        .value("server", "s"),
        .value("reply"),
        .repeated("header", "H"),
        .value("count", "n"),
        .boolean("raw", "r"),
        .boolean("timestamp", "t"),
        .boolean("no-newline", "N"),
        .boolean("rt"),
        CommandFlag("json", kind: .value, isSupported: false),
        CommandFlag("j", kind: .boolean, isSupported: false),
        CommandFlag("help", "h", kind: .builtIn),
    ]

    private func canonical(_ arguments: [String], posix: Bool = false) throws(UsageError) -> [String] {
        try ArgumentCanonicalizer(flags: self.flags, stopsAtFirstOperand: posix).canonicalize(arguments).arguments
    }

    @Test(
        "every spelling of a flag with a value is the same",
        arguments: [
            ["-s", "u"], ["-s=u"], ["--s", "u"], ["--s=u"], ["-server", "u"], ["-server=u"], ["--server", "u"],
            ["--server=u"],
        ]
    )
    func valueSpellings(arguments: [String]) throws {
        #expect(try self.canonical(arguments + ["foo"]) == ["--server=u", "--", "foo"])
    }

    @Test(
        "boolean flags",
        arguments: [
            (["-r"], ["--raw"]), (["-raw"], ["--raw"]), (["--raw=true"], ["--raw"]), (["-r=1"], ["--raw"]),
            (["-r=false"], []), (["--raw=F"], []), (["--no-raw"], []), (["-no-r"], []), (["-r", "--no-raw"], []),
            (["--no-raw", "-r"], ["--raw"]), (["--no-newline"], ["--no-newline"]), (["--no-no-newline"], []),
            (["-tr"], ["--timestamp", "--raw"]), (["-rtN"], ["--raw", "--timestamp", "--no-newline"]),
        ]
    )
    func booleans(arguments: [String], expected: [String]) throws {
        #expect(try self.canonical(arguments) == expected + ["--"])
    }

    @Test("a bundle that is itself a name is that name")
    func bundleThatIsAName() throws {
        #expect(try self.canonical(["-rt"]) == ["--rt", "--"])
    }

    @Test("the last of a flag that stands twice counts, and every one of a repeatable flag")
    func repetition() throws {
        #expect(try self.canonical(["-n", "1", "--count=2"]) == ["--count=2", "--"])
        #expect(try self.canonical(["-H", "a:1", "--header=a:2"]) == ["--header=a:1", "--header=a:2", "--"])
    }

    @Test("a value may look like a flag, be empty, and contain equal signs")
    func oddValues() throws {
        #expect(try self.canonical(["--reply", "-x"]) == ["--reply=-x", "--"])
        #expect(try self.canonical(["--reply="]) == ["--reply=", "--"])
        #expect(try self.canonical(["--reply=a=b"]) == ["--reply=a=b", "--"])
        #expect(try self.canonical(["--reply", "--"]) == ["--reply=--", "--"])
    }

    @Test(
        "after the first operand only exact names are flags",
        arguments: [
            (["foo", "-5"], ["--", "foo", "-5"]),
            (["foo", "-hello"], ["--", "foo", "-hello"]),
            (["foo", "--unknown"], ["--", "foo", "--unknown"]),
            (["foo", "-tr"], ["--", "foo", "-tr"]),
            (["foo", "x", "--count", "3"], ["--count=3", "--", "foo", "x"]),
            (["foo", "x", "-n=3"], ["--count=3", "--", "foo", "x"]),
            (["foo", "-r", "x"], ["--raw", "--", "foo", "x"]),
            (["foo", "--", "--count"], ["--", "foo", "--count"]),
            (["foo", "--", "--"], ["--", "foo", "--"]),
            (["foo", "-"], ["--", "foo", "-"]),
            (["foo", "---"], ["--", "foo", "---"]),
            (["foo", ""], ["--", "foo", ""]),
            (["--", "-s", "x"], ["--", "-s", "x"]),
            (["-", "-5"], ["--", "-", "-5"]),
        ]
    )
    func operands(arguments: [String], expected: [String]) throws {
        #expect(try self.canonical(arguments) == expected)
    }

    @Test("POSIXLY_CORRECT ends the flags at the first operand")
    func posix() throws {
        #expect(try self.canonical(["-r", "foo", "-n", "3"], posix: true) == ["--raw", "--", "foo", "-n", "3"])
        #expect(try self.canonical(["-r", "foo", "--", "x"], posix: true) == ["--raw", "--", "foo", "--", "x"])
    }

    @Test(
        "what cannot be meant is refused",
        arguments: [
            (["-zz"], "flag provided but not defined: -zz"),
            (["--zz=1", "foo"], "flag provided but not defined: --zz"),
            (["-5"], "flag provided but not defined: -5"),
            (["-rz"], "flag provided but not defined: -rz"),
            (["-sr"], "flag provided but not defined: -sr"),
            (["--no-server"], "flag provided but not defined: --no-server"),
            (["-s"], "flag needs an argument: -s"),
            (["foo", "--count"], "flag needs an argument: --count"),
            (["-r=maybe"], "invalid boolean value \"maybe\" for -r"),
            (["---s"], "bad flag syntax: ---s"),
            (["-=x"], "bad flag syntax: -=x"),
            (["--json"], "flag not supported yet: --json"),
            (["foo", "-json=1"], "flag not supported yet: -json"),
            (["--no-j"], "flag not supported yet: --no-j"),
            (["--help=x"], "flag takes no value: --help"),
        ]
    )
    func refusals(arguments: [String], expected: String) {
        #expect(throws: UsageError(expected)) { try self.canonical(arguments) }
    }

    @Test("no flag of a tool has two meanings")
    func tablesAreUnambiguous() {
        for table in [CommandFlag.publish, CommandFlag.subscribe, CommandFlag.request] {
            let names = table.flatMap(\.names)
            let repeated = Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys
            #expect(repeated.isEmpty)
        }
    }
}
