import ArgumentParser

/// A header from the command line, `Name: value`.
package struct HeaderArgument: Sendable, Hashable {
    package var name: String
    /// Without surrounding blanks.
    package var value: String

    /// Cuts `text` at the first colon.
    ///
    /// Nil without a colon, for a name that is empty or contains what a header name cannot (blanks, control characters,
    /// non-ASCII), and for a value with a line break: it would end the header.
    package init?(parsing text: String) {
        let bytes = Substring(text).utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = bytes[..<colon]
        guard !name.isEmpty, name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var value = bytes[bytes.index(after: colon)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        guard value.allSatisfy({ $0 != 0x0D && $0 != 0x0A }) else { return nil }
        self.name = String(Substring(name))
        self.value = String(Substring(value))
    }
}

extension HeaderArgument: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }
}
