import NATSWire

/// What a user may publish and subscribe to, as claims say it.
package struct ClaimPermissions: Sendable, Equatable {
    /// Subjects, those of subscriptions possibly with a queue group behind a space.
    package struct List: Sendable, Equatable {
        package var allow: [String]
        package var deny: [String]

        package init(allow: [String] = [], deny: [String] = []) {
            self.allow = allow
            self.deny = deny
        }

        package var isEmpty: Bool { self.allow.isEmpty && self.deny.isEmpty }

        /// Subjects are bytes: two forms of the same letter are two subjects, though one string.
        package static func == (left: Self, right: Self) -> Bool {
            func areEqual(_ left: [String], _ right: [String]) -> Bool {
                left.elementsEqual(right) { $0.utf8.elementsEqual($1.utf8) }
            }
            return areEqual(left.allow, right.allow) && areEqual(left.deny, right.deny)
        }

        fileprivate mutating func read(_ reader: ClaimReader) throws(JSONError) {
            try reader.read("allow", into: &self.allow)
            try reader.read("deny", into: &self.deny)
        }

        fileprivate var object: JSONValue {
            var writer = ClaimWriter()
            writer.writeUnlessEmpty("allow", self.allow)
            writer.writeUnlessEmpty("deny", self.deny)
            return writer.object
        }

        fileprivate func validate(allowingQueues: Bool, into report: inout ValidationReport) {
            for subject in self.allow + self.deny {
                let parts = subject.utf8.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
                    .map { String(Substring($0)) }
                guard parts.count <= 2 else {
                    report.error("Permission Subject \"\(subject)\" contains too many spaces")
                    continue
                }
                for part in parts { ClaimSubject.validate(part, into: &report) }
                if parts.count == 2, !allowingQueues {
                    report.error("Permission Subject \"\(subject)\" is not allowed to contain queue")
                }
            }
        }
    }

    /// Permission to answer what one was asked.
    package struct Responses: Sendable, Equatable {
        /// Answers per request.
        package var maximum: Int
        /// How long, in nanoseconds.
        package var expires: Int64

        package init(maximum: Int = 0, expires: Int64 = 0) {
            self.maximum = maximum
            self.expires = expires
        }
    }

    package var publish = List()
    package var subscribe = List()
    package var responses: Responses?

    package var isEmpty: Bool { self.publish.isEmpty && self.subscribe.isEmpty && self.responses == nil }

    package init(publish: List = List(), subscribe: List = List(), responses: Responses? = nil) {
        self.publish = publish
        self.subscribe = subscribe
        self.responses = responses
    }

    mutating func read(_ reader: ClaimReader) throws(JSONError) {
        for list in try reader.objects("pub") { try self.publish.read(list) }
        for list in try reader.objects("sub") { try self.subscribe.read(list) }
        for object in try reader.objects("resp") {
            var responses = self.responses ?? Responses()
            try object.read("max", into: &responses.maximum)
            try object.read("ttl", into: &responses.expires)
            self.responses = responses
        }
    }

    func write(to writer: inout ClaimWriter) {
        writer.write("pub", self.publish.object)
        writer.write("sub", self.subscribe.object)
        if let responses {
            var object = ClaimWriter()
            object.write("max", responses.maximum)
            object.write("ttl", responses.expires)
            writer.write("resp", object.object)
        }
    }

    func validate(into report: inout ValidationReport) {
        self.subscribe.validate(allowingQueues: true, into: &report)
        self.publish.validate(allowingQueues: false, into: &report)
    }
}
