import NATSTestSupport
import NATSWire
import Testing

/// Streams and services that accounts import, on the official server and ours: the same transcripts.
@Suite("imports and exports")
struct ImportTests {
    /// An export of `A`, an import of `B`, a subscription there and publishes here.
    private struct StreamCase {
        let export: String
        let subject: String
        /// `prefix: p` or `to: "x.$1"`.
        let options: String
        let subscriptions: [String]
        let published: [String]
    }

    /// Each subject begins with a token of its own (`N`), on both sides.
    private static let streamCases: [StreamCase] = [
        ("N.a", "N.a", "", ["N.a"], ["N.a", "N.b"]), ("N.a", "N.a", "", ["N.*", "N.>", ">"], ["N.a"]),
        ("N.a", "N.a", "prefix: NP", ["NP.N.a", "N.a"], ["N.a"]),
        ("N.a", "N.a", "to: NL.x", ["NL.x", "NL.*"], ["N.a"]),
        ("N.>", "N.>", "", ["N.a.b"], ["N.a.b", "N.a"]), ("N.>", "N.>", "", ["N.*.b", "N.a.>"], ["N.a.b", "N.x.b"]),
        ("N.>", "N.>", "prefix: NP", ["NP.N.>"], ["N.a", "N.a.b"]),
        ("N.>", "N.>", "prefix: NP.q.", ["NP.q.N.a", "NP.>"], ["N.a"]),
        ("N.>", "N.>", "to: NL.>", ["NL.>", "NL.a", "NL.*"], ["N.a", "N.a.b"]),
        ("N.>", "N.a.>", "", ["N.>"], ["N.a.b", "N.b.b"]), ("N.>", "N.*", "", ["N.>", "N.a"], ["N.a", "N.a.b"]),
        ("N.*", "N.*", "to: \"NL.$1\"", ["NL.a", "NL.*"], ["N.a", "N.b"]),
        ("N.*", "N.*", "to: \"NL.{{wildcard(1)}}.x\"", ["NL.*.x", "NL.>"], ["N.a"]),
        ("N.*.*", "N.*.*", "to: \"NL.$2.$1\"", ["NL.b.a", "NL.*.a", "NL.b.*", "NL.>"], ["N.a.b", "N.b.a"]),
        ("N.*.*", "N.*.x", "to: \"NL.$1\"", ["NL.a", "NL.>"], ["N.a.x", "N.a.y"]),
        ("N.*.>", "N.*.>", "to: \"NL.$1.k.>\"", ["NL.a.k.b", "NL.*.k.>", "NL.a.>"], ["N.a.b", "N.c.b.d"]),
        ("N.*", "N.*", "prefix: NP", ["NP.*.a", "NP.N.*", "*.N.a"], ["N.a", "N.b"]),
        ("N.>", "N.>", "prefix: NP", ["*.N.*.c", "NP.*.b.*"], ["N.b.c", "N.b"]),
        ("N.>", "N.a", "", ["N.*"], ["N.a", "N.b"]), ("N.a.b", "N.a.b", "", ["N.a.*", "N.*.b", "N.>"], ["N.a.b"]),
        ("N.a.b", "N.a.b", "to: NL", ["NL", "*"], ["N.a.b"]),
        ("N.>", "N.*.z", "", ["N.a.*", "N.*.z", "*.a.z"], ["N.a.z", "N.b.z", "N.a.y"]),
        ("N.*", "N.*", "", ["N.a q", "N.b q"], ["N.a", "N.b"]),
    ].enumerated().map { index, item in
        func own(_ text: String) -> String { text.replacing("N", with: "n\(index)") }
        return StreamCase(
            export: own(item.0),
            subject: own(item.1),
            options: own(item.2),
            subscriptions: item.3.map(own),
            published: item.4.map(own)
        )
    }

