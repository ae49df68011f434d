/// `host:port`, as Go's net.SplitHostPort takes it apart.
enum HostPort {
    static func split(_ text: String) -> (host: String, port: String)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let before = text[..<colon]
        let port = text[text.index(after: colon)...]
        let host: Substring
        if before.hasPrefix("[") {
            // The bracket must close right before the last colon.
            guard before.hasSuffix("]"), before.firstIndex(of: "]") == before.index(before: before.endIndex) else {
                return nil
            }
            host = before.dropFirst().dropLast()
        } else {
            guard !before.contains(":"), !before.contains("]") else { return nil }
            host = before
        }
        guard !host.contains("["), !port.contains("["), !port.contains("]") else { return nil }
        return (String(host), String(port))
    }
}

extension String {
    /// Without the white space at both ends, as Go's strings.TrimSpace.
    func trimmingSpaces() -> String {
        let scalars = self.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isSpace }),
            let last = scalars.lastIndex(where: { !$0.isSpace })
        else {
            return ""
        }
        return String(scalars[first...last])
    }
}
