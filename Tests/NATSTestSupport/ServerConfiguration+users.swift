import NATSTestServer

extension NATSTestServer.User {
    /// The same in a configuration file of the official server.
    var fileText: String {
        var fields: [String] = []
        switch self.credentials {
        case .password(let name, let password):
            fields.append("user: \(ServerConfiguration.quoted(name))")
            fields.append("password: \(ServerConfiguration.quoted(password))")
        case .nkey(let nkey):
            fields.append("nkey: \(nkey)")
        }
        if let permissions = self.permissions { fields.append("permissions: \(permissions.fileText)") }
        return "{\(fields.joined(separator: ", "))}"
    }
}

extension NATSTestServer.Permissions {
    /// The same in a configuration file of the official server.
    var fileText: String {
        var fields: [String] = []
        if let publish = self.publish { fields.append("publish: \(publish.fileText)") }
        if let subscribe = self.subscribe { fields.append("subscribe: \(subscribe.fileText)") }
        if let responses = self.responses {
            let milliseconds = Int(responses.expires.timeInterval * 1000)
            fields.append("allow_responses: {max: \(responses.maxMessages), expires: \"\(milliseconds)ms\"}")
        }
        return "{\(fields.joined(separator: ", "))}"
    }
}

extension NATSTestServer.Permissions.Subjects {
    fileprivate var fileText: String {
        func list(_ subjects: [String]) -> String {
            "[\(subjects.map(ServerConfiguration.quoted).joined(separator: ", "))]"
        }
        var fields: [String] = []
        if let allow = self.allow { fields.append("allow: \(list(allow))") }
        if !self.deny.isEmpty { fields.append("deny: \(list(self.deny))") }
        return "{\(fields.joined(separator: ", "))}"
    }
}
