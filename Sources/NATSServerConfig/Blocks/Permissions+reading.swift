import NATSText

/// `permissions`, and subjects in it.
extension OptionReader {
    /// A permissions block; `place` is where it is reported that this is no map, `nil` where the official server names
    /// none.
    func permissions(_ node: ConfigurationNode, place: ConfigurationNode?) -> PermissionsConfiguration? {
        guard let entries = node.entries else {
            self.error("Expected permissions to be a map/struct, got \(GoFormat.value(node))", at: place)
            return nil
        }
        var permissions = PermissionsConfiguration()
        for entry in entries {
            switch entry.name {
            case "pub", "publish", "import":
                permissions.publish = self.subjectPermission(entry.node, allowQueue: false)
            case "sub", "subscribe", "export":
                permissions.subscribe = self.subjectPermission(entry.node, allowQueue: true)
            case "publish_allow_responses", "allow_responses":
                permissions.allowResponses = self.responsePermission(entry.node)
            default:
                self.unknownField(entry, "parsing permissions")
            }
        }
        if permissions.allowResponses != nil {
            // To answer is a permission beyond a list; without a list it is the only one.
            var publish = permissions.publish ?? SubjectPermission()
            publish.allow = publish.allow ?? []
            permissions.publish = publish
        }
        return permissions
    }

    func unknownField(_ entry: Entry, _ where_: String) {
        if !entry.node.isUsedVariable {
            self.error("Unknown field \(entry.quotedKey) \(where_)", at: entry.node)
        }
    }

    private func subjectPermission(_ node: ConfigurationNode, allowQueue: Bool) -> SubjectPermission? {
        guard let entries = node.entries else {
            // The old form: subjects only. The official server names no place for what is wrong with them.
            guard let subjects = self.subjects(node, allowQueue: allowQueue, place: nil) else { return nil }
            return SubjectPermission(allow: subjects.isEmpty ? nil : subjects)
        }
        if entries.isEmpty { return nil }
        var permission = SubjectPermission()
        for entry in entries {
            switch entry.name {
            case "allow":
                let subjects = self.subjects(entry.node, allowQueue: allowQueue, place: entry.node) ?? []
                permission.allow = subjects.isEmpty ? nil : subjects
            case "deny":
                permission.deny = self.subjects(entry.node, allowQueue: allowQueue, place: entry.node) ?? []
            default:
                if !entry.node.isUsedVariable {
                    self.error(
                        "Unknown field name \(entry.quotedKey) parsing subject permissions, only 'allow' "
                            + "or 'deny' are permitted",
                        at: entry.node
                    )
                }
            }
        }
        return permission
    }

    /// A subject or an array of subjects.
    func subjects(_ node: ConfigurationNode, allowQueue: Bool, place: ConfigurationNode?) -> [String]? {
        var subjects: [String] = []
        if let subject = node.string {
            subjects = [subject]
        } else if let elements = node.array {
            for element in elements {
                guard let subject = element.string else {
                    self.error("Subject in permissions array cannot be cast to string", at: element)
                    return nil
                }
                subjects.append(subject)
            }
        } else {
            self.error(
                "Expected subject permissions to be a subject, or array of subjects, got \(GoFormat.typeName(node))",
                at: place
            )
            return nil
        }
        if let failure = Self.failure(in: subjects, allowQueue: allowQueue) {
            self.error(failure, at: place)
            return nil
        }
        return subjects
    }

    /// What is wrong with the first subject that is wrong.
    static func failure(in subjects: [String], allowQueue: Bool) -> String? {
        for subject in subjects where !SubjectText.isValid(subject) {
            let words = subject.unicodeScalars.split(whereSeparator: \.isSpace).map { String($0) }
            guard allowQueue, words.count == 2 else {
                return "subject \(GoFormat.quoted(subject)) is not a valid subject"
            }
            if !SubjectText.isValid(words[0]) {
                return "subject \(GoFormat.quoted(words[0])) is not a valid subject"
            }
            if !SubjectText.isValid(words[1]) {
                return "queue \(GoFormat.quoted(words[1])) is not a valid queue"
            }
        }
        return nil
    }

    private func responsePermission(_ node: ConfigurationNode) -> ResponsePermission? {
        if let flag = node.bool { return flag ? ResponsePermission() : nil }
        guard let entries = node.entries else {
            self.error("error parsing response permissions, expected a boolean or a map", at: node)
            return nil
        }
        var permission = ResponsePermission()
        for entry in entries {
            switch entry.name {
            case "max", "max_msgs", "max_messages", "max_responses":
                if let count = self.integer(entry.node), count != 0 { permission.maxMessages = count }
            case "expires", "expiration", "ttl":
                guard let text = entry.node.string else {
                    self.error("error parsing expires, not a duration string", at: entry.node)
                    return nil
                }
                do {
                    let duration = try GoDuration.parse(text)
                    if duration != .zero { permission.expires = duration }
                } catch {
                    self.error("error parsing expires: \(error.words)", at: entry.node)
                    return nil
                }
            default:
                self.unknownField(entry, "parsing permissions")
            }
        }
        return permission
    }
}
