/// The text of `--help`: all flags, grouped as the official server groups them.
struct HelpText {
    /// Our own release, not the version that we are compatible with.
    let release: String
    let compatibleVersion: String

    /// Where the explanations begin.
    private static let indentation = 37
    private static let width = 110

    func render(_ flags: [Flag]) -> String {
        var text = "\nUsage: nats-server [options]\n       nats-server mkpasswd [-p] [-c <cost>]\n"
        for group in Flag.Group.allCases {
            text += "\n\(group.rawValue):\n"
            for flag in flags where flag.group == group {
                text += self.line(flag)
            }
        }
        text += "\nswift-nats \(self.release), compatible with the official server \(self.compatibleVersion).\n"
        text += "A start that needs a flag marked \"not yet\" is refused.\n\n"
        return text
    }

    private func line(_ flag: Flag) -> String {
        var line = "    "
        let short = flag.names.filter(Self.isShort)
        let long = flag.names.filter { !Self.isShort($0) }
        if short.isEmpty {
            line += "    "
        }
        line += (short.map { "-\($0)" } + long.map { "--\($0)" }).joined(separator: ", ")
        if let placeholder = flag.placeholder {
            line += " <\(placeholder)>"
        }
        var words = flag.text.split(separator: " ").map(String.init)
        if Flag.notYetSupported.contains(flag.setting) {
            words.append("[not yet]")
        }
        let margin = String(repeating: " ", count: Self.indentation)
        if line.count >= Self.indentation {
            line += "\n" + margin
        } else {
            line += margin.dropFirst(line.count)
        }
        var column = Self.indentation
        for (index, word) in words.enumerated() {
            if index > 0, column + 1 + word.count > Self.width {
                line += "\n" + margin
                column = Self.indentation
            } else if index > 0 {
                line += " "
                column += 1
            }
            line += word
            column += word.count
        }
        return line + "\n"
    }

    private static func isShort(_ name: String) -> Bool {
        name.count <= 2 || name == name.uppercased()
    }
}
