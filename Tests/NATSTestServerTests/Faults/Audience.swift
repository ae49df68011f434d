import NATSTestServer
import NATSTestSupport

/// Subscribers and publishers at every node of a cluster, who tell whether each message arrives as often as it should.
struct Audience {
    /// A subscriber, or a member of a queue group.
    private struct Listener {
        let name: String
        let node: Int
        /// Empty for none.
        let group: String
        let connection: RawConnection

        /// Messages so far, `<publisher> <number>` of those whose subject begins with a word, in order.
        func received(_ word: String) -> [String] {
            let text = String(decoding: self.connection.unread, as: UTF8.self)
            return text.split(separator: "\r\n").compactMap { line in
                // MSG <word>.<publisher>.<number> <sid> <size>
                let fields = line.split(separator: " ")
                guard fields.first == "MSG", fields.count == 4 else { return nil }
                let tokens = fields[1].split(separator: ".")
                guard tokens.count == 3, tokens[0] == word else { return nil }
                return "\(tokens[1]) \(tokens[2])"
            }
        }
    }

    /// Something arrived too seldom, too often, or in the wrong order.
    struct Complaint: Error, CustomStringConvertible {
        let description: String
    }

    private static let count = 30

    private let listeners: [Listener]
    private let publishers: [RawConnection]

    /// Everybody connects and subscribes.
    ///
    /// - Parameters:
    ///   - nodes: All of them run.
    ///   - random: Says where members of queue groups are.
    /// - Throws: If somebody cannot connect.
    init(_ nodes: [NATSTestCluster.Node], _ random: inout SeededGenerator) async throws {
        var listeners: [Listener] = []
        for (place, node) in nodes.enumerated() {
            listeners.append(try await Self.listener("everything at \(place)", place, node))
        }
        for place in nodes.indices where random.chance(50) {
            listeners.append(try await Self.listener("again at \(place)", place, nodes[place]))
        }
        for group in ["crew", "solo"] {
            for number in 0..<(group == "solo" ? 1 : Int.random(in: 2...6, using: &random)) {
                let place = Int.random(in: nodes.indices, using: &random)
                listeners.append(try await Self.listener("\(group) \(number) at \(place)", place, nodes[place], group))
            }
        }
        self.listeners = listeners
        var publishers: [RawConnection] = []
        for node in nodes { publishers.append(try await Self.connect(node)) }
        self.publishers = publishers
    }

    static func connect(_ node: NATSTestCluster.Node) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: node.port, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        return connection
    }

    private static func listener(
        _ name: String,
        _ place: Int,
        _ node: NATSTestCluster.Node,
        _ group: String = ""
    ) async throws -> Listener {
        let connection = try await self.connect(node)
        // What is said of the first one is said of the second one before.
        let subject = group.isEmpty ? "all.>" : "\(group).> \(group)"
        await connection.send("SUB \(subject) 1\r\nSUB ready.\(node.name).> 2\r\nPING\r\n")
        try await connection.expect("PONG\r\n")
        return Listener(name: name, node: place, group: group, connection: connection)
    }

    /// Waits until every server knows of every subscription.
    func waitUntilKnown(_ nodes: [NATSTestCluster.Node]) async throws {
        for (place, publisher) in self.publishers.enumerated() {
            for (other, node) in nodes.enumerated() {
                // Each node's interest in it comes after that in everything else that is subscribed to there.
                let subject = "ready.\(node.name).\(place)"
                try await eventually("interest of \(node.name) at \(nodes[place].name)") {
                    await publisher.send("PUB \(subject) 0\r\n\r\nPING\r\n")
                    try await publisher.expect("PONG\r\n")
                    return self.listeners.allSatisfy { listener in
                        listener.node != other
                            || String(decoding: listener.connection.unread, as: UTF8.self).contains(subject)
                    }
                }
            }
            for word in ["all", "crew", "solo"] {
                try await eventually("interest in \(word) at \(nodes[place].name)") {
                    await publisher.send("PUB \(word).\(place).first 0\r\n\r\nPING\r\n")
                    try await publisher.expect("PONG\r\n")
                    let listeners = self.listeners.filter { word == ($0.group.isEmpty ? "all" : $0.group) }
                    let have = listeners.filter { $0.received(word).contains("\(place) first") }
                    return word == "all" ? have.count == listeners.count : !have.isEmpty
                }
            }
        }
    }

    /// Publishes at every node, and looks at what has arrived where.
    ///
    /// - Throws: ``Complaint`` if it is not what it should be.
    func checkDelivery() async throws {
        for (place, publisher) in self.publishers.enumerated() {
            for number in 0..<Self.count {
                let frames = ["all", "crew", "solo"].map { "PUB \($0).\(place).\(number) 0\r\n\r\n" }
                await publisher.send(frames.joined())
            }
            // Behind all of these.
            await publisher.send("PUB all.\(place).last 0\r\n\r\n")
        }
        for listener in self.listeners where listener.group.isEmpty {
            for place in self.publishers.indices {
                try await eventually("the last message of \(place) for \(listener.name)") {
                    listener.received("all").contains("\(place) last")
                }
            }
        }
        for group in ["crew", "solo"] {
            let members = self.listeners.filter { $0.group == group }
            let expected = self.publishers.count * Self.count
            try await eventually("all messages for \(group)") {
                members.map { Self.numbered($0.received(group)).count }.reduce(0, +) >= expected
            }
        }
        for listener in self.listeners { try await listener.connection.flushKeepingInput() }
        for listener in self.listeners where listener.group.isEmpty { try self.checkOrder(listener) }
        for group in ["crew", "solo"] { try self.checkGroup(group) }
    }

    private static func numbered(_ messages: [String]) -> [String] {
        messages.filter { !$0.hasSuffix("first") && !$0.hasSuffix("last") }
    }

    private func checkOrder(_ listener: Listener) throws {
        let received = Self.numbered(listener.received("all"))
        for place in self.publishers.indices {
            let numbers = received.filter { $0.hasPrefix("\(place) ") }.compactMap { $0.split(separator: " ").last }
            guard numbers.map(String.init) == (0..<Self.count).map(String.init) else {
                throw Complaint(description: "\(listener.name) got of \(place): \(numbers.joined(separator: " "))")
            }
        }
    }

    private func checkGroup(_ group: String) throws {
        let members = self.listeners.filter { $0.group == group }
        var counts: [String: Int] = [:]
        for member in members {
            for message in Self.numbered(member.received(group)) { counts[message, default: 0] += 1 }
        }
        for place in self.publishers.indices {
            let wrong = (0..<Self.count).filter { counts["\(place) \($0)"] != 1 }
            guard wrong.isEmpty else {
                let text = wrong.map { "\($0): \(counts["\(place) \($0)"] ?? 0)" }.joined(separator: ", ")
                throw Complaint(description: "\(group) got of \(place) not once: \(text)")
            }
        }
    }

    /// Waits until every server knows that there is nobody for a subject.
    func waitUntilNobody(_ subject: String) async throws {
        for publisher in self.publishers {
            await publisher.send("SUB answers 9\r\n")
            try await eventually("nobody for \(subject)") {
                await publisher.send("PUB \(subject) answers 0\r\n\r\nPING\r\n")
                let text = try await publisher.read(until: "PONG\r\n")
                return String(decoding: text, as: UTF8.self).contains("NATS/1.0 503")
            }
        }
    }

    func close() {
        for listener in self.listeners { listener.connection.close() }
        for publisher in self.publishers { publisher.close() }
    }
}
