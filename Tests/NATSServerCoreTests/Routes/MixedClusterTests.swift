import NATSTestSupport
import Testing

/// Servers of several makes in one cluster: everything gets from each to each other one, and nobody complains.
@Suite("mixed clusters", .timeLimit(.minutes(40)))
struct MixedClusterTests {
    private static func clusters(of count: Int, few: Int) -> [MixedCluster] {
        MixedCluster.all(of: count, only: TestDependencies.runsLongTests ? nil : few)
    }

    @Test(
        "plain, queue and header messages and requests get from everybody to everybody",
        arguments: Self.clusters(of: 2, few: 4) + Self.clusters(of: 3, few: 6)
    )
    func exchange(cluster: MixedCluster) async throws {
        var errors: Set<String> = []
        var logs = ""
        try await cluster.run { servers in
            do {
                try await Self.exchange(cluster, servers)
            } catch {
                Issue.record("\(servers.map(\.log).joined(separator: "\n\n"))")
                throw error
            }
            errors = Self.errors(servers)
            logs = servers.map(\.log).joined(separator: "\n\n")
        }
        guard !errors.isEmpty else { return }
        // What official servers have to say of each other is theirs.
        var usual: Set<String> = []
        try await cluster.official.run { servers in
            try await Self.exchange(cluster, servers)
            usual = Self.errors(servers)
        }
        #expect(errors.isSubset(of: usual), "\(errors.subtracting(usual)) \(logs)")
    }

    /// What is said in error lines, without who says it of whom.
    private static func errors(_ servers: [ConfiguredServer]) -> Set<String> {
        var errors: Set<String> = []
        for server in servers {
            for line in server.log.split(separator: "\n").map(String.init) where line.contains("[ERR] ") {
                let text = line.firstRange(of: "[ERR] ").map { String(line[$0.upperBound...]) } ?? line
                let rest = text.firstRange(of: " - rid:").map { String(text[$0.upperBound...]) } ?? " - " + text
                errors.insert(rest.firstRange(of: " - ").map { String(rest[$0.upperBound...]) } ?? rest)
            }
        }
        return errors
    }

    private static func exchange(_ cluster: MixedCluster, _ servers: [ConfiguredServer]) async throws {
        for user in cluster.hasAccounts ? ["one", "two"] : [""] {
            for (place, here) in servers.enumerated() {
                for (other, there) in servers.enumerated() where other != place {
                    try await Self.exchange(from: there, to: here, user, "\(user)\(other)\(place)")
                }
            }
        }
        guard cluster.hasAccounts else { return }
        // What one account has, another one does not.
        let subscriber = try await servers[0].connect("one")
        try await subscriber.flush("SUB apart 1\r\n")
        let (same, different) = (try await servers[1].connect("one"), try await servers[1].connect("two"))
        try await different.flush("PUB apart 5\r\nalien\r\n")
        try await eventually("interest") {
            try await same.flush("PUB apart 0\r\n\r\n")
            return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
        }
        try await different.flush("PUB apart 5\r\nalien\r\n")
        try await same.flush("PUB apart 4\r\nlast\r\n")
        let text = String(decoding: try await subscriber.read(until: "last\r\n"), as: UTF8.self)
        #expect(!text.contains("alien"))
    }

    /// One message of each kind.
    private static func exchange(
        from there: ConfiguredServer,
        to here: ConfiguredServer,
        _ user: String,
        _ name: String
    ) async throws {
        let features = ",\"headers\":true,\"no_responders\":true"
        let publisher = try await there.connect(user, features)
        let subscriber = try await here.connect(user, features)
        let members = [try await here.connect(user, features), try await here.connect(user, features)]
        for member in members { try await member.flush("SUB work.\(name).* crew 5\r\n") }
        try await subscriber.flush("SUB plain.\(name).* 7\r\nSUB ask.\(name) 8\r\n")
        try await publisher.flush("SUB in.\(name).* 9\r\n")
        // The last thing that was subscribed to is the last one that is known; the answers of others come before.
        let ready = "HPUB ask.\(name) in.\(name).ready 12 12\r\nNATS/1.0\r\n\r\n\r\n"
        try await eventually("interest in \(name)") {
            await publisher.send(ready + "PING\r\n")
            _ = try await publisher.read(until: "PONG\r\n")
            return await subscriber.wait(timeout: .milliseconds(20)) { !$0.bytes.isEmpty }
        }
        for subject in ["plain.\(name).ready", "work.\(name).ready"] {
            try await eventually("interest in \(subject)") {
                try await publisher.flush("PUB \(subject) 0\r\n\r\n")
                let all = subject.hasPrefix("work") ? members : [subscriber]
                return all.contains { String(decoding: $0.unread, as: UTF8.self).contains(subject) }
            }
        }
        try await publisher.flush("PUB plain.\(name).last 0\r\n\r\n")
        _ = try await subscriber.read(until: "plain.\(name).last 7 0\r\n\r\n")

        await publisher.send("PUB plain.\(name).a 2\r\nhi\r\nHPUB plain.\(name).b r 12 14\r\nNATS/1.0\r\n\r\nho\r\n")
        try await subscriber.expect(
            "MSG plain.\(name).a 7 2\r\nhi\r\nHMSG plain.\(name).b 7 r 12 14\r\nNATS/1.0\r\n\r\nho\r\n"
        )

        for number in 0..<20 { await publisher.send("PUB work.\(name).\(number) 2\r\nhi\r\n") }
        func works() -> [String] {
            members.flatMap { member in
                String(decoding: member.unread, as: UTF8.self).split(separator: "\r\n").filter { $0.hasSuffix(" 5 2") }
            }.map(String.init)
        }
        try await eventually("all work") { works().count >= 20 }
        #expect(works().count == 20 && Set(works()).count == 20)

        await publisher.send("PUB ask.\(name) in.\(name).1 1\r\n?\r\n")
        try await subscriber.expect("MSG ask.\(name) 8 in.\(name).1 1\r\n?\r\n")
        await subscriber.send("HPUB in.\(name).1 12 13\r\nNATS/1.0\r\n\r\n!\r\n")
        _ = try await publisher.read(until: "HMSG in.\(name).1 9 12 13\r\nNATS/1.0\r\n\r\n!\r\n")
        for connection in members + [publisher, subscriber] { connection.close() }
    }
}
