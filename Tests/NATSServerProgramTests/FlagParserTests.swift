import Testing

@testable import nats_server

@Suite struct FlagParserTests {
    private func parse(_ arguments: String...) throws(FlagParser.Failure) -> FlagParser.Result {
        try FlagParser(Flag.all).parse(arguments)
    }

    private func failure(_ arguments: String...) -> String? {
        do {
            _ = try FlagParser(Flag.all).parse(arguments)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("one dash or two, blank or equals sign: the same value", arguments: ["-p", "--p", "-port", "--port"])
    func valueForms(flag: String) throws {
        for arguments in [[flag, "4333"], [flag + "=4333"]] {
            let result = try FlagParser(Flag.all).parse(arguments)
            #expect(result.given.map(\.value) == [.integer(4333)])
            #expect(result.operands.isEmpty)
        }
    }

    @Test("a boolean takes a value after the equals sign only")
    func booleans() throws {
        #expect(try self.parse("-D").given.map(\.value) == [.boolean(true)])
        #expect(try self.parse("-D=false").given.map(\.value) == [.boolean(false)])
        let result = try self.parse("-D", "false", "-V")
        #expect(result.given.count == 1)
        #expect(result.operands == ["false", "-V"])
    }

    @Test("a value may begin with a dash, be empty, and hold equals signs")
    func oddValues() throws {
        #expect(try self.parse("-p", "-1").given.map(\.value) == [.integer(-1)])
        #expect(try self.parse("-n", "--").given.map(\.value) == [.string("--")])
        #expect(try self.parse("-n", "").given.map(\.value) == [.string("")])
        #expect(try self.parse("-n=").given.map(\.value) == [.string("")])
        #expect(try self.parse("-n=a=b").given.map(\.value) == [.string("a=b")])
    }

    @Test("parsing stops at the first operand, at a lone dash, and at two dashes, which vanish")
    func operands() throws {
        #expect(try self.parse("x", "-D").operands == ["x", "-D"])
        #expect(try self.parse("-", "-D").operands == ["-", "-D"])
        #expect(try self.parse("", "-D").operands == ["", "-D"])
        let result = try self.parse("-V", "--", "-D")
        #expect(result.given.map(\.name) == ["V"])
        #expect(result.operands == ["-D"])
    }

    @Test("there is no bundling: -DV and -js are names of their own")
    func bundling() throws {
        #expect(try self.parse("-DV").given.map(\.name) == ["DV"])
        #expect(try self.parse("-js").given.map(\.name) == ["js"])
        #expect(self.failure("-VD") == "flag provided but not defined: -VD")
    }

    @Test(
        "errors read as Go's",
        arguments: [
            (["-foo"], "flag provided but not defined: -foo"),
            (["--foo=bar"], "flag provided but not defined: -foo"),
            (["-P=x", "-d"], "flag provided but not defined: -d"),
            (["-p"], "flag needs an argument: -p"),
            (["--port"], "flag needs an argument: -port"),
            (["-p", "abc"], #"invalid value "abc" for flag -p: parse error"#),
            (["-p="], #"invalid value "" for flag -p: parse error"#),
            (["-p", "99999999999999999999"], #"invalid value "99999999999999999999" for flag -p: value out of range"#),
            (["-m", "x"], #"invalid value "x" for flag -m: parse error"#),
            (["-D=maybe"], #"invalid boolean value "maybe" for -D: parse error"#),
            (["-D="], #"invalid boolean value "" for -D: parse error"#),
            (["---x"], "bad flag syntax: ---x"),
            (["-=x"], "bad flag syntax: -=x"),
            (["--=x"], "bad flag syntax: --=x"),
        ]
    )
    func errors(arguments: [String], message: String) {
        #expect(throws: FlagParser.Failure(message: message)) {
            try FlagParser(Flag.all).parse(arguments)
        }
    }

    @Test("no spelling belongs to two flags")
    func distinctNames() {
        let names = Flag.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
    }
}
