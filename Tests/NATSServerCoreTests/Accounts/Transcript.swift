import NATSTestSupport
import Testing

/// What several connections say and hear, written down so that two servers can be compared.
///
/// A script is a list of lines:
///
/// - `b> SUB foo 1`, `b> PUB foo 2|hi`: connection `b` sends this (`|` is a line end), and waits until it has been handled.
///   `@R` stands for the last reply subject that the server made, `@P` for the one before.
/// - `b?`: what has arrived at `b` since, messages in any order; `b+c?` at both together, `b?hi` after waiting for `hi`.
/// - `b%`, `b+c%`: how many messages have arrived.
/// - `b~`: what arrives at `b` up to the end of the connection.
/// - `b#`: `b` leaves.
/// - `reload 0`: another configuration.
///
/// The first letter is the user, whose password is its name; `b2` is another connection of `b`, `0` one without
/// credentials, and `b-` one that understands no headers.
struct Transcript {
    let server: ConfiguredServer
    let reloads: [String]
    private var peers: [String: RawConnection] = [:]
    private var replies: [String] = []
    private var lines: [String] = []

    private init(server: ConfiguredServer, reloads: [String]) {
        self.server = server
        self.reloads = reloads
    }

    /// Runs a script.
    static func run(_ script: [String], reloads: [String] = [], on server: ConfiguredServer) async throws -> [String] {
        var transcript = Transcript(server: server, reloads: reloads)
        for line in script { try await transcript.perform(line) }
        return transcript.lines
    }

    private mutating func perform(_ line: String) async throws {
        if line.hasPrefix("reload ") {
            try await self.server.reload(self.reloads[Int(line.dropFirst(7)) ?? 0])
            return
        }
        guard let end = line.firstIndex(where: { ">?%~#".contains($0) }) else {
            throw ConfiguredServer.Failure(description: "no such line: \(line)")
        }
        let names = line[..<end].split(separator: "+").map(String.init)
        let rest = line[line.index(after: end)...].drop { $0 == " " }
        switch line[end] {
        case ">":
            for name in names {
                let peer = try await self.peer(name)
                await peer.send(self.text(rest) + "\r\n")
                try await peer.flushKeepingInput()
            }
        case "?", "%":
            var arrived: [String] = []
            for name in names {
                let peer = try await self.peer(name)
                if !rest.isEmpty {
                    let marker = Array(String(rest).utf8)
                    _ = await peer.wait { $0.bytes.firstRange(of: marker) != nil || $0.end != nil }
                }
                arrived += try await self.arrived(peer)
            }
            if line[end] == "%" {
                let count = arrived.count { $0.hasPrefix("MSG ") || $0.hasPrefix("HMSG ") }
                self.lines.append("\(line) \(count)")
                return
            }
            self.lines.append("\(line) \(arrived.sorted().joined(separator: " ; "))")
        case "~":
            for name in names {
                let text = String(decoding: try await self.peer(name).readToEnd(), as: UTF8.self)
                self.lines.append("\(name)~ \(Self.messages(text).sorted().joined(separator: " ; "))")
            }
        default:
            for name in names {
                self.peers[name]?.close()
                self.peers[name] = nil
            }
        }
    }

    private func text(_ line: Substring) -> String {
        String(line).replacing("|", with: "\r\n").replacing("@R", with: self.replies.last ?? "none")
            .replacing("@P", with: self.replies.dropLast().last ?? "none")
    }

    private mutating func peer(_ name: String) async throws -> RawConnection {
        if let peer = self.peers[name] { return peer }
        let user = name.hasPrefix("0") ? "" : String(name.prefix(1))
        let more = ",\"name\":\"n\",\"lang\":\"l\",\"version\":\"1\""
        let headers = name.hasSuffix("-") ? "" : ",\"headers\":true,\"no_responders\":true"
        let peer = try await self.server.connect(user, more + headers)
        self.peers[name] = peer
        return peer
    }

    private mutating func arrived(_ peer: RawConnection) async throws -> [String] {
        await peer.send("PING\r\n")
        let text = String(decoding: try await peer.read(until: "PONG\r\n"), as: UTF8.self)
        for word in text.split(whereSeparator: { " \r\n\r\n".contains($0) }) where word.hasPrefix("_R_.") {
            self.replies.append(String(word))
        }
        return Self.messages(String(text.dropLast()).replacing("PONG", with: ""))
    }

    /// One line for each message or other operation.
    private static func messages(_ text: String) -> [String] {
        var messages: [String] = []
        for line in text.split(separator: "\r\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("MSG ") || line.hasPrefix("HMSG ") || line.hasPrefix("-ERR") || messages.isEmpty {
                messages.append(self.stable(String(line)))
            } else {
                messages[messages.count - 1] += "|" + self.stable(String(line))
            }
        }
        return messages.map { message in
            var message = message[...]
            while message.last == "|" { message.removeLast() }
            return String(message)
        }.filter { !$0.isEmpty }
    }

    /// Without what is different each time: `_R_` subjects, times and sizes that depend on them.
    static func stable(_ line: String) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for (index, word) in words.enumerated() {
            // With as many tokens as there are: those of measured requests have more.
            if word.hasPrefix("_R_.") {
                words[index] = "_R_" + String(repeating: ".", count: word.count { $0 == "." } - 2)
            }
            // Quoted by an error.
            if word.hasPrefix("\"_R_.") { words[index] = "\"_R_\"'" }
        }
        var line = words.joined(separator: " ")
        if line.hasPrefix("{\"type\":\"io.nats.server.metric"), let status = line.firstRange(of: "\"status\":") {
            // Of a latency sample.
            return String(line[status.lowerBound...].prefix(12))
        }
        for key in ["\"rtt\":", "\"id\":", "\"start\":", "\"server\":"] {
            guard let range = line.firstRange(of: key) else { continue }
            let rest = line[range.upperBound...]
            let end = rest.firstIndex { $0 == "," || $0 == "}" } ?? rest.endIndex
            line = line[..<range.upperBound] + "…" + line[end...]
        }
        if line.hasPrefix("HMSG "), words.count >= 5, line.contains("_R_") || !line.contains(" 503") {
            line = words.dropLast(2).joined(separator: " ") + " …"
        }
        if line.hasPrefix("MSG lat") { line = words.dropLast().joined(separator: " ") + " …" }
        return line
    }
}

/// A script with its configuration.
struct TranscriptCase: Sendable, CustomTestStringConvertible {
    let name: String
    let configuration: String
    var reloads: [String] = []
    let script: [String]

    var testDescription: String { self.name }

    /// Runs the script on all servers and compares what they said.
    func compare() async throws {
        var official: [String]?
        for server in ServerUnderTest.available {
            let lines = try await ConfiguredServer.with(server, self.configuration) { server in
                try await Transcript.run(self.script, reloads: self.reloads, on: server)
            }
            if server == .official { official = lines }
            guard let official else { continue }
            #expect(lines.count == official.count, "\(self.name) on \(server)")
            for (line, theirs) in zip(lines, official) { #expect(line == theirs, "\(self.name) on \(server)") }
        }
    }
}
