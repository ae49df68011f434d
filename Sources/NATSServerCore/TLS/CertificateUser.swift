import NATSText

/// Finds the user that a client's certificate names (`verify_and_map`).
///
/// nats-server auth.go checkClientTLSCertSubject: e-mail addresses, DNS names and URIs in this order, then the subject in
/// several spellings.
struct CertificateUser {
    /// Whether a user exists that may connect this way.
    private let isUser: (String) -> Bool
    /// The names of all users that may connect this way.
    private let users: () -> [String]
    /// What the debug log says about the search.
    private(set) var notes: [String] = []

    init(isUser: @escaping (String) -> Bool, users: @escaping () -> [String]) {
        self.isUser = isUser
        self.users = users
    }

    /// Looks for the user.
    ///
    /// - Parameter certificate: `nil` if the client has shown none.
    /// - Returns: the user's name; `nil` if there is none.
    mutating func find(_ certificate: ClientCertificate?) -> String? {
        guard let certificate else {
            self.notes.append("User required in cert, no TLS connection state")
            return nil
        }
        let alternatives = [
            ("email", certificate.emailAddresses), ("SAN", certificate.dnsNames), ("URI", certificate.uris),
        ]
        let subject = certificate.subject
        guard alternatives.contains(where: { !$0.1.isEmpty }) || !subject.goDescription.isEmpty else {
            self.notes.append("User required in cert, none found")
            return nil
        }
        for (kind, names) in alternatives {
            if let name = names.first(where: { !$0.isEmpty && self.isUser($0) }) {
                self.notes.append("Using \(kind) found in cert for auth [\(Self.quoted(name))]")
                return name
            }
        }
        return self.find(subject: subject)
    }

    private mutating func find(subject: DistinguishedName) -> String? {
        let text = subject.goText
        if let named = subject.named {
            if let name = self.user(called: named) {
                self.notes.append("Using DistinguishedNameMatch for auth [\(Self.quoted(name))]")
                return name
            }
            self.notes.append("DistinguishedNameMatch could not be used for auth [\(Self.quoted(text))]")
        }
        let components = subject.domainComponents
        if !components.isEmpty {
            let name = "\(text),\(components)"
            guard !self.isUser(name) else {
                self.notes.append("Using RDNSequence for auth [\(Self.quoted(name))]")
                return name
            }
            self.notes.append("RDNSequence could not be used for auth [\(Self.quoted(name))]")
        }
        guard text.isEmpty || !self.isUser(text) else {
            self.notes.append("Using certificate subject for auth [\(Self.quoted(text))]")
            return text
        }
        self.notes.append("User in cert [\(Self.quoted(text))], not found")
        return nil
    }

    /// The user whose name, read as a distinguished name, is the subject; if need be in another order.
    private func user(called subject: DistinguishedName) -> String? {
        let candidates = self.users().sorted().compactMap { name in
            DistinguishedName(text: name).map { (name, $0) }
        }
        return (candidates.first { $0.1.matches(subject) } ?? candidates.first { $0.1.matchesInAnyOrder(subject) })?.0
    }

    private static func quoted(_ text: String) -> String { GoString.quoted(Array(text.utf8)) }
}

/// The certificate that is to say who a client is, and what came of it.
struct CertificateLookup: Sendable {
    /// `nil` if the client has shown none.
    let certificate: ClientCertificate?
    /// For the debug log.
    var notes: [String] = []
    /// The user that CONNECT named, which does not count.
    var ignoredUser: String?

    init(certificate: ClientCertificate?) { self.certificate = certificate }
}
