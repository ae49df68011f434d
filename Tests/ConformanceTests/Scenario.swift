import NATSTestSupport

/// A random conversation of a few connections with one server, the same for the same seed.
struct Scenario: Sendable, CustomStringConvertible {
    struct Step: Sendable {
        var connection: Int
        var bytes: String
        /// How many PONGs the server sends if the connection survives the step.
        var pongs = 0
    }

    let seed: UInt64
    let prefix: String
    private(set) var connects: [String] = []
    private(set) var steps: [Step] = []

    private var generator: SeededGenerator
    private var serial = 0

    var description: String {
        let lines = self.steps.map { "  \($0.connection) ← \(describe(Array($0.bytes.utf8)))" }
        return "scenario \(self.seed)\n" + (self.connects.map { "  CONNECT \($0)" } + lines).joined(separator: "\n")
    }

    init(seed: UInt64, connections: Int, steps: Int) {
        self.seed = seed
        self.prefix = "s\(seed)"
        self.generator = SeededGenerator(seed: seed)
        for _ in 0..<connections {
            let options = self.options()
            self.connects.append(self.generator.chance(10) ? "" : "CONNECT \(options)\r\n")
        }
        for _ in 0..<steps {
            let connection = Int.random(in: 0..<connections, using: &self.generator)
            self.steps.append(self.step(connection))
        }
    }

    // MARK: Operations

    private mutating func options() -> String {
        var members: [String] = []
        for (key, percent) in [("verbose", 85), ("pedantic", 80), ("echo", 25), ("headers", 75), ("protocol", 30)]
        where self.generator.chance(percent) {
            let value: String
            switch key {
            case "verbose", "pedantic": value = self.generator.pick("false", "false", "false", "true", "null")
            case "echo": value = self.generator.pick("false", "true")
            case "protocol": value = self.generator.pick("0", "1")
            default: value = self.generator.pick("true", "true", "false")
            }
            members.append("\"\(self.generator.chance(5) ? key.uppercased() : key)\":\(value)")
        }
        if members.contains("\"headers\":true"), self.generator.chance(60) {
            members.append("\"no_responders\":true")
        }
        if self.generator.chance(3) {
            members.append(
                self.generator.pick(
                    "\"protocol\":7",
                    "\"no_responders\":true",
                    "\"account\":\"A\"",
                    "\"verbose\":\"x\"",
                    "\"x\":",
                    "\"name\":\"n\"",
                    "\"user\":null",
                    "\"unknown\":[{}]"
                )
            )
        }
        return "{" + members.joined(separator: self.generator.pick(",", ", ")) + "}"
    }

    private mutating func step(_ connection: Int) -> Step {
        var step = Step(connection: connection, bytes: "")
        let operations = self.generator.chance(70) ? 1 : Int.random(in: 2...5, using: &self.generator)
        for _ in 0..<operations {
            let (text, pongs) = self.operation()
            step.bytes += text
            step.pongs += pongs
        }
        return step
    }

    private mutating func operation() -> (text: String, pongs: Int) {
        switch Int.random(in: 0..<100, using: &self.generator) {
        case 0..<25: return (self.sub(), 0)
        case 25..<35: return (self.unsub(), 0)
        case 35..<68: return (self.pub(), 0)
        case 68..<82: return (self.hpub(), 0)
        case 82..<88:
            return (self.generator.pick("PING", "ping", "pInG", "PINGxyz", "PING extra words") + self.lineEnd(), 1)
        case 88..<91:
            return (
                self.generator.pick("PONG", "pong x", "+OK", "+ok", "INFO {}", "INFO {\"a\":1}", "PoNg") + "\r\n", 0
            )
        case 91..<95:
            return (self.word("CONNECT") + " " + self.options() + self.lineEnd(), 0)
        default:
            return (self.invalid(), 0)
        }
    }

    private mutating func sub() -> String {
        self.serial += 1
        let sid = self.generator.chance(85) ? "\(Int.random(in: 1...9, using: &self.generator))" : "x\(self.serial).*"
        var fields = [self.subscriptionSubject()]
        if self.generator.chance(20) {
            // One member each: which one of several gets a message is left to chance.
            fields.append("q\(self.serial)")
        }
        return self.line("SUB", fields + [sid])
    }

    private mutating func unsub() -> String {
        var fields = ["\(Int.random(in: 1...9, using: &self.generator))"]
        if self.generator.chance(50) {
            fields.append(self.generator.pick("1", "2", "3", "5", "0", "002", "abc", "-1", "999999999"))
        }
        return self.line("UNSUB", fields)
    }

    private mutating func pub() -> String {
        let payload = self.payload()
        var fields = [self.publishSubject()]
        if self.generator.chance(35) {
            fields.append(self.replySubject())
        }
        fields.append(self.number(payload.utf8.count))
        return self.line("PUB", fields) + payload + "\r\n"
    }

