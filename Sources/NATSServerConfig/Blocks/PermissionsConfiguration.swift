/// A `permissions` block.
package struct PermissionsConfiguration: Sendable, Equatable {
    /// `nil` allows all subjects.
    package var publish: SubjectPermission?
    /// Entries may be `subject queue`.
    ///
    /// `nil` allows all subjects.
    package var subscribe: SubjectPermission?
    /// `nil`: no permission to answer beyond ``publish``.
    package var allowResponses: ResponsePermission?

    package init() {}
}

/// What may be published to or subscribed to.
package struct SubjectPermission: Sendable, Equatable {
    /// `nil` allows all that is not denied, an empty list allows nothing.
    package var allow: [String]?
    package var deny: [String]

    package init(allow: [String]? = nil, deny: [String] = []) {
        self.allow = allow
        self.deny = deny
    }
}

/// `allow_responses`: the permission to answer requests.
package struct ResponsePermission: Sendable, Equatable {
    /// Answers per request; negative is unlimited.
    package var maxMessages = 1
    /// How long after the request; negative is unlimited.
    package var expires: Duration = .seconds(120)

    package init() {}
}