    private static let streamText: String = {
        let exports = ImportTests.streamCases.map { "{stream: \"\($0.export)\"}" }.joined(separator: "\n      ")
        let imports = ImportTests.streamCases.map { item in
            "{stream: {account: A, subject: \"\(item.subject)\"}\(item.options.isEmpty ? "" : ", \(item.options)")}"
        }
        return """
            accounts {
              A {
                users: [{user: a, password: a}]
                exports: [
                  \(exports)
                  {stream: "private.>", accounts: [C]}
                  {stream: "deny.>"}
                ]
              }
              B {
                users: [{user: b, password: b}, {user: d, password: d, permissions: {subscribe: {deny: "deny.x"}}}]
                imports: [
                  \(imports.joined(separator: "\n      "))
                  {stream: {account: A, subject: "deny.>"}}
                ]
              }
              C { users: [{user: c, password: c}], imports: [{stream: {account: A, subject: "private.>"}}] }
            }

            """
    }()

    /// Runs the same on all servers and compares what they said.
    private func compare(
        _ text: String,
        _ body: @escaping @Sendable (ConfiguredServer) async throws -> [String]
    ) async throws {
        var transcripts: [(server: ServerUnderTest, lines: [String])] = []
        for server in ServerUnderTest.available {
            transcripts.append((server, try await ConfiguredServer.with(server, text, body)))
        }
        guard let official = transcripts.first(where: { $0.server == .official }) else { return }
        for transcript in transcripts where transcript.server != .official {
            #expect(transcript.lines.count == official.lines.count)
            for (line, theirs) in zip(transcript.lines, official.lines) {
                #expect(line == theirs, "\(transcript.server)")
            }
        }
    }

    /// What has arrived, messages in any order.
    private func arrived(_ peer: RawConnection) async throws -> String {
        await peer.send("PING\r\n")
        let bytes = try await peer.read(until: "PONG\r\n")
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        var messages: [String] = []
        for line in lines {
            if line.contains("MSG ") || line == "PONG" || line.hasPrefix("-ERR") || messages.isEmpty {
                messages.append(Self.stable(String(line)))
            } else {
                messages[messages.count - 1] += "|" + Self.stable(String(line))
            }
        }
        return messages.sorted().joined(separator: "\n")
    }

