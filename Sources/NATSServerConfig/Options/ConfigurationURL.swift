/// A URL of a configuration, taken apart as far as a server needs it.
package struct ConfigurationURL: Sendable, Hashable {
    /// As written, without surrounding white space.
    ///
    /// May hold a password: never log it.
    package var text: String
    package var scheme = ""
    package var user: String?
    package var password: String?
    /// Without brackets.
    package var host = ""
    package var port: Int?
    package var path = ""

    /// Takes a URL apart by the rules of Go's url.Parse; `nil` where that fails.
    package init?(_ written: String) {
        self.text = written.trimmingSpaces()
        guard self.text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else { return nil }
        var rest = Substring(self.text)
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        guard !self.text.isEmpty else { return }
        if self.text == "*" {
            self.path = "*"
            return
        }
        guard let scheme = Self.scheme(rest) else { return nil }
        self.scheme = scheme.lowercased()
        if !scheme.isEmpty { rest = rest.dropFirst(scheme.count + 1) }
        if let mark = rest.firstIndex(of: "?") { rest = rest[..<mark] }
        if !rest.hasPrefix("/") {
            // `host:port` without a scheme would be read as a scheme or a path; Go refuses most of it.
            if !self.scheme.isEmpty {
                self.path = String(rest)
                return
            }
            let firstSegment = rest.prefix { $0 != "/" }
            guard !firstSegment.contains(":") else { return nil }
        }
        if rest.hasPrefix("//"), !self.scheme.isEmpty || !rest.hasPrefix("///") {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" }
            rest = rest.dropFirst(authority.count)
            guard self.take(authority: authority) else { return nil }
        }
        guard let path = Self.unescaped(rest) else { return nil }
        self.path = path
    }

    /// What stands before the first colon, if it can be a scheme: empty when there is none, `nil` when it is wrong.
    private static func scheme(_ text: Substring) -> Substring? {
        for (index, character) in zip(text.indices, text) {
            switch character {
            case "a"..."z", "A"..."Z":
                continue
            case "0"..."9", "+", "-", ".":
                if index == text.startIndex { return "" }
            case ":":
                return index == text.startIndex ? nil : text[..<index]
            default:
                return ""
            }
        }
        return ""
    }

    private mutating func take(authority: Substring) -> Bool {
        var hostPort = authority
        if let sign = authority.lastIndex(of: "@") {
            let info = authority[..<sign]
            hostPort = authority[authority.index(after: sign)...]
            let allowed = info.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isAlphabetic && scalar.isASCII || scalar.isASCII && scalar.isDigit
                    || "-._:~!$&'()*+,;=%@".unicodeScalars.contains(scalar)
            }
            guard allowed else { return false }
            let halves = info.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = Self.unescaped(halves[0]) else { return false }
            self.user = user
            if halves.count > 1 {
                guard let password = Self.unescaped(halves[1]) else { return false }
                self.password = password
            }
        }
        var port: Substring = ""
        if hostPort.hasPrefix("[") {
            guard let close = hostPort.lastIndex(of: "]") else { return false }
            self.host = String(hostPort[hostPort.index(after: hostPort.startIndex)..<close])
            port = hostPort[hostPort.index(after: close)...]
        } else {
            let colon = hostPort.lastIndex(of: ":") ?? hostPort.endIndex
            guard let host = Self.unescaped(hostPort[..<colon], isHost: true) else { return false }
            self.host = host
            port = hostPort[colon...]
        }
        guard !port.isEmpty else { return true }
        guard port.first == ":", port.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        self.port = Int(port.dropFirst())
        return true
    }

    /// Percent-encoding taken out; `nil` when it is wrong.
    private static func unescaped(_ text: Substring, isHost: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2 else { return nil }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard let value = UInt8(digits, radix: 16), !digits.hasPrefix("+") else { return nil }
                // In a host only what is not ASCII may be encoded.
                if isHost, value < 0x80 { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
                continue
            }
            if isHost, byte < 0x80, !Self.isHostByte(byte) { return nil }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return scalar.isDigit || scalar.properties.isAlphabetic
            || "-_.~!$&'()*+,;=:[]<>\"".unicodeScalars.contains(scalar)
    }
}
