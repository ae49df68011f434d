internal import NATSText
internal import NATSWire

/// The options of a request to the system account (nats-server events.go EventFilterOptions and what it stands beside).
struct SystemQuery: Sendable {
    /// Which servers are meant.
    struct Filter: Sendable, Equatable {
        var name = ""
        var cluster = ""
        var host = ""
        var isExact = false
        var tags: [String] = []
        var domain = ""

        /// jwt types.go TagList: tags are lower case.
        private static func contains(_ tags: [String], _ tag: String) -> Bool {
            tags.contains { $0.lowercased() == tag.lowercased() }
        }

        /// Whether a server is meant, which has no domain; `cluster` is empty for one without a cluster.
        func accepts(name: String, host: String, cluster: String, tags: [String]) -> Bool {
            func accepts(_ wanted: String, _ own: String) -> Bool {
                wanted.isEmpty || (self.isExact ? wanted == own : own.contains(wanted))
            }
            return accepts(self.name, name) && accepts(self.host, host) && accepts(self.cluster, cluster)
                && self.tags.allSatisfy { Self.contains(tags, $0) } && self.domain.isEmpty
        }
    }

    private(set) var filter = Filter()
    /// The Go type that the official server reads such options into; errors name it.
    private let type: String
    /// The members.
    private let members: [(key: String, value: JSONValue)]

    /// Reads options: a JSON object, or nothing at all; `type` is the Go type that the official server reads them into.
    init(_ payload: [UInt8], _ type: String = "EventFilterOptions") throws(JSONError) {
        self.type = type
        guard !payload.isEmpty else {
            self.members = []
            return
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(payload)
        } catch {
            throw JSONError(Self.description(of: error, in: payload))
        }
        switch value {
        case .object(let members): self.members = members
        case .null: self.members = []
        default:
            throw JSONError("json: cannot unmarshal \(Self.kind(of: value)) into Go value of type server.\(type)")
        }
        self.filter.name = try self.string("server_name")
        self.filter.cluster = try self.string("cluster")
        self.filter.host = try self.string("host")
        self.filter.isExact = try self.bool("exact_match")
        self.filter.tags = try self.strings("tags")
        self.filter.domain = try self.string("domain")
    }

    // MARK: Members

    private func value(_ key: String) -> JSONValue? {
        self.members.last { $0.value != .null && equalsIgnoringASCIICase($0.key, key) }?.value
    }

    func string(_ key: String) throws(JSONError) -> String {
        switch self.value(key) {
        case nil: return ""
        case .string(let text)?: return text
        case let other?: throw self.mismatch(other, key, "string")
        }
    }

    func bool(_ key: String) throws(JSONError) -> Bool {
        switch self.value(key) {
        case nil: return false
        case .bool(let flag)?: return flag
        case let other?: throw self.mismatch(other, key, "bool")
        }
    }

    func int(_ key: String) throws(JSONError) -> Int {
        switch self.value(key) {
        case nil: return 0
        case .number(let text)?:
            guard let number = Int(text) else { throw self.mismatch(.number(text), key, "int") }
            return number
        case let other?: throw self.mismatch(other, key, "int")
        }
    }

    func uint64(_ key: String) throws(JSONError) -> UInt64 {
        switch self.value(key) {
        case nil: return 0
        case .number(let text)?:
            guard let number = UInt64(text) else { throw self.mismatch(.number(text), key, "uint64") }
            return number
        case let other?: throw self.mismatch(other, key, "uint64")
        }
    }

    func strings(_ key: String) throws(JSONError) -> [String] {
        switch self.value(key) {
        case nil: return []
        case .array(let elements)?:
            var strings: [String] = []
            for element in elements {
                switch element {
                case .string(let text): strings.append(text)
                case .null: strings.append("")
                default: throw self.mismatch(element, key, "string")
                }
            }
            return strings
        case let other?: throw self.mismatch(other, key, "[]string")
        }
    }

    // MARK: The words of encoding/json

    private static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private func mismatch(_ value: JSONValue, _ key: String, _ type: String) -> JSONError {
        var kind = Self.kind(of: value)
        // A number that does not fit is shown, one where there should be none is not.
        if case .number(let text) = value, type.contains("int") { kind += " \(text)" }
        return JSONError("json: cannot unmarshal \(kind) into Go struct field \(self.type).\(key) of type \(type)")
    }

    /// A document that is none; what it begins with is what tells most.
    private static func description(of error: JSONError, in payload: [UInt8]) -> String {
        let first = payload.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
        guard let first else { return "unexpected end of JSON input" }
        let starts = Array("{[\"-0123456789tfn".utf8)
        guard !starts.contains(first) else { return error.description }
        return "invalid character \(GoString.quotedCharacter(first)) looking for beginning of value"
    }
}

extension GoString {
    /// A byte as Go writes a character in an error: `'h'`.
    fileprivate static func quotedCharacter(_ byte: UInt8) -> String {
        let text = self.quoted([byte])
        return "'\(text.dropFirst().dropLast())'"
    }
}
