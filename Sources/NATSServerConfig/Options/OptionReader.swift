import NATSText

/// Reads values of the tree and collects all that is wrong with them.
///
/// A value of the wrong type gets the words of Go's runtime, since that is what the official server shows.
final class OptionReader {
    /// A key of a map with its value.
    struct Entry {
        /// As written.
        let key: String
        /// In lower case: keys match in any case.
        let name: String
        let node: ConfigurationNode
        private let bytes: [UInt8]

        /// As messages show it.
        var quotedKey: String { GoFormat.quoted(self.bytes) }

        init(_ entry: ConfigurationMap.Entry) {
            self.bytes = entry.key
            self.key = ConfigurationNode.text(entry.key)
            self.name = self.key.lowercased()
            self.node = entry.node
        }
    }

    private(set) var errors: [ConfigurationIssue] = []
    private(set) var warnings: [ConfigurationIssue] = []
    var given: [String: SourcePosition] = [:]
    let checks: ConfigurationChecks
    let source: ConfigurationSource
    /// Where wrong types are reported instead of where they are: blocks whose official reader loses track.
    var typeErrorPlace: ConfigurationNode?

    init(source: ConfigurationSource, checks: ConfigurationChecks) {
        self.source = source
        self.checks = checks
    }

    // MARK: Findings

    func error(_ reason: String, at node: ConfigurationNode?) {
        self.errors.append(ConfigurationIssue(position: node?.position, reason: reason))
    }

    /// A warning without further words.
    func warning(_ reason: String, at node: ConfigurationNode?) {
        self.warnings.append(ConfigurationIssue(position: node?.position, reason: reason))
    }

    /// A warning that names the key.
    func misuse(of field: String, _ reason: String, at node: ConfigurationNode?) {
        self.warning("invalid use of field \(GoFormat.quoted(field)): \(reason)", at: node)
    }

    /// A key that nobody knows; fine if it is there to be referred to.
    func unknown(_ entry: Entry) {
        if !entry.node.isUsedVariable {
            self.error("unknown field \(entry.quotedKey)", at: entry.node)
        }
    }

    /// Notes that a block has a key.
    func record(_ block: String, _ name: String, _ node: ConfigurationNode) {
        if let position = node.position { self.given["\(block).\(name)"] = position }
    }

    /// Runs a reader and tells whether it found no errors.
    func succeeds(_ body: () -> Void) -> Bool {
        let before = self.errors.count
        body()
        return self.errors.count == before
    }

    /// Runs a reader whose wrong types are reported at another place.
    func reportingTypes(at node: ConfigurationNode, _ body: () -> Void) {
        let before = self.typeErrorPlace
        self.typeErrorPlace = node
        body()
        self.typeErrorPlace = before
    }

    private func wrongType(_ node: ConfigurationNode, _ wanted: String) {
        self.error(
            "interface conversion: interface {} is \(GoFormat.typeName(node)), not \(wanted)",
            at: self.typeErrorPlace ?? node
        )
    }

    // MARK: Types

    func string(_ node: ConfigurationNode) -> String? {
        if let text = node.string { return text }
        self.wrongType(node, "string")
        return nil
    }

    func int64(_ node: ConfigurationNode) -> Int64? {
        if case .integer(let number) = node.value { return number }
        self.wrongType(node, "int64")
        return nil
    }

    func integer(_ node: ConfigurationNode) -> Int? {
        self.int64(node).map { Int(clamping: $0) }
    }

    func bool(_ node: ConfigurationNode) -> Bool? {
        if let flag = node.bool { return flag }
        self.wrongType(node, "bool")
        return nil
    }

    func array(_ node: ConfigurationNode) -> [ConfigurationNode]? {
        if let elements = node.array { return elements }
        self.wrongType(node, "[]interface {}")
        return nil
    }

    func entries(_ node: ConfigurationNode) -> [Entry]? {
        if let entries = node.entries { return entries }
        self.wrongType(node, "map[string]interface {}")
        return nil
    }

    /// An array of strings or a single one (nats-server opts.go parseStringArray).
    func strings(_ node: ConfigurationNode, _ what: String) -> [String]? {
        if let text = node.string { return [text] }
        guard let elements = node.array else {
            self.error("error parsing \(what): unsupported type \(GoFormat.typeName(node))", at: node)
            return nil
        }
        return elements.compactMap { element in
            if let text = element.string { return text }
            self.error(
                "error parsing \(what): unsupported type in array \(GoFormat.typeName(element))",
                at: element
            )
            return nil
        }
    }

    /// Strings of an array whose elements must all be strings.
    func plainStrings(_ node: ConfigurationNode) -> [String]? {
        self.array(node)?.compactMap { self.string($0) }
    }

    // MARK: Forms

