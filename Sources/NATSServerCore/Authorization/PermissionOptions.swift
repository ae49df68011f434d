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
    static func words(_ entry: String) -> [String] {
        entry.unicodeScalars.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }.map { String($0) }
    }

    private static func isSubject(_ text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { SubjectGrammar.isValidSubscription($0) }
    }
}
