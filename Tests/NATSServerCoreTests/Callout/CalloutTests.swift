import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// Authorization services, on the official server and ours: who is let in, as what, and what the log says.
@Suite("auth callout")
struct CalloutTests {
    /// What one server has done.
    private struct Transcript: Sendable {
        var lines: [String] = []
        /// Warnings and errors, in any order.
        var log: [String] = []
    }

    private static func configuration(_ service: CalloutService, timeout: Int = 60, _ more: String = "") -> String {
        """
        http: "127.0.0.1:-1"
        authorization { timeout: \(timeout), \(service.block()) }
        accounts {
          AUTH { users: [{user: auth, password: auth}] }
          APP { users: [{user: known, password: known}] }
          FULL { users: [{user: full1, password: full1}], limits: { max_connections: 0 } }
        }
        \(more)

        """
    }

    /// Runs the same on all servers and compares what they did.
    private func compare(_ run: @Sendable (ServerUnderTest) async throws -> Transcript) async throws {
        var transcripts: [(server: ServerUnderTest, transcript: Transcript)] = []
        for server in ServerUnderTest.available { transcripts.append((server, try await run(server))) }
        guard let official = transcripts.first(where: { $0.server == .official })?.transcript else { return }
        for (server, transcript) in transcripts where server != .official {
            #expect(transcript.lines.count == official.lines.count)
            for (line, theirs) in zip(transcript.lines, official.lines) { #expect(line == theirs, "\(server)") }
            #expect(transcript.log.count == official.log.count, "\(server)")
            for (line, theirs) in zip(transcript.log, official.log) { #expect(line == theirs, "\(server)") }
        }
    }

    /// The log's warnings, errors, and what it says about services, without what is different each time.
    private static func stable(log: String) -> [String] {
        let lines = log.split(separator: "\n").compactMap { line -> String? in
            let isOfService = line.contains("Authorization callout")
            guard
                let range = line.firstRange(of: "[WRN]") ?? line.firstRange(of: "[ERR]")
                    ?? (isOfService ? line.firstRange(of: "[DBG]") : nil)
            else { return nil }
            // Of the configuration, not of what is tested here.
            guard !line.contains("Plaintext passwords") else { return nil }
            return Self.stable(String(line[range.lowerBound...]))
        }
        // How often one line comes depends on how fast the others are.
        return Set(lines).sorted()
    }

    private static func stable(_ line: String) -> String {
        line.split(separator: " ", omittingEmptySubsequences: false).map { word in
            if word.hasPrefix("127.0.0.1:") { return "ADDRESS" }
            if word.hasPrefix("cid:") { return "cid" }
            let bare = word.filter { $0 != "\"" && $0 != "," }
            if bare.count == 56, let first = bare.first, "AUNX".contains(first),
                bare.allSatisfy({ "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains($0) })
            {
                return "\(first)…"
            }
            return String(word)
        }.joined(separator: " ")
    }

    /// Who a connection is, as `/connz` tells.
    private static func identity(_ server: ConfiguredServer, _ client: String) async throws -> String {
        let page = try await server.fetch("/connz?auth=1&cid=\(client)").text
        func field(_ name: String) -> String {
            guard let range = page.firstRange(of: "\"\(name)\": \"") else { return "-" }
            return String(page[range.upperBound...].prefix { $0 != "\"" })
        }
        let user = field("authorized_user")
        return "\(field("account"))/\(user.count == 56 ? "\(user.prefix(1))…" : user)"
    }

    /// Connects, does what the case says, and tells what came of it.
    private static func play(_ item: CalloutCase, on server: ConfiguredServer) async throws -> String {
        let peer = try RawConnection.connect(port: server.port, answersPings: true)
        defer { peer.close() }
        let info = try await peer.readInfo()
        let client = String(info.split(separator: "\"client_id\":").last?.prefix { $0 != "," } ?? "")
        let credentials = "\"user\":\"\(item.name)\",\"pass\":\"\(item.name)\"\(item.members)"
        await peer.send("CONNECT {\"verbose\":false,\"pedantic\":false,\(credentials)}\r\nPING\r\n")
        guard
            await peer.wait(
                timeout: .seconds(60),
                until: { $0.end != nil || $0.bytes.suffix(6) == Array("PONG\r\n".utf8)[...] }
            )
        else { return "\(item.name): silence" }
        var outcome = String(decoding: peer.takeAll(), as: UTF8.self)
        if !peer.hasEnded {
            outcome += try await Self.identity(server, client) + "\r\n"
            await peer.send(item.then + "PING\r\n")
            outcome += String(decoding: try await peer.read(until: "PONG\r\n"), as: UTF8.self)
        }
        return "\(item.name): " + outcome.split(separator: "\r\n").joined(separator: " | ")
    }

    private func play(_ cases: [CalloutCase], isSealed: Bool) async throws {
        let service = try CalloutService(isSealed: isSealed)
        let rules = Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0.answers) })
        try await self.compare { kind in
            let (lines, server) = try await ConfiguredServer.with(kind, Self.configuration(service)) { server in
                let asked = Watched<[Bool]>([])
                let lines = try await service.serve(port: server.port) { question in
                    asked.update { $0.append(question.wasSealed) }
                    return try rules[question.claims.options.user]?(question) ?? [.error("nobody knows")]
                } while: {
                    var lines: [String] = []
                    for item in cases { lines.append(try await Self.play(item, on: server)) }
                    return lines
                }
                #expect(asked.value == cases.map { _ in isSealed }, "\(kind)")
                return (lines, server)
            }
            return Transcript(lines: lines, log: Self.stable(log: server.log))
        }
    }

    @Test("clients that the service lets in", .timeLimit(.minutes(3)), arguments: [false, true])
    func admitted(isSealed: Bool) async throws { try await self.play(CalloutCase.admitted, isSealed: isSealed) }

    @Test("clients that the service, or the server, refuses", .timeLimit(.minutes(3)), arguments: [false, true])
    func refused(isSealed: Bool) async throws { try await self.play(CalloutCase.refused, isSealed: isSealed) }
}
