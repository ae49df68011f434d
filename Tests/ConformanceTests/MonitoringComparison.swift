import NATSWire

/// Compares two answers of a monitoring page, field by field.
struct MonitoringComparison {
    private var problems: [String] = []
    private var isPage = false

    /// What differs and may not.
    static func problems(_ theirs: JSONValue, _ ours: JSONValue, target: String) -> [String] {
        var comparison = Self()
        comparison.isPage = target.hasPrefix("/subsz") && target.contains("offset=1")
        comparison.checkOrder(theirs, target)
        comparison.checkOrder(ours, target)
        comparison.compare(theirs, ours, name: "", path: "", isClosed: false)
        return comparison.problems
    }

    // MARK: Order

    /// Lists whose order is checked apart, or that have none.
    private static let unordered: Set<String> = [
        "subscriptions_list", "subscriptions_list_detail", "accounts", "connections",
    ]

    /// The fields behind the sort keys whose values sort as they stand, and whether the largest comes first.
    private static let sortFields: [String: (field: String, isDescending: Bool)] = [
        "cid": ("cid", false), "start": ("cid", false), "uptime": ("cid", true), "subs": ("subscriptions", true),
        "pending": ("pending_bytes", true), "msgs_to": ("out_msgs", true), "msgs_from": ("in_msgs", true),
        "bytes_to": ("out_bytes", true), "bytes_from": ("in_bytes", true), "reason": ("reason", false),
        "last": ("last_activity", true), "stop": ("stop", true),
    ]

    private mutating func checkOrder(_ document: JSONValue, _ target: String) {
        guard target.hasPrefix("/connz") else { return }
        let key = target.split(separator: "?").last?.split(separator: "&").first { $0.hasPrefix("sort=") }
        let sort = String(key?.dropFirst(5) ?? "cid")
        // Where some have ended, how long they were there is not the same as when they came.
        if sort == "uptime", target.contains("state=") { return }
        guard let (field, isDescending) = Self.sortFields[sort] else { return }
        let values = document["connections"].elements.map { $0[field].text }
        for (first, second) in zip(values, values.dropFirst()) {
            let isRising = Self.precedes(first, second)
            let isFalling = Self.precedes(second, first)
            if isDescending ? isRising : isFalling { self.problems.append("\(field) in the order \(values)") }
        }
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        if let left = Int(left), let right = Int(right) { return left < right }
        // Times have as many decimals as they need.
        return self.padded(left) < self.padded(right)
    }

    private static func padded(_ time: String) -> String {
        guard time.hasSuffix("Z") else { return time }
        let parts = time.dropLast().split(separator: ".")
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        return parts[0] + "." + fraction + String(repeating: "0", count: max(0, 9 - fraction.count))
    }

    // MARK: Fields

    private mutating func compare(
        _ theirs: JSONValue,
        _ ours: JSONValue,
        name: String,
        path: String,
        isClosed: Bool
    ) {
        guard theirs.type == ours.type else {
            self.problems.append("\(path) is \(theirs.type) there and \(ours.type) here")
            return
        }
        switch theirs {
        case .object where name == "http_req_stats":
            // Another number of requests on each side.
            break
        case .object:
            // Both sides are official ones where only another server of the cluster is ours.
            let (keys, own) = (Self.comparable(theirs.keys), Self.comparable(ours.keys))
            if keys != own { self.problems.append("\(path) has \(keys) there and \(own) here") }
            let isClosed = keys.contains("stop")
            for key in keys where own.contains(key) {
                self.compare(theirs[key], ours[key], name: key, path: "\(path).\(key)", isClosed: isClosed)
            }
        case .array:
            var (left, right) = (theirs.elements, ours.elements)
            if Self.unordered.contains(name) {
                left.sort { Self.sortText($0) < Self.sortText($1) }
                right.sort { Self.sortText($0) < Self.sortText($1) }
            }
            if left.count != right.count {
                self.problems.append("\(path) has \(left.count) elements there and \(right.count) here")
            }
            // Any of the subscriptions may be on a page of some of them.
            if self.isPage, name == "subscriptions_list" { return }
            for (index, pair) in zip(left, right).enumerated() {
                self.compare(pair.0, pair.1, name: "", path: "\(path)[\(index)]", isClosed: isClosed)
            }
        case .string, .number, .bool, .null:
            guard theirs.text != ours.text else { return }
            let isFree =
                MonitoringDifferences.values[name] != nil
                || isClosed && MonitoringDifferences.closedValues[name] != nil
            if !isFree { self.problems.append("\(path) is \(theirs.text) there and \(ours.text) here") }
        }
    }

    /// Brings rows into an order that is the same for both servers.
    private static func comparable(_ keys: [String]) -> [String] {
        keys.filter { MonitoringDifferences.onlyOfficial[$0] == nil }
    }

    private static func sortText(_ value: JSONValue) -> String {
        guard case .object = value else { return value.text }
        return ["name", "reason", "subject", "qgroup", "sid", "msgs"].map { value[$0].text }.joined(separator: " ")
    }
}