    private mutating func hpub() -> String {
        let header = self.generator.pick(
            "NATS/1.0\r\n\r\n",
            "NATS/1.0\r\nA: b\r\n\r\n",
            "NATS/1.0 503\r\n\r\n",
            "NATS/1.0\r\nA: b\r\nA:c\r\nNats-Subject: x\r\n\r\n",
            "",
            "none"
        )
        let payload = self.payload()
        var fields = [self.publishSubject()]
        if self.generator.chance(35) {
            fields.append(self.replySubject())
        }
        fields.append(self.number(header.utf8.count))
        fields.append(self.number(header.utf8.count + payload.utf8.count))
        return self.line("HPUB", fields) + header + payload + "\r\n"
    }

    private mutating func invalid() -> String {
        let payload = self.generator.pick("12345", "", "1")
        // Enough behind a payload of the wrong length to make the server see it.
        let filler = String(repeating: "Z", count: 64) + "\r\n"
        let subject = self.publishSubject()
        return self.generator.pick(
            "SUB \(subject)\r\n",
            "SUB \(subject) a b c\r\n",
            "SUB\r\n",
            "SUB \r\n",
            "UNSUB\r\n",
            "UNSUB 1 2 3\r\n",
            "UNSUB  \r\n",
            "PUB \(subject)\r\n",
            "PUB \(subject) -1\r\n",
            "PUB \(subject) 1x\r\n",
            "PUB \(subject) 12345678901\r\n",
            "PUB \(subject) 2000000\r\n",
            "PUB \(subject) a b 1\r\nx\r\n",
            "PUB \(subject) 3\r\n\(payload)\r\n" + filler,
            "HPUB \(subject) 3\r\n\(payload)\r\n" + filler,
            "HPUB \(subject) 7 3\r\n\(payload)\r\n" + filler,
            "HPUB \(subject) 1 3\r\n\(payload)\r\n" + filler,
            "CONNECT\r\n",
            "CONNECT {\r\n",
            "CONNECT []\r\n",
            "CONNECT {\"headers\":1}\r\n",
            " PING\r\n",
            "\r\n",
            "\n",
            "MSG a 1 1\r\nx\r\n",
            "-ERR 'x'\r\n",
            "INFO x\r\n",
            "RS+ a b\r\n",
            "\(subject)\r\n",
            "PIN\r\n",
            "+\r\n",
            "P"
        ) + filler
    }

    // MARK: Fields

    /// Every subject begins with the scenario's own token: connections of an earlier one may not be gone yet.
    private mutating func tokens(_ choices: [String]) -> String {
        var subject = self.prefix
        for _ in 0..<Int.random(in: 1...3, using: &self.generator) {
            subject += "." + (choices.randomElement(using: &self.generator) ?? "a")
        }
        return subject
    }

    private mutating func subscriptionSubject() -> String {
        self.generator.chance(92)
            ? self.tokens(["a", "b", "c", "a", "b", "*", "*"]) + (self.generator.chance(15) ? ".>" : "")
            : self.tokens(["a", "", ">", "*", "b*", ">c"]) + self.generator.pick("", ".", ".>", ".*")
    }

    private mutating func publishSubject() -> String {
        self.generator.chance(92)
            ? self.tokens(["a", "b", "c"])
            : self.generator.pick(
                self.tokens(["a", "", "*", ">", "b"]),
                "_GR_.\(self.prefix)",
                "$NRG.\(self.prefix)",
                ".\(self.prefix)"
            )
    }

    private mutating func replySubject() -> String {
        self.generator.chance(92)
            ? self.tokens(["a", "b", "c"])
            : self.generator.pick("_R_.x", "$JS.ACK.x", "_GR_.x", "\(self.prefix).*", "\(self.prefix)..")
    }

    private mutating func payload() -> String {
        self.serial += 1
        let tail = self.generator.pick(
            "",
            "",
            "\r\n",
            " with words",
            "\u{0}\u{7f}é",
            "PING\r",
            String(repeating: "x", count: 90)
        )
        return self.generator.chance(10) ? "" : "\(self.serial)\(tail)"
    }

    private mutating func number(_ value: Int) -> String {
        self.generator.chance(10) ? "00\(value)" : "\(value)"
    }

    private mutating func word(_ name: String) -> String {
        guard self.generator.chance(25) else {
            return name
        }
        var result = ""
        for character in name {
            result += self.generator.chance(50) ? character.lowercased() : String(character)
        }
        return result
    }

    private mutating func lineEnd() -> String {
        self.generator.chance(15) ? "\n" : "\r\n"
    }

    private mutating func line(_ operation: String, _ fields: [String]) -> String {
        var text = self.word(operation)
        let isOdd = self.generator.chance(20)
        for field in fields {
            text += isOdd ? self.generator.pick(" ", "\t", "  ", " \t ", "\t\t") : " "
            text += field
        }
        if isOdd, self.generator.chance(30) {
            text += self.generator.pick(" ", "\t", "  ")
        }
        return text + self.lineEnd()
    }
}
