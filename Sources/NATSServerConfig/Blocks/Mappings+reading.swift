/// `mappings`.
extension OptionReader {
    func mappings(_ node: ConfigurationNode) -> [SubjectMapping] {
        guard let entries = self.entries(node) else { return [] }
        return entries.compactMap { entry in
            guard SubjectText.isValid(entry.key) else {
                self.error("Subject \(entry.quotedKey) is not a valid subject", at: node)
                return nil
            }
            return self.mapping(entry)
        }
    }

    private func mapping(_ entry: Entry) -> SubjectMapping? {
        let source = entry.key
        if let subject = entry.node.string {
            let destination = SubjectMapping.Destination(subject: subject, weight: 100)
            if let failure = Self.failure(source, [destination]) {
                self.error(
                    "Error adding mapping for \(GoFormat.quoted(source)) to \(GoFormat.quoted(subject)) : \(failure)",
                    at: entry.node
                )
                return nil
            }
            return SubjectMapping(source: source, destinations: [destination])
        }
        let destinations: [SubjectMapping.Destination]
        if let elements = entry.node.array {
            destinations = elements.compactMap { self.destination($0) }
        } else {
            guard let destination = self.destination(entry.node) else { return nil }
            destinations = [destination]
        }
        if let failure = Self.failure(source, destinations) {
            self.error("Error adding mapping for \(GoFormat.quoted(source)) : \(failure)", at: entry.node)
            return nil
        }
        return SubjectMapping(source: source, destinations: destinations)
    }

    private func destination(_ node: ConfigurationNode) -> SubjectMapping.Destination? {
        guard let entries = node.entries else {
            self.error("Expected an entry for the mapping destination", at: node)
            return nil
        }
        var destination = SubjectMapping.Destination(subject: "", weight: 0)
        var hasWeight = false
        let isReadable = self.succeeds {
            for entry in entries {
                switch entry.name {
                case "dest", "destination":
                    destination.subject = self.string(entry.node) ?? ""
                case "weight":
                    hasWeight = true
                    destination.weight = self.weight(entry.node)
                case "cluster":
                    destination.cluster = self.string(entry.node).flatMap { $0.isEmpty ? nil : $0 }
                default:
                    self.error(
                        "Unknown field \(entry.quotedKey) for mapping destination",
                        at: entry.node
                    )
                }
            }
        }
        guard isReadable else { return nil }
        guard hasWeight else {
            self.error("Missing weight for mapping destination \(GoFormat.quoted(destination.subject))", at: node)
            return nil
        }
        return destination
    }

    private func weight(_ node: ConfigurationNode) -> Int {
        let weight: Int
        switch node.value {
        case .integer(let number):
            weight = Int(clamping: number)
        case .string(let bytes):
            let text = ConfigurationNode.text(bytes)
            let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
            guard let number = Int(digits) else {
                self.error("Invalid weight \(GoFormat.quoted(digits)) for mapping destination", at: node)
                return 0
            }
            weight = number
        default:
            self.error("Unknown entry type for weight of \(GoFormat.value(node))\n", at: node)
            return 0
        }
        guard (0...100).contains(weight) else {
            self.error("Invalid weight \(weight) for mapping destination", at: node)
            return 0
        }
        return weight
    }

    /// What is wrong with the destinations of a mapping (nats-server accounts.go AddWeightedMappings).
    private static func failure(_ source: String, _ destinations: [SubjectMapping.Destination]) -> String? {
        var seen: Set<String> = []
        var totals: [String: Int] = [:]
        for destination in destinations {
            guard seen.insert(destination.subject).inserted else {
                return "duplicate entry for \(GoFormat.quoted(destination.subject))"
            }
            totals[destination.cluster ?? "", default: 0] += destination.weight
            guard totals[destination.cluster ?? "", default: 0] <= 100 else {
                return "total weight needs to be <= 100"
            }
            if let failure = TransformRules.mappingFailure(source, destination.subject) { return failure }
        }
        // What is left of 100 % keeps its subject.
        totals[""] = totals[""] ?? 0
        if !seen.contains(source), totals.values.contains(where: { $0 != 100 }) {
            return TransformRules.failure(source, TransformRules.tokenized(source))
        }
        return nil
    }
}
