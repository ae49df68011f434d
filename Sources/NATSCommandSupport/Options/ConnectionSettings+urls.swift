// URLs of servers may hold passwords and tokens.

extension ConnectionSettings {
    /// The URLs of a list with commas.
    static func urls(_ list: String) -> [String] {
        list.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// `url` without `user:password@`.
    package static func withoutUserInfo(_ url: String) -> String {
        guard let range = Self.userInfoRange(url) else { return url }
        var result = url
        result.removeSubrange(range.lowerBound..<url.index(after: range.upperBound))
        return result
    }

    /// `urls` with every password, and every user that stands alone and so is a token, replaced by `xxxxx`.
    package static func redacted(_ urls: String) -> String {
        urls.split(separator: ",", omittingEmptySubsequences: false)
            .map { part -> String in
                var url = String(part)
                guard let range = Self.userInfoRange(url) else { return url }
                let userInfo = url[range]
                let secret = userInfo.firstIndex(of: ":").map { url.index(after: $0) } ?? range.lowerBound
                url.replaceSubrange(secret..<range.upperBound, with: "xxxxx")
                return url
            }
            .joined(separator: ",")
    }

    /// The bytes between the scheme and the last `@` before the path.
    private static func userInfoRange(_ url: String) -> Range<String.Index>? {
        var start = url.startIndex
        if let slash = url.firstIndex(of: "/") {
            // "nats://": what stands before the first slash ends with a colon.
            let second = url.index(after: slash)
            if slash > url.startIndex, url[url.index(before: slash)] == ":", second < url.endIndex, url[second] == "/" {
                start = url.index(after: second)
            }
        }
        let authority = url[start...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        return start..<at
    }
}
