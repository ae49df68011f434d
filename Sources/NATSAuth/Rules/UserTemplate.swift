import NATSText

/// The subjects of a scoped signing key's template, filled in for one user (nats-server auth.go
/// processUserPermissionsTemplate): `{{name()}}`, `{{subject()}}`, `{{account-name()}}`, `{{account-subject()}}`,
/// `{{tag(x)}}` and `{{account-tag(x)}}`.
package struct UserTemplate: Sendable {
    /// Why a template cannot be filled in, in the official words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// A user's tags must not turn one subject into more than these.
    private static let maximumSubjects = 4096
    /// Nor into more bytes, which the official server does not limit.
    private static let maximumBytes = 1 << 20
    private static let maximumWork = 1 << 26

    private let user: UserClaims
    private let accountName: String
    private let accountTags: [String]

    /// - Parameters:
    ///   - user: Whose subjects they become.
    ///   - accountName: The account's name for `account-name()`.
    ///   - accountTags: The account's tags for `account-tag(x)`.
    package init(user: UserClaims, accountName: String, accountTags: [String]) {
        self.user = user
        self.accountName = accountName
        self.accountTags = accountTags
    }

    /// The limits of a scope with all subjects filled in.
    ///
    /// What is permitted and turns out to be no subject is left out; if nothing is left then nothing is permitted.
    /// What is forbidden has to be a subject.
    package func filled(_ limits: UserLimits) throws(Failure) -> UserLimits {
        var limits = limits
        let subscribe = limits.permissions.subscribe
        let publish = limits.permissions.publish
        limits.permissions.subscribe.allow = try self.filled(subscribe.allow, isStrict: false)
        limits.permissions.subscribe.deny = try self.filled(subscribe.deny, isStrict: true)
        limits.permissions.publish.allow = try self.filled(publish.allow, isStrict: false)
        limits.permissions.publish.deny = try self.filled(publish.deny, isStrict: true)
        if !subscribe.allow.isEmpty, limits.permissions.subscribe.allow.isEmpty {
            Self.denyAll(&limits.permissions.subscribe)
        }
        if !publish.allow.isEmpty, limits.permissions.publish.allow.isEmpty {
            Self.denyAll(&limits.permissions.publish)
        }
        return limits
    }

    private static func denyAll(_ list: inout ClaimPermissions.List) {
        if !list.deny.contains(">") { list.deny.append(">") }
    }

    private func filled(_ subjects: [String], isStrict: Bool) throws(Failure) -> [String] {
        let templates = subjects.map { Array($0.utf8) }
        let places = templates.map(Self.places)
        guard places.contains(where: { !$0.isEmpty }) else { return subjects }
        var result: [String] = []
        var size = 0
        for (index, template) in templates.enumerated() {
            let (values, hasTags) = try self.values(places[index], of: subjects[index], isStrict: isStrict)
            let count = try Self.count(values, hasTags: hasTags, after: result.count)
            // Every place of every combination takes one walk over the subject.
            let work = count.multipliedReportingOverflow(by: places[index].count * max(1, template.count))
            guard !work.overflow, work.partialValue <= Self.maximumWork else { throw Self.tooMany }
            for number in 0..<count {
                let chosen = Self.combination(number, of: values)
                var filled = template
                for (place, value) in zip(places[index], chosen) {
                    filled = try Self.replacing(Array(template[place]), in: filled, with: value)
                }
                let subject = String(decoding: filled, as: UTF8.self)
                size += filled.count
                guard size <= Self.maximumBytes else { throw Self.tooMany }
                if ClaimSubject.isValidInServer(subject) {
                    result.append(subject)
                } else if isStrict {
                    throw Failure(description: "generated invalid subject")
                }
            }
        }
        return result
    }

    // MARK: Combinations

    private static var tooMany: Failure {
        Failure(description: "template expansion exceeds limit: \(self.maximumSubjects)")
    }

    /// How many subjects one becomes.
    private static func count(_ values: [[[UInt8]]], hasTags: Bool, after emitted: Int) throws(Failure) -> Int {
        guard hasTags else { return 1 }
        var count = 1
        for list in values {
            guard count <= self.maximumSubjects / list.count else { throw self.tooMany }
            count *= list.count
        }
        guard emitted <= self.maximumSubjects - count else { throw self.tooMany }
        return count
    }

    /// One value of each list; the last list changes fastest.
    private static func combination(_ number: Int, of values: [[[UInt8]]]) -> [[UInt8]] {
        var number = number
        var chosen: [[UInt8]] = []
        for list in values.reversed() {
            chosen.append(list[number % list.count])
            number /= list.count
        }
        return chosen.reversed()
    }

    private static func replacing(
        _ pattern: [UInt8],
        in text: [UInt8],
        with value: [UInt8]
    ) throws(Failure) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == pattern[0], text[index...].starts(with: pattern) {
                result += value
                index += pattern.count
            } else {
                result.append(text[index])
                index += 1
            }
            // A name that has templates itself can double the text with each of them.
            guard result.count <= self.maximumBytes else { throw self.tooMany }
        }
        return result
    }

    // MARK: Values

    /// Where the templates of a subject are: two braces, at least one other byte, two braces.
    private static func places(_ text: [UInt8]) -> [Range<Int>] {
        let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        var places: [Range<Int>] = []
        var start = 0
        while let end = text[start...].firstIndex(of: close) {
            let opening = (start..<end).first { $0 + 2 < end && text[$0] == open && text[$0 + 1] == open }
            if let opening, end + 1 < text.count, text[end + 1] == close {
                places.append(opening..<(end + 2))
                start = end + 2
            } else {
                start = end + 1
            }
        }
        return places
    }

    /// What may stand at each place, and whether tags take part.
    private func values(
        _ places: [Range<Int>],
        of subject: String,
        isStrict: Bool
    ) throws(Failure) -> (values: [[[UInt8]]], hasTags: Bool) {
        let bytes = Array(subject.utf8)
        var values: [[[UInt8]]] = []
        var hasTags = false
        for place in places {
            let text = String(decoding: bytes[place].dropFirst(2).dropLast(2), as: UTF8.self)
            let operation = text.trimmingGoSpace()
            switch operation.lowercased() {
            case "name()": values.append([Array(self.user.name.utf8)])
            case "subject()": values.append([Array(self.user.subject.utf8)])
            case "account-name()": values.append([Array(self.accountName.utf8)])
            case "account-subject()": values.append([Array(self.user.issuerAccount.utf8)])
            default:
                guard let (tag, isOfAccount) = Self.tag(operation) else {
                    throw Failure(
                        description: "template operation in \(GoString.quoted(subject)): "
                            + "\(GoString.quoted(operation)) is not defined"
                    )
                }
                hasTags = true
                let prefix = Array("\(tag.lowercased()):".utf8)
                let tags = (isOfAccount ? self.accountTags : self.user.tags).map { Array($0.utf8) }
                let found = tags.filter { $0.starts(with: prefix) }.map { Array($0.dropFirst(prefix.count)) }
                if found.isEmpty, isStrict {
                    throw Failure(
                        description: "generated invalid subject \(GoString.quoted(subject)): "
                            + "\(GoString.quoted(tag)) is not defined"
                    )
                }
                // A space makes the subject invalid, so that it is left out.
                values.append(found.isEmpty ? [[0x20]] : found)
            }
        }
        return (values, hasTags)
    }

    /// The name of the tag that an operation asks for.
    ///
    /// Only names in lower case lose what is around them.
    private static func tag(_ operation: String) -> (name: String, isOfAccount: Bool)? {
        guard operation.hasSuffix(")") else { return nil }
        for (prefix, isOfAccount) in [("tag(", false), ("account-tag(", true)] {
            guard operation.lowercased().hasPrefix(prefix) else { continue }
            let inner = operation.hasPrefix(prefix) ? operation.dropFirst(prefix.count) : operation[...]
            return (String(inner.dropLast()), isOfAccount)
        }
        return nil
    }
}
