internal import NATSWire

/// What a user may publish and subscribe to, as the `permissions` block says it.
package struct PermissionOptions: Sendable, Hashable {
    /// Subjects that are allowed and denied; a denial wins.
    package struct Subjects: Sendable, Hashable {
        /// All if `nil`; none if empty, but for subscriptions, where empty is the same as `nil` (nats-server client.go
        /// setPermissions).
        package var allow: [String]?
        package var deny: [String]

        package init(allow: [String]? = nil, deny: [String] = []) {
            self.allow = allow
            self.deny = deny
        }

        /// Subjects are bytes: two forms of the same letter are two subjects, though one string.
        package static func == (left: Self, right: Self) -> Bool {
            func areEqual(_ left: [String], _ right: [String]) -> Bool {
                left.elementsEqual(right) { $0.utf8.elementsEqual($1.utf8) }
            }
            guard (left.allow == nil) == (right.allow == nil) else { return false }
            return areEqual(left.allow ?? [], right.allow ?? []) && areEqual(left.deny, right.deny)
        }

        package func hash(into hasher: inout Hasher) {
            // Strings that are equal by their bytes have the same hash.
            hasher.combine(self.allow)
            hasher.combine(self.deny)
        }
    }

    /// Leave to publish to the reply subject of a message that was received.
    package struct Responses: Sendable, Hashable {
        /// Messages for each reply subject; less than 0 means any number, 0 the default.
        package var maxMessages: Int
        /// Time since the request; less than 0 means for ever, 0 the default.
        package var expires: Duration

        package init(maxMessages: Int = 1, expires: Duration = .seconds(120)) {
            self.maxMessages = maxMessages == 0 ? 1 : maxMessages
            self.expires = expires == .zero ? .seconds(120) : expires
        }
    }

    /// Everything if `nil`.
    package var publish: Subjects?
    /// Everything if `nil`; entries may be `subject queue`.
    package var subscribe: Subjects?
    package var responses: Responses?

    package init(publish: Subjects? = nil, subscribe: Subjects? = nil, responses: Responses? = nil) {
        self.publish = publish
        self.subscribe = subscribe
        self.responses = responses
    }

    func firstProblem() -> String? {
        for entry in (self.publish?.allow ?? []) + (self.publish?.deny ?? []) where !Self.isSubject(entry) {
            return "subject \"\(entry)\" is not a valid subject"
        }
        for entry in (self.subscribe?.allow ?? []) + (self.subscribe?.deny ?? []) where !Self.isSubject(entry) {
            // nats-server opts.go checkPermSubjectArray
            let words = Self.words(entry)
            guard words.count == 2 else { return "subject \"\(entry)\" is not a valid subject" }
            guard Self.isSubject(words[0]) else { return "subject \"\(words[0])\" is not a valid subject" }
            guard Self.isSubject(words[1]) else { return "queue \"\(words[1])\" is not a valid queue" }
        }
        return nil
    }

    /// The words of `subject queue`; by scalars, since CR LF and a blank with an accent are one character each.
    ///
    /// All white space of Unicode is between words (Go's strings.Fields), also what may stand in the subject of a SUB.
    static func words(_ entry: String) -> [String] {
        entry.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }
    }

    /// Whether a subject may stand in a list (nats-server sublist.go IsValidSubject).
    static func isSubject(_ text: String) -> Bool {
        guard !text.utf8.contains(0x0c) else { return false }
        return Array(text.utf8).withUnsafeBytes { SubjectGrammar.isValidSubscription($0) }
    }

    /// Subject and queue group of an entry for subscriptions (nats-server client.go splitSubjectQueue).
    ///
    /// - Returns: `nil` if white space makes something else of it; ``firstProblem()`` only finds what the official server
    ///   finds when it reads a configuration.
    static func subjectAndQueue(_ entry: String) -> (subject: String, queue: String?)? {
        let words = self.words(entry)
        guard words.count == 1 || words.count == 2, words.allSatisfy(self.isSubject) else { return nil }
        return (words[0], words.count == 2 ? words[1] : nil)
    }
}