    /// Without what is different each time: `_R_` subjects, times and sizes that depend on them.
    private static func stable(_ line: String) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for (index, word) in words.enumerated() where word.hasPrefix("_R_.") { words[index] = "_R_" }
        var line = words.joined(separator: " ")
        for key in ["\"rtt\":", "\"id\":", "\"start\":", "\"server\":"] {
            guard let range = line.firstRange(of: key) else { continue }
            let rest = line[range.upperBound...]
            let end = rest.firstIndex { $0 == "," || $0 == "}" } ?? rest.endIndex
            line = line[..<range.upperBound] + "…" + line[end...]
        }
        if line.hasPrefix("HMSG "), words.count >= 5 {
            line = words.dropLast(2).joined(separator: " ") + " …"
        }
        return line
    }

    @Test("streams: what an importer gets", .timeLimit(.minutes(2)))
    func streams() async throws {
        try await self.compare(Self.streamText) { server in
            var lines: [String] = []
            for (index, item) in Self.streamCases.enumerated() {
                let importer = try await server.connect("b")
                let exporter = try await server.connect("a")
                let other = try await server.connect("c")
                try await other.flush("SUB > 1\r\n")
                for (sid, subscription) in item.subscriptions.enumerated() {
                    await importer.send("SUB \(subscription) s\(sid)\r\n")
                }
                try await importer.flush("")
                for subject in item.published { await exporter.send("PUB \(subject) r.x 2\r\nhi\r\n") }
                try await exporter.flush("")
                lines.append("\(index): \(try await self.arrived(importer))")
                // And nothing any more.
                for sid in item.subscriptions.indices { await importer.send("UNSUB s\(sid)\r\n") }
                try await importer.flush("")
                for subject in item.published { await exporter.send("PUB \(subject) 2\r\nhi\r\n") }
                try await exporter.flush("")
                lines.append("\(index) after: \(try await self.arrived(importer)) \(try await self.arrived(other))")
                importer.close()
                exporter.close()
                other.close()
            }
            return lines
        }
    }

    @Test("streams: headers, echo, denials, private ones, own messages, limits", .timeLimit(.minutes(2)))
    func streamDetails() async throws {
        try await self.compare(Self.streamText) { server in
            var lines: [String] = []
            let exporter = try await server.connect("a", ",\"headers\":true,\"no_responders\":true")
            let plain = try await server.connect("b")
            let headers = try await server.connect("b", ",\"headers\":true,\"echo\":false")
            let denied = try await server.connect("d")
            let other = try await server.connect("c")
            try await plain.flush(
                "SUB n2.> 1\r\nSUB n2p.> 123456789012345678901234567890 \r\nSUB n3l.* 3\r\nUNSUB 3 1\r\n"
            )
            try await headers.flush("SUB n2p.n2.a 1\r\n")
            try await denied.flush("SUB deny.> 1\r\n")
            try await other.flush("SUB > 1\r\n")
            await exporter.send("HPUB n2.a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB n3.a 0\r\n\r\nPUB n3.a 0\r\n\r\n")
            await exporter.send(
                "PUB deny.x 1\r\nx\r\nPUB deny.y 1\r\ny\r\nPUB private.z 1\r\nz\r\nPUB n2.a   02\r\nhi\r\n"
            )
            try await exporter.flush("")
            // The importer's own messages under these subjects are no exporter's.
            await plain.send("PUB n2p.n2.a 3\r\nown\r\nPUB n2.a 3\r\nown\r\n")
            try await plain.flushKeepingInput()
            for peer in [exporter, headers, denied, other] { lines.append(try await self.arrived(peer)) }
            lines.append(try await self.arrived(plain))
            return lines
        }
    }

    @Test("streams: a reload changes imports of live subscriptions", .timeLimit(.minutes(2)))
    func streamReload() async throws {
        @Sendable func text(_ imports: String) -> String {
            """
            accounts {
              A { users: [{user: a, password: a}], exports: [{stream: "x.>"}, {stream: "y.>"}] }
              B { users: [{user: b, password: b}], imports: [\(imports)] }
            }

            """
        }
        try await self.compare(text("{stream: {account: A, subject: \"x.>\"}}")) { server in
            let importer = try await server.connect("b")
            let exporter = try await server.connect("a")
            try await importer.flush("SUB > 1\r\nSUB y.a 2\r\n")
            var lines: [String] = []
            for imports in [
                "", "{stream: {account: A, subject: \"y.>\"}}", "{stream: {account: A, subject: \"y.>\"}, prefix: p}",
            ] {
                try await exporter.flush("PUB x.a 1\r\nx\r\nPUB y.a 1\r\ny\r\n")
                lines.append(try await self.arrived(importer))
                try await server.reload(text(imports))
            }
            try await exporter.flush("PUB x.a 1\r\nx\r\nPUB y.a 1\r\ny\r\n")
            lines.append(try await self.arrived(importer))
            return lines
        }
    }

    // MARK: Services

    private static let serviceText = """
        accounts {
          A {
            users: [{user: a, password: a}]
            mappings = { "s.mapped": "s.target" }
            exports: [
              {service: "s.one"}, {service: "s.*.w"}, {service: "s.mapped"}, {service: "w.*.*"}, {service: "k.>"}
              {service: stream, response_type: stream}, {service: chunked, response_type: chunked}
              {service: shared}, {service: private, accounts: [C]}, {service: late, response_threshold: "100ms"}
              {stream: "s.>"}
            ]
          }
          B {
            users: [{user: b, password: b}]
            exports: [{service: chain}]
            imports: [
              {service: {account: A, subject: "s.one"}}
              {service: {account: A, subject: "s.one"}, to: "other.name"}
              {service: {account: A, subject: "s.one"}, to: chain}
              {service: {account: A, subject: "s.*.w"}, to: "local.$1"}
              {service: {account: A, subject: "w.*.*"}, to: "l.$2.$1"}
              {service: {account: A, subject: "s.mapped"}}
              {service: {account: A, subject: "k.>"}}
              {service: {account: A, subject: stream}}, {service: {account: A, subject: chunked}}
              {service: {account: A, subject: shared}, share: true}, {service: {account: A, subject: late}}
            ]
          }
          C {
            users: [{user: c, password: c}]
            imports: [
              {service: {account: B, subject: chain}}, {service: {account: A, subject: private}}
              {stream: {account: A, subject: "s.>"}}
            ]
          }
        }

        """

    private static let requests: [String] = [
        "PUB s.one r.1 2\r\nhi\r\n", "PUB other.name r.1 2\r\nhi\r\n", "PUB chain r.1 2\r\nhi\r\n",
        "PUB local.x r.1 2\r\nhi\r\n", "PUB l.a.b r.1 2\r\nhi\r\n", "PUB s.mapped r.1 2\r\nhi\r\n",
        "PUB k.a.b r.1 2\r\nhi\r\n", "PUB k r.1 2\r\nhi\r\n", "PUB s.one 2\r\nhi\r\n", "PUB shared r.1 0\r\n\r\n",
        "HPUB s.one r.1 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n",
        "HPUB s.one r.1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        "HPUB s.one r.1 44 46\r\nNATS/1.0\r\nNats-Request-Info: {\"acc\":\"X\"}\r\n\r\nhi\r\n",
        "PUB   s.one   r.1   2\r\nhi\r\n", "PUB stream r.1 1\r\nx\r\n", "PUB chunked r.1 1\r\nx\r\n",
        "PUB private r.1 1\r\nx\r\n", "PUB s.x.w r.1 1\r\nx\r\n",
    ]

    /// The reply subject of a request that has come through an import.
    private func replySubject(_ text: String) -> String? {
        text.split(separator: " ").first { $0.hasPrefix("_R_.") }.map(String.init)
    }

    @Test("services: requests and answers", .timeLimit(.minutes(2)))
    func services() async throws {
        try await self.compare(Self.serviceText) { server in
            var lines: [String] = []
            let more = ",\"headers\":true,\"no_responders\":true,\"lang\":\"l\",\"version\":\"1\",\"name\":\"n\""
            let service = try await server.connect("a", more)
            try await service.flush(
                "SUB s.> 1\r\nSUB w.> 2\r\nSUB k.> 3\r\nSUB stream 4\r\nSUB chunked 5\r\nSUB shared 6\r\n"
            )
            let client = try await server.connect("b", more)
            try await client.flush("SUB r.> 1\r\n")
            let other = try await server.connect("c", more)
            try await other.flush("SUB r.> 1\r\n")
            for request in Self.requests + ["C"] {
                let asker = request == "C" ? other : client
                await asker.send(request == "C" ? "PUB chain r.1 2\r\nhi\r\n" : request)
                try await asker.flushKeepingInput()
                await service.send("PING\r\n")
                let received = String(decoding: try await service.read(until: "PONG\r\n"), as: UTF8.self)
                lines.append("request \(request.prefix(20)): " + self.normal(received))
                if let reply = self.replySubject(received) {
                    for answer in [
                        "PUB \(reply) 5\r\nfirst\r\n", "HPUB \(reply) 12 14\r\nNATS/1.0\r\n\r\n2.\r\n",
                        "PUB \(reply) back 3\r\n3rd\r\n", "PUB \(reply) 0\r\n\r\n", "PUB \(reply) 4\r\nlate\r\n",
                    ] {
                        await service.send(answer)
                    }
                    try await service.flushKeepingInput()
                    lines.append("service gets: \(try await self.arrived(service))")
                }
                lines.append("answers: \(try await self.arrived(client)) / \(try await self.arrived(other))")
            }
            return lines
        }
    }

    /// The text of a transcript as it is compared.
    private func normal(_ text: String) -> String {
        text.split(separator: "\r\n", omittingEmptySubsequences: false).map { Self.stable(String($0)) }.joined(
            separator: "|"
        )
    }

    @Test("services: nobody listens, several listen, answers that have answers", .timeLimit(.minutes(2)))
    func serviceDetails() async throws {
        try await self.compare(Self.serviceText) { server in
            var lines: [String] = []
            let more = ",\"headers\":true,\"no_responders\":true"
            let client = try await server.connect("b", more)
            let other = try await server.connect("c", more)
            try await other.flush("SUB r.> 1\r\nSUB s.> 2\r\n")
            await client.send("SUB r.> 1\r\nPUB s.one r.none 1\r\nx\r\nPUB s.one _R_.x.y 1\r\nx\r\n")
            lines.append(try await self.arrived(client))
            await other.send("PUB chain r.none 1\r\nx\r\n")
            lines.append(try await self.arrived(other))
            // Headers are not for everybody; a queue group gets one.
            let plain = try await server.connect("a")
            let queue = [try await server.connect("a"), try await server.connect("a")]
            try await plain.flush("SUB s.one 1\r\n")
            for member in queue { try await member.flush("SUB s.one q 1\r\n") }
            await client.send("PUB s.one r.2 3\r\nabc\r\n")
            try await client.flushKeepingInput()
            let request = String(decoding: try await plain.read(until: "abc\r\n"), as: UTF8.self)
            lines.append(self.normal(request))
            let members = [try await self.arrived(queue[0]), try await self.arrived(queue[1])]
            lines.append(members.sorted().joined())
            // Not exported again as a stream.
            lines.append(try await self.arrived(other))
            // An answer with a reply subject, and an answer to that.
            guard let reply = self.replySubject(request) else { return lines + ["no reply subject"] }
            try await plain.flush("SUB back 2\r\n")
            await plain.send("PUB \(reply) back 2\r\nok\r\n")
            try await plain.flushKeepingInput()
            await client.send("PING\r\n")
            let answer = String(decoding: try await client.read(until: "PONG\r\n"), as: UTF8.self)
            lines.append(self.normal(answer))
            if let second = self.replySubject(answer) {
                await client.send("PUB \(second) 1\r\ny\r\n")
                lines.append(try await self.arrived(client))
                lines.append(try await self.arrived(plain))
            }
            return lines
        }
    }

    @Test("services: the reply subjects of one account are nothing to another", .timeLimit(.minutes(2)))
    func foreignReplies() async throws {
        try await self.compare(Self.serviceText) { server in
            var lines: [String] = []
            let service = try await server.connect("a", ",\"headers\":true")
            let client = try await server.connect("b", ",\"headers\":true")
            let other = try await server.connect("c", ",\"headers\":true")
            try await service.flush("SUB s.one 1\r\n")
            try await client.flush("SUB r.> 1\r\nSUB _R_.> 2\r\n")
            try await other.flush("SUB r.> 1\r\nSUB _R_.> 2\r\nSUB > 3\r\n")
            await client.send("PUB s.one r.1 1\r\n!\r\n")
            let request = String(decoding: try await service.read(until: "!\r\n"), as: UTF8.self)
            guard let reply = self.replySubject(request) else { return ["no reply subject"] }
            // Known or guessed, it stands for nothing here; its own account gets what it publishes itself.
            await client.send("PUB \(reply) 4\r\nfake\r\n")
            lines.append(try await self.arrived(client))
            await other.send("PUB \(reply) 4\r\nfake\r\nPUB r.1 5\r\nother\r\n")
            lines.append(try await self.arrived(other))
            lines.append(try await self.arrived(client))
            try await service.flush("PUB \(reply) 2\r\nok\r\n")
            lines.append(try await self.arrived(client))
            lines.append(try await self.arrived(other))
            return lines
        }
    }

    // MARK: Latency

    private static func latencyText(_ system: String?) -> String {
        let account = system == "SYS" ? "SYS { users: [{user: sys, password: sys}] }" : ""
        return """
            \(system.map { "system_account: \($0)" } ?? "")
            accounts {
              \(account)
              A {
                users: [{user: a, password: a}]
                exports: [
                  {service: all, latency: "lat.all"}
                  {service: shared, latency: {sampling: "100%", subject: "lat.shared"}}
                  {service: asked, latency: {sampling: headers, subject: "lat.asked"}}
                  {service: slow, response_threshold: "200ms", latency: "lat.slow"}
                  {stream: "lat.>"}
                ]
              }
              B {
                users: [{user: b, password: b}]
                imports: [
                  {service: {account: A, subject: all}}, {service: {account: A, subject: shared}, share: true}
                  {service: {account: A, subject: asked}}, {service: {account: A, subject: slow}}
                  {stream: {account: A, subject: "lat.>"}}
                ]
              }
            }

            """
    }

    private static func pattern(_ text: String) -> Regex<AnyRegexOutput> {
        do { return try Regex(text) } catch { preconditionFailure("\(error)") }
    }

    /// A sample without what differs: numbers are `0` or `n`, times and ids `…`.
    private static func normalSample(_ text: String) -> String {
        var text = text
        for key in ["id", "timestamp", "start", "server", "host"] {
            text = text.replacing(Self.pattern("\"\(key)\":(\"[^\"]*\"|[0-9]+)"), with: "\"\(key)\":…")
        }
        for key in ["rtt", "total"] {
            text = text.replacing(Self.pattern("\"\(key)\":[1-9][0-9]*"), with: "\"\(key)\":n")
        }
        // Less than the round trip to the service is nothing.
        if text.contains("\"responder\"") {
            text = text.replacing(Self.pattern("\"service\":[0-9]*"), with: "\"service\":…")
        }
        return text.replacing(Self.pattern("\"system\":[0-9]*"), with: "\"system\":…")
    }

    @Test(
        "services: latency samples, without a system account in the configuration, with one, and of its services",
        .timeLimit(.minutes(2)),
        arguments: [nil, "SYS", "A"]
    )
    func latency(system: String?) async throws {
        try await self.compare(Self.latencyText(system)) { server in
            var lines: [String] = []
            let more = ",\"headers\":true,\"no_responders\":true,\"lang\":\"l\",\"version\":\"1\",\"name\":\"n\""
            let service = try await server.connect("a", more)
            let watcher = try await server.connect("a", more)
            let importing = try await server.connect("b", more)
            let client = try await server.connect("b", more)
            try await watcher.flush("SUB lat.> 1\r\n")
            try await importing.flush("SUB lat.> 1\r\n")
            try await client.flush("SUB r.> 1\r\n")
            func sample(_ what: String) async throws {
                let line = try await watcher.readLine()
                lines.append("\(what): \(line.split(separator: " ").prefix(3).joined(separator: " "))")
                lines.append(Self.normalSample(try await watcher.readLine()))
                _ = try await importing.readLine()
                _ = try await importing.readLine()
            }
            func ask(_ request: String, answered: Bool = true) async throws {
                await client.send(request)
                try await client.flushKeepingInput()
                guard answered else { return }
                let bytes = try await service.read(until: "!\r\n")
                guard let reply = self.replySubject(String(decoding: bytes, as: UTF8.self)) else { return }
                try await service.flush("PUB \(reply) 2\r\nok\r\n")
                try await client.expect("MSG r.1 1 2\r\nok\r\n")
            }
            try await ask("PUB all r.1 1\r\n!\r\n", answered: false)
            try await sample("nobody listens")
            _ = try await client.read(until: "\r\n\r\n\r\n")
            try await service.flush("SUB all 1\r\nSUB shared 2\r\nSUB asked 3\r\nSUB slow 4\r\n")
            try await ask("PUB all r.1 1\r\n!\r\n")
            try await sample("answered")
            try await ask("PUB shared r.1 1\r\n!\r\n")
            try await sample("answered, shared")
            try await ask("PUB all 1\r\n!\r\n", answered: false)
            try await sample("without reply")
            _ = try await service.read(until: "!\r\n")
            for header in [
                "", "b3: 1", "B3: 0", "X-B3-TraceId: x\r\nX-B3-SpanId: y", "X-B3-Sampled: 0\r\nX-B3-TraceId: x",
                "X-B3-Sampled: 1", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "Traceparent: 00-a-b-00", "uber-trace-id: a:b:c:1\r\nuberctx-x: 1", "Uber-Trace-Id: a:b:c:2",
                "B3: a-b-0-c", "B3: a-b-1-c",
            ] {
                let block = header.isEmpty ? "NATS/1.0\r\n\r\n" : "NATS/1.0\r\n\(header)\r\n\r\n"
                try await ask("HPUB asked r.1 \(block.utf8.count) \(block.utf8.count + 1)\r\n\(block)!\r\n")
                // Something that is measured in any case.
                try await ask("PUB all r.1 1\r\n!\r\n")
                try await sample("after \(header)")
                if lines[lines.count - 2].contains("lat.asked") { try await sample("and") }
            }
            try await ask("PUB slow r.1 1\r\n!\r\n", answered: false)
            _ = try await service.read(until: "!\r\n")
            try await sample("never answered")
            // The only subscription for the answer goes.
            await client.send("SUB r2 9\r\n")
            try await ask("PUB all r2 1\r\n!\r\n", answered: false)
            _ = try await service.read(until: "!\r\n")
            try await client.flush("UNSUB 9\r\n")
            try await sample("nobody waits")
            return lines
        }
    }
}
