/// `leafnodes`.
extension OptionReader {
    private static let leafTable = OptionTable<LeafNodesConfiguration>([
        (.init("host", .string(\.host)), aliases: ["net"]),
        (.init("port", .integer(\.port)), []),
        (.init("listen", .listen(\.host, \.port)), []),
        (.init("tls", .tls(\.tls, .client)), []),
        (.init("reconnect", .duration(\.reconnectInterval, "reconnect")), ["reconnect_delay", "reconnect_interval"]),
        (.init("dial_timeout", .duration(\.dialTimeout, "dial_timeout")), []),
        (.init("advertise", .text(\.advertise)), ["leafnode_advertise"]),
        (.init("no_advertise", .bool(\.noAdvertise)), []),
        (.init("isolate", .bool(\.isolate)), ["isolate_leafnode_interest"]),
        (.init("write_deadline", .optionalDuration(\.writeDeadline, "write_deadline")), []),
        (.init("write_timeout", .writeTimeout(\.writeTimeout)), []),
    ])

    func leafnodes(_ node: ConfigurationNode) -> LeafNodesConfiguration? {
        self.block(
            node,
            "leafnodes",
            expected: "Expected map to define a leafnode",
            defaults: LeafNodesConfiguration(),
            Self.leafTable
        ) { entry, block in
            let node = entry.node
            switch entry.name {
            case "authorization":
                block.authorization = self.leafAuthorization(node)
            case "remotes":
                block.remotes = self.leafRemotes(node)
            case "min_version", "minimum_version":
                guard let version = self.string(node) else { break }
                if let failure = Self.versionFailure(version) {
                    self.error(failure, at: node)
                } else {
                    block.minVersion = version
                }
            case "compression":
                if let value = self.compression(entry, onMode: "s2_auto", unset: "s2_auto") {
                    block.compression = value
                }
            default: return false
            }
            return true
        }
    }

    /// The oldest version that can be asked for is 2.8.0 (nats-server leafnode.go checkLeafMinVersionConfig).
    private static func versionFailure(_ text: String) -> String? {
        guard let version = SemanticVersion(text) else {
            return "invalid leafnode's minimum version: invalid semver"
        }
        return version < SemanticVersion(major: 2, minor: 8, patch: 0)
            ? "the minimum version should be at least 2.8.0" : nil
    }

    private func leafAuthorization(_ node: ConfigurationNode) -> LeafNodesConfiguration.Authorization? {
        guard let entries = self.entries(node) else { return nil }
        var block = LeafNodesConfiguration.Authorization()
        for entry in entries {
            let node = entry.node
            switch entry.name {
            case "user", "username": block.user = self.string(node).flatMap { $0.isEmpty ? nil : $0 }
            case "pass", "password": block.password = self.string(node)
            case "nkey":
                guard let key = self.string(node) else { break }
                if !PublicKey.isValid(key, .user) {
                    self.error("Not a valid public nkey for leafnode authorization", at: node)
                }
                block.nkey = key.isEmpty ? nil : key
            case "timeout":
                block.timeout = self.authorizationTimeout(entry, "error parsing leafnode authorization config")
            case "users": block.users = self.leafUsers(node)
            case "account": block.account = self.string(node)
            case "proxy_required": block.proxyRequired = self.bool(node) ?? false
            default: self.unknown(entry)
            }
        }
        if let failure = Self.failure(of: block) { self.error(failure, at: node) }
        return block
    }

    private static func failure(of block: LeafNodesConfiguration.Authorization) -> String? {
        guard !block.users.isEmpty else { return nil }
        if block.user != nil { return "can not have a single user/pass and a users array" }
        if block.nkey != nil { return "can not have a single nkey and a users array" }
        var names: Set<String> = []
        for user in block.users where !names.insert(user.user).inserted {
            return "duplicate user \(GoFormat.quoted(user.user)) detected in leafnode authorization"
        }
        return nil
    }

    private func leafUsers(_ node: ConfigurationNode) -> [LeafNodesConfiguration.User] {
        guard let elements = node.array else {
            self.error("Expected users field to be an array, got \(GoFormat.value(node))", at: node)
            return []
        }
        return elements.compactMap { element in
            guard let entries = element.entries else {
                self.error("Expected user entry to be a map/struct, got \(GoFormat.value(element))", at: element)
                return nil
            }
            var user = LeafNodesConfiguration.User()
            for entry in entries {
                switch entry.name {
                case "user", "username": user.user = self.string(entry.node) ?? ""
                case "pass", "password": user.password = self.string(entry.node) ?? ""
                case "account": user.account = self.string(entry.node)
                case "proxy_required": user.proxyRequired = self.bool(entry.node) ?? false
                default: self.unknown(entry)
                }
            }
            return user
        }
    }
}

/// `major.minor.patch`, with a pre-release and build metadata that do not matter here.
struct SemanticVersion: Comparable {
    var major: Int
    var minor: Int
    var patch: Int

    init(major: Int, minor: Int, patch: Int) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    init?(_ text: String) {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let rest = text.dropFirst(core.count)
        let numbers = core.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, Self.isValidSuffix(rest) else { return nil }
        let values = numbers.compactMap { number -> Int? in
            guard number.utf8.allSatisfy({ (0x30...0x39).contains($0) }), number == "0" || number.first != "0" else {
                return nil
            }
            return Int(number)
        }
        guard values.count == 3 else { return nil }
        self.init(major: values[0], minor: values[1], patch: values[2])
    }

    private static func isValidSuffix(_ text: Substring) -> Bool {
        let plus = text.firstIndex(of: "+") ?? text.endIndex
        let preRelease = text[..<plus]
        let build = text[plus...]
        func areIdentifiers(_ text: Substring, numbersAreStrict: Bool) -> Bool {
            text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                let isNumber = part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                if numbersAreStrict, isNumber, part.count > 1, part.first == "0" { return false }
                return !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
        }
        if !preRelease.isEmpty, !areIdentifiers(preRelease.dropFirst(), numbersAreStrict: true) { return false }
        return build.isEmpty || areIdentifiers(build.dropFirst(), numbersAreStrict: false)
    }

    static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}
