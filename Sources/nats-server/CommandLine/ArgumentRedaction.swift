/// The command line as it may be shown to others (nats-server opts.go RedactArgs).
enum ArgumentRedaction {
    private enum Kind {
        case secret, urls
    }

    static func redacted(_ arguments: [String]) -> [String] {
        var result = arguments
        var index = 0
        while index < result.count {
            defer { index += 1 }
            let parts = result[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let flag = parts.first, let kind = Self.kind(flag) else { continue }
            if parts.count > 1 {
                result[index] = "\(flag)=\(Self.redacted(String(parts[1]), kind))"
            } else if index + 1 < result.count {
                result[index + 1] = Self.redacted(result[index + 1], kind)
            }
        }
        return result
    }

    private static func kind(_ flag: Substring) -> Kind? {
        guard flag.hasPrefix("-") else { return nil }
        switch flag.hasPrefix("--") ? flag.dropFirst(2) : flag.dropFirst() {
        case "user", "pass", "auth": return .secret
        case "routes", "cluster", "cluster_listen": return .urls
        default: return nil
        }
    }

    private static func redacted(_ value: String, _ kind: Kind) -> String {
        guard kind == .urls else { return "[REDACTED]" }
        let urls = value.split(separator: ",", omittingEmptySubsequences: false).map { url -> String in
            guard let at = url.lastIndex(of: "@") else { return String(url) }
            guard let start = url.firstRange(of: "//")?.upperBound, start <= at else { return "[REDACTED]" }
            return "\(url[..<start])[REDACTED]\(url[at...])"
        }
        return urls.joined(separator: ",")
    }
}
