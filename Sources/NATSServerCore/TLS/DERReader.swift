/// Reads ASN.1 in its distinguished encoding, as far as certificates need it.
///
/// Never looks beyond the bytes that it was given; does not recurse.
struct DERReader {
    struct Malformed: Error, Equatable {}

    struct Element {
        let tag: UInt8
        /// Tag, length and content.
        let whole: ArraySlice<UInt8>
        let content: ArraySlice<UInt8>

        /// The elements of a constructed one.
        var reader: DERReader { DERReader(self.content) }
    }

    enum Tag {
        static let octetString: UInt8 = 0x04
        static let objectIdentifier: UInt8 = 0x06
        static let boolean: UInt8 = 0x01
        static let sequence: UInt8 = 0x30
        static let set: UInt8 = 0x31
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.rest = bytes }

    var isAtEnd: Bool { self.rest.isEmpty }

    /// The next element.
    mutating func next() throws(Malformed) -> Element {
        let all = self.rest
        guard let tag = self.rest.popFirst(), tag & 0x1f != 0x1f, let first = self.rest.popFirst() else {
            throw Malformed()
        }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7f)
            guard (1...4).contains(count) else { throw Malformed() }
            length = 0
            for _ in 0..<count {
                guard let byte = self.rest.popFirst() else { throw Malformed() }
                length = length << 8 | Int(byte)
            }
        }
        guard length <= self.rest.count else { throw Malformed() }
        let content = self.rest.prefix(length)
        self.rest = self.rest.dropFirst(length)
        return Element(tag: tag, whole: all[..<content.endIndex], content: content)
    }

    /// The next element, which has to be of a kind.
    mutating func next(_ tag: UInt8) throws(Malformed) -> Element {
        let element = try self.next()
        guard element.tag == tag else { throw Malformed() }
        return element
    }

    /// The next element if it is of a kind.
    mutating func nextIfPresent(_ tag: UInt8) throws(Malformed) -> Element? {
        guard self.rest.first == tag else { return nil }
        return try self.next()
    }

    /// What a certificate has behind its validity, beginning with the subject (RFC 5280 section 4.1); and its issuer.
    static func certificate(_ der: [UInt8]) throws(Malformed) -> (rest: DERReader, issuer: Element) {
        var outer = DERReader(der[...])
        var certificate = try outer.next(Tag.sequence).reader
        var body = try certificate.next(Tag.sequence).reader
        _ = try body.nextIfPresent(0xa0)  // version
        _ = try body.next(0x02)  // serial number
        _ = try body.next(Tag.sequence)  // signature algorithm
        let issuer = try body.next(Tag.sequence)
        _ = try body.next(Tag.sequence)  // validity
        return (body, issuer)
    }

    /// An object identifier as text: `2.5.4.3`.
    static func objectIdentifier(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> String {
        var arcs: [UInt64] = []
        var value: UInt64 = 0
        var isInside = false
        for byte in bytes {
            guard value < 1 << 56 else { throw Malformed() }
            value = value << 7 | UInt64(byte & 0x7f)
            isInside = byte & 0x80 != 0
            guard !isInside else { continue }
            if arcs.isEmpty {
                let first = min(value / 40, 2)
                arcs = [first, value - first * 40]
            } else {
                arcs.append(value)
            }
            value = 0
        }
        guard !arcs.isEmpty, !isInside else { throw Malformed() }
        return arcs.map(String.init).joined(separator: ".")
    }
}
