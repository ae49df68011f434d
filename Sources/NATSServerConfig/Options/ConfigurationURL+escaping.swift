import NATSText

/// Percent-encoding, part by part of a URL, as Go's net/url has it.
extension ConfigurationURL {
    enum Part {
        case user
        case host
        /// Of an IPv6 address.
        case zone
        case path
        case fragment
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    /// Whether a byte stands for itself.
    private static func isPlain(_ byte: UInt8, _ part: Part) -> Bool {
        if self.isAlphanumeric(byte) || "-_.~".utf8.contains(byte) { return true }
        let others: StaticString =
            switch part {
            case .user: "$&+,;="
            case .host, .zone: "!$&'()*+,;=:[]<>\""
            case .path: "$&+,/:;=@"
            case .fragment: "$&+,/:;=?@!()*"
            }
        return others.withUTF8Buffer { $0.contains(byte) }
    }

    /// Percent-encoding taken out.
    static func unescaped(_ bytes: ArraySlice<UInt8>, _ part: Part) throws(Failure) -> String {
        let isOfHost = part == .host || part == .zone
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.first {
            guard byte == UInt8(ascii: "%") else {
                if isOfHost, byte < 0x80, !self.isPlain(byte, part) {
                    throw Failure("invalid character \(GoString.quoted([byte])) in host name")
                }
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            let escape = Array(rest.prefix(3))
            let digits = escape.dropFirst().compactMap(self.digit)
            // In a host only a percent sign and what is not ASCII may be encoded, in a zone a blank and what is allowed
            // there too.
            guard digits.count == 2 else { throw self.badEscape(escape) }
            let value = digits[0] << 4 | digits[1]
            let isPercent = value == UInt8(ascii: "%")
            if part == .host, value < 0x80, !isPercent { throw self.badEscape(escape) }
            if part == .zone, !isPercent, value != UInt8(ascii: " "), !self.isPlain(value, .host) {
                throw self.badEscape(escape)
            }
            result.append(value)
            rest = rest.dropFirst(3)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func badEscape(_ escape: [UInt8]) -> Failure {
        Failure("invalid URL escape \(GoString.quoted(escape))")
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// With percent-encoding where it is needed.
    private static func escaped(_ text: String, _ part: Part) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            if self.isPlain(byte, part) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What was written, if it is well encoded, else the encoded value.
    private static func escaped(_ raw: String, _ value: String, _ part: Part) -> String {
        let isGood = raw.utf8.allSatisfy { byte in
            self.isPlain(byte, part) || "!$&'()*+,;=:@[]%".utf8.contains(byte)
        }
        return isGood ? raw : self.escaped(value, part)
    }

    /// The path as it is sent in requests.
    private var escapedPath: String { self.path == "*" ? "*" : Self.escaped(self.rawPath, self.path, .path) }

    /// What a request asks for: path and query.
    package var requestTarget: String {
        let path = self.escapedPath
        return (path.isEmpty ? "/" : path) + (self.query.map { "?\($0)" } ?? "")
    }

    /// The whole, with something else in the place of a password.
    ///
    /// Where there is no place for one, what looks as if it had one is not shown at all: `http:joe:secret@host/`.
    package func redacted(_ replacement: String) -> String {
        guard self.hasAuthority || !(self.opaque + self.escapedPath).utf8.contains(UInt8(ascii: "@")) else {
            return "\(self.scheme):\(replacement)"
        }
        return self.written(
            user: self.user.map { "\(Self.escaped($0, .user))\(self.password == nil ? "" : ":\(replacement)")@" }
        )
    }

    /// The whole but for user and password.
    package var withoutUser: String { self.written(user: nil) }

    private func written(user: String?) -> String {
        var text = self.scheme.isEmpty ? "" : "\(self.scheme):"
        if !self.opaque.isEmpty {
            text += self.opaque
        } else {
            if self.hasAuthority { text += "//\(user ?? "")\(Self.escaped(self.hostPort, .host))" }
            text += self.escapedPath
        }
        if let query { text += "?\(query)" }
        guard let fragment else { return text }
        let value = (try? Self.unescaped(Array(fragment.utf8)[...], .fragment)) ?? fragment
        return text + "#\(Self.escaped(fragment, value, .fragment))"
    }
}
