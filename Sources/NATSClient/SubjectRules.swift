import NATSWire

/// The grammar of subjects for strings.
enum SubjectRules {
    static func isValidPublishSubject(_ subject: String) -> Bool {
        var subject = subject
        return subject.withUTF8 { SubjectGrammar.isValidPublishSubject(UnsafeRawBufferPointer($0)) }
    }

    /// What a subject must be at least, so that it does not break the protocol's lines: not empty, no white space.
    static func isOneWord(_ subject: UnsafeRawBufferPointer) -> Bool {
        subject.count > 0 && subject.allSatisfy { $0 > 0x20 }
    }

    static func isValidSubscription(_ subject: String) -> Bool {
        var subject = subject
        return subject.withUTF8 { SubjectGrammar.isValidSubscription(UnsafeRawBufferPointer($0)) }
    }

    /// ADR-6 `term`: not empty, no white space.
    static func isValidQueueGroup(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D && $0 != 0x0A }
    }
}
