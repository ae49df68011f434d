import NATSClient
import NATSWire

/// What names, versions, subjects and queue groups of services may look like (ADR-32).
enum ServiceRules {
    static func isValidName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// The grammar of https://semver.org.
    static func isValidVersion(_ version: String) -> Bool {
        var rest = Substring(version)
        if let plus = rest.firstIndex(of: "+") {
            guard self.areIdentifiers(rest[rest.index(after: plus)...], numbersAreShort: false) else {
                return false
            }
            rest = rest[..<plus]
        }
        if let minus = rest.firstIndex(of: "-") {
            guard self.areIdentifiers(rest[rest.index(after: minus)...], numbersAreShort: true) else {
                return false
            }
            rest = rest[..<minus]
        }
        let numbers = rest.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 3 && numbers.allSatisfy { self.isNumber($0) && !self.hasLeadingZero($0) }
    }

    static func isValidSubject(_ subject: String) -> Bool {
        var subject = subject
        return subject.withUTF8 { SubjectGrammar.isValidSubscription(UnsafeRawBufferPointer($0)) }
    }

    /// A prefix may have the wildcard for one token: that of the others could be nothing but the last.
    static func isValidPrefix(_ prefix: String) -> Bool {
        self.isValidSubject(prefix) && !prefix.utf8.contains(UInt8(ascii: ">"))
    }

    static func isValidQueueGroup(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    static func check(_ group: NATSServiceQueueGroup) throws(NATSError) {
        if case .named(let name) = group, !self.isValidQueueGroup(name) {
            throw NATSError(.badQueue, "\"\(name)\" is not a queue group")
        }
    }

    static func check(concurrency: Int) throws(NATSError) {
        guard concurrency > 0 else {
            throw NATSError(.invalidConfiguration, "a handler must be allowed to run at least once at a time")
        }
    }

    private static func areIdentifiers(_ text: Substring, numbersAreShort: Bool) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { identifier in
            guard !identifier.isEmpty,
                identifier.utf8.allSatisfy({ self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") })
            else {
                return false
            }
            return !(numbersAreShort && self.isNumber(identifier) && self.hasLeadingZero(identifier))
        }
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { self.isDigit($0) }
    }

    private static func hasLeadingZero(_ text: Substring) -> Bool {
        text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "0")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return self.isDigit(byte) || letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
    }
}