    /// A duration, or seconds as a number with a warning.
    func duration(_ node: ConfigurationNode, _ field: String) -> Duration? {
        if let text = node.string {
            do {
                return try GoDuration.parse(text)
            } catch {
                self.error("error parsing \(field): \(error.words)", at: node)
                return nil
            }
        }
        self.misuse(of: field, "\(field) should be converted to a duration", at: node)
        return self.int64(node).map(Self.seconds)
    }

    static func seconds(_ count: Int64) -> Duration {
        .seconds(max(-Self.longest, min(Self.longest, count)))
    }

    static func seconds(_ count: Double) -> Duration {
        guard count.magnitude < Double(Self.longest) else { return self.seconds(count < 0 ? Int64.min : Int64.max) }
        return .nanoseconds(Int64(count * 1e9))
    }

    /// What Go's durations can hold, in seconds.
    private static let longest: Int64 = 9_223_372_036

    /// A time limit: seconds as a number, or a duration.
    ///
    /// `owner` begins the error text.
    func timeout(_ node: ConfigurationNode, _ owner: String) -> (duration: Duration, seconds: Double)? {
        switch node.value {
        case .integer(let number): return (Self.seconds(number), Double(number))
        case .float(let number): return (Self.seconds(number), number)
        case .string(let text):
            do {
                let duration = try GoDuration.parse(ConfigurationNode.text(text))
                return (duration, duration / .seconds(1))
            } catch {
                self.error("\(owner), 'timeout' \(error.words)", at: node)
                return nil
            }
        default:
            self.error("\(owner), 'timeout' wrong type", at: node)
            return nil
        }
    }

    /// The time limit of an authorization; more than a minute is suspicious.
    func authorizationTimeout(_ entry: Entry, _ owner: String) -> Duration? {
        guard let (duration, seconds) = self.timeout(entry.node, owner) else { return nil }
        if seconds > 60 {
            self.misuse(
                of: entry.key,
                "timeout of \(GoFormat.value(entry.node)) (\(GoFormat.fixedNumber(seconds)) seconds) is high, consider "
                    + "keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, "
                    + "for example",
                at: entry.node
            )
        }
        return duration
    }

    /// `port` or `host:port`.
    func listen(_ node: ConfigurationNode) -> (host: String?, port: Int)? {
        switch node.value {
        case .integer(let port):
            return (nil, Int(clamping: port))
        case .string(let bytes):
            let text = ConfigurationNode.text(bytes)
            guard let (host, port) = HostPort.split(text) else {
                self.error("could not parse address string \(GoFormat.quoted(text))", at: node)
                return nil
            }
            guard let number = Int(port) else {
                self.error("could not parse port \(GoFormat.quoted(port))", at: node)
                return nil
            }
            return (host.isEmpty ? nil : host, number)
        default:
            self.error("expected port or host:port, got \(GoFormat.typeName(node))", at: node)
            return nil
        }
    }

    func writeTimeout(_ node: ConfigurationNode) -> WriteTimeoutPolicy? {
        guard let text = self.string(node) else { return nil }
        guard let policy = WriteTimeoutPolicy(rawValue: text) else {
            self.error("write_timeout must be 'default', 'close' or 'retry'", at: node)
            return nil
        }
        return policy
    }

    /// A URL; `kind` names it in the error.
    func url(_ text: String, _ kind: String, at node: ConfigurationNode) -> ConfigurationURL? {
        if let url = ConfigurationURL(text) { return url }
        let trimmed = text.trimmingSpaces()
        self.error("error parsing \(kind) url [\(GoFormat.quoted(trimmed))]", at: node)
        return nil
    }

    /// An array of URLs without duplicates.
    func urls(_ node: ConfigurationNode, _ kind: String) -> [ConfigurationURL]? {
        guard let elements = self.array(node) else { return nil }
        var seen: Set<String> = []
        return elements.compactMap { element in
            guard let text = self.string(element) else { return nil }
            guard seen.insert(text).inserted else {
                self.misuse(of: text, "Duplicate \(kind) entry detected", at: element)
                return nil
            }
            return self.url(text, kind, at: element)
        }
    }
}

extension ConfigurationNode {
    var string: String? {
        if case .string(let bytes) = self.value { return Self.text(bytes) }
        return nil
    }

    var bool: Bool? {
        if case .bool(let flag) = self.value { return flag }
        return nil
    }

    var array: [ConfigurationNode]? {
        if case .array(let elements) = self.value { return elements }
        return nil
    }

    var map: ConfigurationMap? {
        if case .map(let map) = self.value { return map }
        return nil
    }

    var entries: [OptionReader.Entry]? {
        self.map?.entries.map(OptionReader.Entry.init)
    }

    /// The value of an exact key, for blocks that the official server does not read in any case.
    subscript(key: String) -> ConfigurationNode? { self.map?[key] }
}
