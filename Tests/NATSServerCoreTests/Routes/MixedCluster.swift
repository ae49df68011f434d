import NATSTestSupport
import Testing

/// A cluster of two or three servers, some of them official, and how they are configured.
struct MixedCluster: Sendable, CustomStringConvertible {
    enum Member: String, Sendable, CaseIterable {
        case ours
        /// 2.15.1
        case official
        /// 2.9.10
        case old
    }

    /// The servers in the order in which they start; the first one is dialled by the second one.
    var members: [Member]
    /// Whether a third one dials the second one, and not the first one.
    var isChain = false
    var hasAccounts = false
    var hasTLS = false
    var hasCredentials = false
    /// Whether ours have more loops than they take by themselves.
    var hasManyLoops = false

    var description: String {
        let options = [
            ("chain", self.isChain), ("accounts", self.hasAccounts), ("TLS", self.hasTLS),
            ("credentials", self.hasCredentials), ("many loops", self.hasManyLoops),
        ]
        let names = self.members.map(\.rawValue).joined(separator: " ← ")
        return ([names] + options.filter(\.1).map(\.0)).joined(separator: ", ")
    }

    /// The same without ours.
    var official: Self {
        var cluster = self
        cluster.members = self.members.map { $0 == .ours ? .official : $0 }
        return cluster
    }

    /// All of two or three that have one of ours among them, or some of these by a seed.
    static func all(of count: Int, only few: Int?) -> [Self] {
        let kinds = Member.allCases.filter { kind in
            switch kind {
            case .ours: true
            case .official: TestDependencies.canRun(TestDependencies.officialServer(.current), "nats-server 2.15.1")
            case .old: TestDependencies.canRun(TestDependencies.officialServer(.old), "nats-server 2.9.10")
            }
        }
        var orders: [[Member]] = [[]]
        for _ in 0..<count { orders = orders.flatMap { order in kinds.map { order + [$0] } } }
        orders.removeAll { !$0.contains(.ours) }
        var number: UInt64 = 0
        var clusters = orders.flatMap { order in
            (0..<8).map { options in
                number += 1
                var random = SeededGenerator(seed: number)
                return Self(
                    members: order,
                    isChain: count > 2 && random.chance(50),
                    hasAccounts: options & 1 != 0,
                    hasTLS: options & 2 != 0,
                    hasCredentials: options & 4 != 0,
                    hasManyLoops: random.chance(50)
                )
            }
        }
        guard let few else { return clusters }
        var random = SeededGenerator(seed: UInt64(TestDependencies.number("NATS_CLUSTER_SEED") ?? 1))
        clusters.shuffle(using: &random)
        return Array(clusters.prefix(few))
    }

    // MARK: Configuration

    private func text(_ place: Int, dials port: Int?, _ tls: String) -> String {
        let name = ["A", "B", "C"][place]
        let login = self.hasCredentials ? "joe:secret@" : ""
        let routes = port.map { "\"nats://\(login)127.0.0.1:\($0)\"" } ?? ""
        let credentials =
            self.hasCredentials ? "authorization { user: joe, password: secret, timeout: 60 }" : ""
        let accounts = ["one", "two"].map { "\($0.uppercased()) { users: [{user: \($0), password: \($0)}] }" }
        return """
            server_name: \(name)
            cluster {
              name: C1
              listen: "127.0.0.1:-1"
              routes: [\(routes)]
              \(credentials)
              \(tls)
            }
            \(self.hasAccounts ? "authorization { timeout: 60 }\naccounts { \(accounts.joined(separator: ", ")) }" : "")

            """
    }

    /// Starts all of them one after the other, runs the body, stops them.
    func run(_ body: ([ConfiguredServer]) async throws -> Void) async throws {
        var tls = ""
        let directory = try TemporaryDirectory()
        if self.hasTLS {
            let authority = try TestAuthority()
            let paths = try authority.peer().write(to: directory, as: "peer")
            let authorities = try directory.write(authority.text, to: "ca.pem")
            tls = """
                tls {
                  cert_file: "\(paths.certificate)", key_file: "\(paths.key)", ca_file: "\(authorities)", timeout: 30
                }
                """
        }
        try await self.start([], tls, body)
    }

    private func start(
        _ running: [ConfiguredServer],
        _ tls: String,
        _ body: ([ConfiguredServer]) async throws -> Void
    ) async throws {
        guard running.count < self.members.count else { return try await body(running) }
        let dialled = self.isChain ? running.last : running.first
        let text = self.text(running.count, dials: dialled?.clusterPort, tls)
        let member = self.members[running.count]
        let kind: ServerUnderTest = member == .ours ? (self.hasManyLoops ? .oursOnManyLoops : .ours) : .official
        try await ConfiguredServer.with(kind, text, version: member == .old ? .old : .current) { server in
            try await self.start(running + [server], tls, body)
        }
    }
}
