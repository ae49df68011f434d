import NATSTestSupport
import Testing

@Suite("nats-top --record and --replay")
struct RecordProgramTests {
    private static let varz = BadServer.Reply.answer(Fixture.varz())
    private static let connz = BadServer.Reply.answer(Fixture.connz())

    @Test("rounds with pages that cannot be read are shown again as they were")
    func unreadable() async throws {
        let deep = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        let server = try BadServer([
            Self.varz, .answer(deep), Self.varz, .answer(String(repeating: "\u{1}", count: 4 << 20)),
            .answer("garbage"),
            Self.varz, .answer("\u{FFFD}", status: 500), Self.varz, Self.connz,
        ])
        let run = try TopRun("-m \(server.port) --batch -d 0.1 -r 5 --record rounds")
        let live = try await run.result()
        #expect(live.status == 0, "\(live.errors)")
        /// The states without their times, which are the server's in a recording.
        func states(_ result: TopRun.Result) -> [Substring] {
            result.lines.compactMap { line in
                [" up", " lost"].compactMap { line.firstRange(of: $0) }.first.map { line[$0.lowerBound...] }
            }
        }
        let shown = try await TopRun.run("--replay '\(run.path)/rounds' --batch")
        #expect(shown.status == 0 && shown.errors.isEmpty, "\(shown.errors)")
        #expect(states(live).count == 5)
        #expect(states(shown) == states(live))
    }

    @Test("what was recorded before stays where the server does not answer")
    func noAnswer() async throws {
        let reserved = try ReservedPort()
        let run = try TopRun("-m \(reserved.port) --batch --record rounds", before: "echo before >rounds; ")
        #expect(try await run.result().status == 1)
        #expect(run.file("rounds") == "before\n")
    }

    @Test("a file that cannot be written ends it before anything is shown")
    func unwritable() async throws {
        let server = try BadServer([Self.varz, Self.connz, Self.varz])
        let result = try await TopRun.run("-m \(server.port) --batch -r 1 --record /nowhere/rounds")
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("nats-top: cannot write to /nowhere/rounds: "), "\(result.errors)")
    }

    @Test(
        "options that have no effect on a recording are refused by name",
        arguments: [
            ("-s h -m 1", "-s, -m"), ("--creds x", "--creds"), ("-ms 8443", "-ms"),
            ("--timeout 1s -d 2 -n 5", "--timeout, -d, -n"),
            ("--sys", "--sys"), ("--tlsca x", "--tlscacert"), ("-k", "-k"), ("--server a,b -s c", "-s"),
        ]
    )
    func refused(arguments: String, names: String) async throws {
        let result = try await TopRun.run("--replay rounds \(arguments) --json")
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(
            result.errors.hasPrefix("nats-top: --replay asks no server: without effect would be \(names)\n"),
            "\(result.errors)"
        )
    }

    @Test("options that say how a recording is shown work")
    func accepted() async throws {
        let server = try BadServer([Self.varz, Self.connz, Self.varz, Self.connz])
        let run = try TopRun("-m \(server.port) -o - --record rounds")
        #expect(try await run.result().status == 0)
        let shown = try await TopRun.run(
            "--replay '\(run.path)/rounds' -o - -l ';' -b -u -r 1 --sort -name --filter alpha --columns cid,name "
                + "--view connections --color never --no-sys"
        )
        #expect(shown.status == 0, "\(shown.errors)")
        #expect(shown.lines.contains("19;alpha;orders.*  svc.echo"), "\(shown.output)")
    }

    @Test("no round in a recording is of two servers", .enabled(if: Tmux.isAvailable))
    func oneServer() async throws {
        func server(_ id: String) async throws -> PageServer {
            let pages = [
                "/varz": PageServer.varz(id, name: "name-\(id)"), "/routez": PageServer.routez([]),
                "/connz": PageServer.connz(id),
            ]
            return try await PageServer(pages: pages)
        }
        let first = try await server("NA")
        let second = try await server("NB")
        let addresses = "127.0.0.1:\(first.port),127.0.0.1:\(second.port)"
        let terminal = try await Tmux(
            "cd \"$DIR\"; \"$TOP\" -s \(addresses) -d 0.2 --timeout 600 --record rounds; echo \"status $?\"; read line",
            columns: 120,
            rows: 24
        )
        var before = 0
        do {
            try await terminal.wait(for: "Server: name-NA")
            try await terminal.press("9")
            try await terminal.wait(for: "Servers: 2")
            // The next round stands still when the other server is chosen.
            try await terminal.press("Down")
            first.state.update { $0.lastWord = "/routez" }
            // The page of the cluster is there; that of the server is not.
            #expect(await first.state.wait { $0.isSilent && $0.requests.last == "/varz" })
            before = Self.places(terminal).count
            try await terminal.press("Enter")
            // It need not end for that.
            try await terminal.wait(for: "Server: name-NB")
            first.state.update { ($0.isSilent, $0.lastWord) = (false, nil) }
            let count = second.state.value.requests.count
            #expect(await second.state.wait { $0.requests.count > count + 4 })
            try await terminal.press("q")
            try await terminal.wait(for: "status 0")
        } catch {
            await terminal.close()
            throw error
        }
        await terminal.close()
        // Each round is of the server that it says, and what was on its way when the other was chosen is in none.
        let places = Self.places(terminal)
        #expect(places.prefix(before).allSatisfy { $0 == "127.0.0.1:\(first.port) NA" }, "\(places)")
        #expect(places.dropFirst(before).allSatisfy { $0 == "127.0.0.1:\(second.port) NB" }, "\(places)")
        #expect(before > 0 && places.count > before)
    }

    /// Where each recorded round says that its server was asked, and the server that answered there.
    private static func places(_ terminal: Tmux) -> [String] {
        terminal.file("rounds").split(separator: "\n").map { line in
            let at = line.split(separator: #""at":""#).dropFirst().first?.prefix { $0 != "\"" } ?? ""
            let id = line.split(separator: #""page":"varz","body":{"server_id":""#).dropFirst().first?.prefix {
                $0 != "\""
            }
            return "\(at) \(id ?? "")"
        }
    }
}
