/// The text of `--help`: the flags that work, grouped as the official server groups them.
struct HelpText {
    /// Our own release, not the version that we are compatible with.
    let release: String
    let compatibleVersion: String

    /// Where the explanations begin.
    private static let indentation = 37

    func render(_ flags: [Flag]) -> String {
        var text = "\nUsage: nats-server [options]\n"
        for group in Flag.Group.allCases {
            text += "\n\(group.rawValue):\n"
            for flag in flags {
                guard let help = flag.help, help.group == group else { continue }
                text += self.line(flag, help)
            }
        }
        text += "\nswift-nats \(self.release), compatible with the official server \(self.compatibleVersion).\n"
        text += "A flag that the official server has and this list has not is refused.\n\n"
        return text
    }

    private func line(_ flag: Flag, _ help: Flag.Help) -> String {
        var line = "    "
        let short = flag.names.filter(Self.isShort)
        let long = flag.names.filter { !Self.isShort($0) }
        if short.isEmpty {
            line += "    "
        }
        line += (short.map { "-\($0)" } + long.map { "--\($0)" }).joined(separator: ", ")
        if let placeholder = help.placeholder {
            line += " <\(placeholder)>"
        }
        line += String(repeating: " ", count: max(1, Self.indentation - line.count))
        return line + help.text + "\n"
    }

    private static func isShort(_ name: String) -> Bool {
        name.count == 1 || name == name.uppercased()
    }
}
