/// The subject of a certificate, or a user's name that is written like one.
struct DistinguishedName: Sendable, Equatable {
    struct Attribute: Sendable, Equatable {
        /// Object identifier of a certificate's attribute, short name of a written one.
        var type: String
        /// `nil` if it is no text.
        var value: String?
        /// The encoded value, for what is no text.
        var encoded: [UInt8] = []
    }

    /// Attributes that belong together; nearly always a single one.
    typealias Relative = [Attribute]

    /// In the order of the certificate: from the most general to the most special.
    private(set) var parts: [Relative] = []

    /// Short names (nats-server internal/ldap/dn.go).
    private static let shortNames = [
        "2.5.4.3": "CN",
        "2.5.4.5": "SERIALNUMBER",
        "2.5.4.6": "C",
        "2.5.4.7": "L",
        "2.5.4.8": "ST",
        "2.5.4.9": "STREET",
        "2.5.4.10": "O",
        "2.5.4.11": "OU",
        "2.5.4.17": "POSTALCODE",
        Self.domainComponent: "DC",
    ]
    private static let domainComponent = "0.9.2342.19200300.100.1.25"

    // MARK: Reading

    /// Reads the content of a Name (RFC 5280 section 4.1.2.4).
    init(der: ArraySlice<UInt8>) throws(DERReader.Malformed) {
        var names = DERReader(der)
        while !names.isAtEnd {
            var set = try names.next(DERReader.Tag.set).reader
            var part: Relative = []
            while !set.isAtEnd {
                var pair = try set.next(DERReader.Tag.sequence).reader
                let type = try DERReader.objectIdentifier(try pair.next(DERReader.Tag.objectIdentifier).content)
                let value = try pair.next()
                part.append(Attribute(type: type, value: Self.text(value), encoded: Array(value.whole)))
            }
            self.parts.append(part)
        }
    }

    private static func text(_ element: DERReader.Element) -> String? {
        switch element.tag {
        case 0x0c, 0x12, 0x13, 0x14, 0x16:  // UTF-8, numeric, printable, T61, IA5
            return String(decoding: element.content, as: UTF8.self)
        case 0x1e:  // BMP: UTF-16
            guard element.content.count.isMultiple(of: 2) else { return nil }
            let units = stride(from: element.content.startIndex, to: element.content.endIndex, by: 2).map {
                UInt16(element.content[$0]) << 8 | UInt16(element.content[$0 + 1])
            }
            return String(decoding: units, as: UTF16.self)
        default:
            return nil
        }
    }

