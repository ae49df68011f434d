import Testing

@testable import nats_server

@Suite struct InvocationTests {
    private func invocation(_ arguments: String...) -> Invocation {
        Invocation(arguments: arguments)
    }

    private func settings(_ arguments: String...) throws -> ProgramSettings {
        guard case .run(let settings) = Invocation(arguments: arguments) else {
            throw FlagParser.Failure(message: "\(Invocation(arguments: arguments))")
        }
        return settings
    }

    @Test("without flags the official defaults hold")
    func defaults() throws {
        let settings = try self.settings()
        #expect(settings.host == "0.0.0.0")
        #expect(settings.port == 4222)
        #expect(settings.serverName == nil)
        #expect(settings.logTime)
        #expect(!settings.debug && !settings.trace)
        #expect(settings.user == nil && settings.password == nil && settings.token == nil)
    }

    @Test("every spelling of a flag sets the same thing")
    func spellings() throws {
        for flag in ["-a", "-addr", "--net"] {
            #expect(try self.settings(flag, "127.0.0.1").host == "127.0.0.1")
        }
        for flag in ["-n", "--name", "--server_name"] {
            #expect(try self.settings(flag, "one").serverName == "one")
        }
        for flag in ["-l", "--log"] {
            #expect(try self.settings(flag, "/tmp/x").logFile == "/tmp/x")
        }
        for flag in ["-P", "--pid"] {
            #expect(try self.settings(flag, "/tmp/x").pidFile == "/tmp/x")
        }
        for flag in ["-T=false", "--logtime=0"] {
            #expect(try !self.settings(flag).logTime)
        }
        for flag in ["-D", "--debug"] {
            #expect(try self.settings(flag).debug)
        }
        for flag in ["-V", "--trace=true"] {
            #expect(try self.settings(flag).trace)
        }
        let authorization = try self.settings("--user", "u", "-pass", "p", "--auth=t")
        #expect(authorization.user == "u" && authorization.password == "p" && authorization.token == "t")
    }

    @Test("the last of several wins, but -DV wins over -D and -V wherever it stands")
    func repetition() throws {
        #expect(try self.settings("-p", "1", "--port=2").port == 2)
        let on = try self.settings("-DV", "-D=false")
        #expect(on.debug && on.trace)
        let off = try self.settings("-D", "-DV=false", "-V")
        #expect(!off.debug && !off.trace)
    }

    @Test("port 0 and an empty host mean the defaults, port -1 any free port")
    func specialValues() throws {
        #expect(try self.settings("-p", "0").port == 4222)
        #expect(try self.settings("-p", "-1").port == -1)
        #expect(try self.settings("-a", "").host == "0.0.0.0")
        #expect(try self.settings("-n", "").serverName == nil)
        #expect(try self.settings("--user", "", "--auth", "").user == nil)
    }

    @Test("version before help before operands before everything else; a syntax error comes first")
    func order() {
        #expect(self.invocation("-h", "-v") == .showVersion)
        #expect(self.invocation("version", "-h") == .showVersion)
        #expect(self.invocation("-h", "bogus") == .showHelp)
        #expect(self.invocation("VERSION") == .showVersion)
        #expect(self.invocation("Help", "bogus") == .showHelp)
        #expect(self.invocation("-D", "bogus", "-v") == .refuse(#"unrecognized command: "bogus""#))
        #expect(self.invocation("-c", "x", "-v") == .showVersion)
        #expect(self.invocation("-v=false", "bogus") == .refuse(#"unrecognized command: "bogus""#))
        #expect(self.invocation("-v", "-foo") == .misuse("flag provided but not defined: -foo"))
    }

    @Test("each official flag that does not work yet is refused by the name that was used, even as false")
    func unsupported() {
        for flag in Flag.all where flag.setting == nil {
            for name in flag.names {
                let arguments: [String] =
                    switch flag.kind {
                    case .boolean: ["-D", "--\(name)=false"]
                    case .integer: ["-\(name)", "1"]
                    case .string: ["-\(name)", "x"]
                    }
                #expect(Invocation(arguments: arguments) == .refuse("flag not supported yet: -\(name)"))
            }
        }
        #expect(self.invocation("-c", "x") == .refuse("flag not supported yet: -c"))
        #expect(self.invocation("-VV") == .refuse("flag not supported yet: -VV"))
    }

    @Test("a name with a space is refused")
    func refusedValues() {
        #expect(self.invocation("-n", "a b") == .refuse("server name cannot contain spaces"))
    }

    @Test("the help lists every flag that works and none that does not")
    func help() {
        let text = HelpText(release: "9.8.7", compatibleVersion: "2.15.1").render(Flag.all)
        #expect(text.hasPrefix("\nUsage: nats-server [options]\n\nServer Options:\n"))
        #expect(text.hasSuffix("\n\n"))
        #expect(text.contains("9.8.7") && text.contains("2.15.1"))
        #expect(text.contains("\n    -p, --port <port>                Client port"))
        #expect(text.contains("\n        --user <user>                User"))
        for flag in Flag.all {
            for name in flag.names {
                let dashed = name.count == 1 || name == name.uppercased() ? " -\(name)" : " --\(name)"
                let listed = [" ", ",", "\n"].contains { text.contains(dashed + $0) }
                #expect(listed == (flag.setting != nil), "\(name)")
            }
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test("the descriptor warning appears only when the limit is too low")
    func fileLimit() {
        #expect(OpenFileLimit.warning(limit: nil, maximumConnections: 65_536) == nil)
        #expect(OpenFileLimit.warning(limit: 1_048_576, maximumConnections: 65_536) == nil)
        let text = "Open file limit of 20000 is too low for max_connections of 65536"
        #expect(OpenFileLimit.warning(limit: 20_000, maximumConnections: 65_536) == text)
        #expect(OpenFileLimit.warning(limit: 65_536, maximumConnections: 65_536) != nil)
    }
}
