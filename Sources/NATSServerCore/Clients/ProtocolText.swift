import NATSText

/// Protocol bytes as the log shows them.
enum ProtocolText {
    /// A CONNECT line's JSON with the values of secret keys blanked (nats-server client.go removeSecretsFromTrace).
    static func redacted(_ json: some Collection<UInt8>) -> String {
        let text = Array(json)
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            guard let (key, keyEnd) = self.string(in: text, at: index) else {
                result.append(text[index])
                index += 1
                continue
            }
            result.append(contentsOf: text[index..<keyEnd])
            index = keyEnd
            guard self.isSecret(key) else { continue }
            while index < text.count, text[index] == 0x20 || text[index] == 0x09 || text[index] == UInt8(ascii: ":") {
                result.append(text[index])
                index += 1
            }
            result.append(contentsOf: Array("\"[REDACTED]\"".utf8))
            // A value that is not a whole string is no reason to show it: drop the rest.
            guard let (_, valueEnd) = self.string(in: text, at: index) else { break }
            index = valueEnd
        }
        return GoString.harmless(result)
    }

    private static func isSecret(_ key: [UInt8]) -> Bool {
        // An escape may hide any name.
        guard !key.contains(UInt8(ascii: "\\")) else { return true }
        let name = String(decoding: key, as: UTF8.self).lowercased()
        return name.hasPrefix("pass") || name.hasPrefix("auth_token") || name.hasPrefix("sig") || name == "nkey"
            || name.hasPrefix("proxy_sig") || name == "jwt"
    }

    /// The JSON string that starts at `index`, without its quotes, and the index behind it.
    private static func string(in text: [UInt8], at index: Int) -> ([UInt8], Int)? {
        guard index < text.count, text[index] == UInt8(ascii: "\"") else { return nil }
        var end = index + 1
        while end < text.count, text[end] != UInt8(ascii: "\"") {
            end += text[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < text.count else { return nil }
        return (Array(text[index + 1..<end]), end + 1)
    }
}