    /// Reads a name as RFC 4514 writes it, the most special part first; `nil` if it is none
    /// (nats-server internal/ldap/dn.go ParseDN).
    init?(text: String) {
        var parser = Parser()
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard let next = parser.take(bytes, at: index) else { return nil }
            index = next
        }
        guard parser.finish() else { return nil }
        self.parts = parser.parts
    }

    private struct Parser {
        private(set) var parts: [Relative] = []
        private var part: Relative = []
        private var type: [UInt8] = []
        private var buffer: [UInt8] = []
        private var trailingSpaces = 0

        /// Takes the byte at an index, and those that belong to it.
        ///
        /// - Returns: the index behind; `nil` if the text is no name.
        mutating func take(_ bytes: [UInt8], at index: Int) -> Int? {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\\"):
                return self.takeEscaped(bytes, at: index + 1)
            case UInt8(ascii: "="):
                self.type = self.takeBuffer()
                // What follows a # is encoded, which is not supported.
                guard index + 1 >= bytes.count || bytes[index + 1] != UInt8(ascii: "#") else { return nil }
            case UInt8(ascii: ","), UInt8(ascii: "+"):
                guard self.endAttribute() else { return nil }
                if byte == UInt8(ascii: ",") { self.endPart() }
            case 0x20 where self.buffer.isEmpty:
                break
            default:
                self.trailingSpaces = byte == 0x20 ? self.trailingSpaces + 1 : 0
                self.buffer.append(byte)
            }
            return index + 1
        }

        private mutating func takeEscaped(_ bytes: [UInt8], at index: Int) -> Int? {
            self.trailingSpaces = 0
            // A backslash at the very end is not noticed by the official parser.
            guard index < bytes.count else { return index }
            if Array(" \"#+,;<=>\\".utf8).contains(bytes[index]) {
                self.buffer.append(bytes[index])
                return index + 1
            }
            guard index + 1 < bytes.count, let high = Self.digit(bytes[index]), let low = Self.digit(bytes[index + 1])
            else { return nil }
            self.buffer.append(high << 4 | low)
            return index + 2
        }

        private static func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }

        private mutating func takeBuffer() -> [UInt8] {
            defer {
                self.buffer = []
                self.trailingSpaces = 0
            }
            return self.buffer.dropLast(self.trailingSpaces)
        }

        private mutating func endAttribute() -> Bool {
            guard !self.type.isEmpty else { return false }
            let value = String(decoding: self.takeBuffer(), as: UTF8.self)
            self.part.append(Attribute(type: String(decoding: self.type, as: UTF8.self), value: value))
            self.type = []
            return true
        }

        private mutating func endPart() {
            // Written names begin with the most special part, certificates with the most general one.
            self.parts.insert(self.part, at: 0)
            self.part = []
        }

        mutating func finish() -> Bool {
            guard !self.buffer.isEmpty else { return true }
            guard self.endAttribute() else { return false }
            self.endPart()
            return true
        }
    }

    // MARK: Comparing

    /// The same with short names for types; `nil` if there is something else than text, or an attribute without a name.
    var named: DistinguishedName? {
        var result = self
        result.parts = []
        for part in self.parts where !part.isEmpty {
            var named: Relative = []
            for attribute in part {
                guard let name = Self.shortNames[attribute.type], let value = attribute.value else { return nil }
                named.append(Attribute(type: name, value: value))
            }
            result.parts.append(named)
        }
        return result
    }

    /// Whether the parts are equal one by one, for names with short types (RFC 4517 section 4.2.15).
    func matches(_ other: DistinguishedName) -> Bool {
        self.parts.count == other.parts.count && zip(self.parts, other.parts).allSatisfy(Self.areEqual)
    }

    /// Whether the parts are equal in whatever order.
    func matchesInAnyOrder(_ other: DistinguishedName) -> Bool {
        guard self.parts.count == other.parts.count else { return false }
        var rest = other.parts
        for part in self.parts {
            guard let index = rest.firstIndex(where: { Self.areEqual(part, $0) }) else { return false }
            rest.remove(at: index)
        }
        return true
    }

    private static func areEqual(_ left: Relative, _ right: Relative) -> Bool {
        left.count == right.count
            && left.allSatisfy { attribute in right.contains { self.areEqual(attribute, $0) } }
            && right.allSatisfy { attribute in left.contains { self.areEqual(attribute, $0) } }
    }

    private static func areEqual(_ left: Attribute, _ right: Attribute) -> Bool {
        left.value == right.value && left.type.lowercased() == right.type.lowercased()
    }

    // MARK: Text

    /// What `ToRDNSequence().String()` of Go's pkix makes of a subject: the attributes that it knows, in an order of its
    /// own, those of a kind in one part.
    var goText: String {
        let grouped = ["2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.7", "2.5.4.8", "2.5.4.9", "2.5.4.17"].map { type in
            self.attributes.filter { $0.type == type && $0.value != nil }
        }
        // Of these the last one counts.
        let single = ["2.5.4.3", "2.5.4.5"].map { type in
            self.attributes.last { $0.type == type && $0.value != nil }.map { [$0] } ?? []
        }
        return Self.text((grouped + single).filter { $0.contains { $0.value?.isEmpty == false } })
    }

    /// What `String()` of Go's pkix makes of a subject: attributes that it does not know come last, encoded.
    var goDescription: String {
        let known: Set = [
            "2.5.4.3", "2.5.4.5", "2.5.4.6", "2.5.4.7", "2.5.4.8", "2.5.4.9", "2.5.4.10", "2.5.4.11", "2.5.4.17",
        ]
        let unknown = self.attributes.filter { !known.contains($0.type) }
        let text = self.goText
        guard !unknown.isEmpty else { return text }
        let extra = unknown.reversed().map { attribute in
            "\(attribute.type)=#\(ClientCertificate.hexadecimal(attribute.encoded))"
        }
        return ([text].filter { !$0.isEmpty } + extra).joined(separator: ",")
    }

    /// `DC=a,DC=b` in the order of the certificate, empty without (nats-server auth.go getTLSAuthDCs).
    var domainComponents: String {
        self.attributes
            .filter { $0.type == Self.domainComponent }
            .compactMap { $0.value.map { "DC=\($0)" } }
            .joined(separator: ",")
    }

    private var attributes: [Attribute] { self.parts.flatMap { $0 } }

    private static func text(_ parts: [Relative]) -> String {
        parts.reversed().map { part in
            part.map { "\(Self.shortNames[$0.type] ?? $0.type)=\(Self.escaped($0.value ?? ""))" }.joined(separator: "+")
        }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        let scalars = Array(value.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let isEscaped =
                switch scalar {
                case ",", "+", "\"", "\\", "<", ">", ";": true
                case " ": index == 0 || index == scalars.count - 1
                case "#": index == 0
                default: false
                }
            if isEscaped { result.append("\\") }
            result.append(scalar)
        }
        return String(result)
    }
}
