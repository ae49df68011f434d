import NATSText
import NATSWire

/// What one of flags, environment and context says about a connection.
///
/// Its description does not show what it says.
struct ConnectionSource: Sendable {
    /// Whose words they are.
    enum Origin: Sendable, Equatable {
        case flags
        case environment
        /// The context of that name, or in that file.
        case context(String)

        /// How people know a field here.
        func name(of field: ConnectionField) -> String {
            switch self {
            case .flags: field.flag
            case .environment: field.variable ?? field.flag
            case .context(let name): "context \(GoString.quoted(name)): \(field.contextKey)"
            }
        }

        /// The failure for something that cannot be meant: wrong usage, unless it stands in a file.
        func failure(_ text: String) -> any Error {
            switch self {
            case .flags, .environment: UsageError(text)
            case .context: ToolFailure(text)
            }
        }
    }

    let origin: Origin
    private(set) var values = ConnectionFieldValues()
    /// Only a context says so here; there is no variable for it, and the flag needs no precedence.
    private(set) var handshakeFirst = false

    /// Whether it names a server or a credential.
    var namesServerOrUser: Bool {
        self.values.fields.contains(where: \.namesServerOrUser)
    }

    /// The flags.
    ///
    /// - Throws: `UsageError` for a value that cannot be one; `ToolFailure` for a password file that cannot be read.
    init(_ options: ConnectionOptions) throws {
        self.origin = .flags
        self.values[.server] = options.server
        self.values[.user] = options.user
        self.values[.password] = options.password
        self.values[.token] = options.token
        self.values[.creds] = options.creds
        self.values[.nkey] = options.nkey
        self.values[.jwt] = options.jwt
        self.values[.seed] = options.seed
        self.values[.certificate] = options.tlscert
        self.values[.privateKey] = options.tlskey
        self.values[.authorities] = options.tlscacert
        self.values[.inboxPrefix] = options.inboxPrefix
        self.values[.socksProxy] = options.socksProxy
        if let path = options.passwordFile {
            guard options.password == nil else { throw UsageError("--password and --password-file exclude each other") }
            self.values[.password] = try Self.password(inFile: path)
        }
        try self.checkTexts()
    }

    /// The environment; an empty variable counts as one that is not set.
    ///
    /// - Throws: `UsageError` for a value that cannot be one.
    init(environment: (String) -> String?) throws {
        self.origin = .environment
        for field in ConnectionField.allCases {
            guard let name = field.variable, let value = environment(name), !value.isEmpty else { continue }
            self.values[field] = value
        }
        try self.checkTexts()
    }

    /// The contents of a context's file.
    ///
    /// - Throws: `ToolFailure` for a file that is none, and for what is not supported: to ignore a credential would be
    ///   to connect as somebody else.
    init(context name: String, _ contents: [UInt8]) throws {
        self.origin = .context(name)
        let title = "context \(GoString.quoted(name))"
        do throws(JSONError) {
            let reader = try JSONObjectReader(JSONValue.parse(contents))
            for field in ConnectionField.allCases {
                var value = ""
                try reader.read(field.contextKey, into: &value)
                if !value.isEmpty { self.values[field] = value }
            }
            try reader.read("tls_first", into: &self.handshakeFirst)
            for key in Self.unsupportedKeys {
                var value = ""
                try reader.read(key, into: &value)
                guard value.isEmpty else { throw JSONError("\(key) is not supported") }
            }
        } catch {
            throw ToolFailure("\(title): \(error)")
        }
        try self.checkTexts()
    }

    /// Keys that say who connects, by means that the tools do not have.
    private static let unsupportedKeys = [
        "nsc", "windows_cert_store", "windows_cert_match", "windows_cert_match_by", "windows_ca_certs_match",
    ]

    private func checkTexts() throws {
        for field in ConnectionField.allCases where !field.isFreeText {
            guard let value = self.values[field] else { continue }
            let isText = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            guard isText else { throw self.origin.failure("\(self.origin.name(of: field)) has control characters") }
        }
    }

    private static func password(inFile path: String) throws(ToolFailure) -> String {
        var bytes = try ToolFile.read(path)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let password = String(validating: bytes, as: UTF8.self), !password.isEmpty,
            !bytes.contains(UInt8(ascii: "\n"))
        else { throw ToolFailure("the file \(GoString.harmless(path.utf8)) is not one line with a password") }
        return password
    }
}

extension ConnectionSource: CustomStringConvertible, CustomReflectable {
    var description: String {
        "\(self.origin)"
    }

    var customMirror: Mirror {
        Mirror(self, children: ["origin": self.origin])
    }
}
