import NATSTestSupport

/// Makes the logs of two runs comparable: what differs between any two runs is replaced by a word.
enum LogComparison {
    static func lines(_ log: String, pid: Int, port: Int?) -> [String] {
        log.split(separator: "\n").compactMap { line in
            Self.line(String(line), pid: pid, port: port)
        }
    }

    private static func line(_ line: String, pid: Int, port: Int?) -> String? {
        guard line.hasPrefix("[\(pid)] ") else {
            return line
        }
        guard !OfficialServer.isOfBusyMachine(line) else { return nil }
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        words[0] = "[pid]"
        if words.count > 2, Self.isDate(words[1]), Self.isTime(words[2]) {
            words[1...2] = ["time"]
        }
        for index in words.indices {
            // A server id: N and 55 characters of base 32.
            if words[index].count == 56, words[index].hasPrefix("N") {
                words[index] = "ID"
            }
            if let port, words[index].hasSuffix(":\(port)") {
                words[index] = words[index].dropLast("\(port)".count) + "PORT"
            }
        }
        if line.contains(" monitor on 127.0.0.1:") { words[words.count - 1] = "127.0.0.1:PORT" }
        let text = words.joined(separator: " ")
        // Stated in docs/differences.md: the build's own facts, the system account, the warning about descriptors.
        if text.contains("  Git:      [") {
            return "[pid] Git"
        }
        if text.contains("  Go build: ") {
            return "[pid] Go build"
        }
        let onlyOneHasThem = [
            #"Created system account: "$SYS""#, "SYSTEM - System connection closed", "Open file limit of ",
            "  swift-nats: ",
        ]
        return onlyOneHasThem.contains(where: text.contains) ? nil : text
    }

    /// `2026/11/21`.
    private static func isDate(_ word: String) -> Bool {
        Self.pattern(word) == "0000/00/00"
    }

    /// `04:51:36.316645`.
    private static func isTime(_ word: String) -> Bool {
        Self.pattern(word) == "00:00:00.000000"
    }

    private static func pattern(_ word: String) -> String {
        String(word.map { $0.isASCII && $0.isNumber ? "0" : $0 })
    }
}
