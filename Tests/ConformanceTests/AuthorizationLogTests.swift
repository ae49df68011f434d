import Foundation
import Logging
import NATSAuth
import NATSTestServer
import NATSTestSupport
import Testing

/// What the log says about credentials and permissions: ours the same as the official server's, and no secrets.
@Suite("log of authentication and permissions", .enabled(if: ServerUnderTest.available.contains(.official)))
struct AuthorizationLogTests {
    private struct Handler: LogHandler {
        let lines: Watched<[String]>
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.debug

        init(_ lines: Watched<[String]>) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            self.lines.update { $0.append(event.message.description) }
        }
    }

    /// The lines about clients and their permissions, without addresses.
    private static func relevant(_ lines: [String]) -> [String] {
        lines.compactMap { line in
            if let range = line.range(of: "Removed sub") ?? line.range(of: "Plaintext passwords") {
                return String(line[range.lowerBound...])
            }
            guard let range = line.range(of: "cid:"), !line.contains("Ping Timer") else { return nil }
            return String(line[range.lowerBound...])
        }
    }

    private static let key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    private static let permissions = NATSTestServer.Permissions(
        publish: .init(allow: ["ok"]),
        subscribe: .init(deny: ["no", "group q*", "group q"])
    )

    private static let before = ServerConfiguration(
        users: [
            .init(name: "a", password: "hunter2", permissions: Self.permissions), .init(nkey: Self.key),
            .init(name: "b", password: "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
        ],
        authTimeout: .seconds(60),
        maxSubscriptions: 3,
        maxSubscriptionTokens: 3
    )

    private static let after = {
        var configuration = Self.before
        var permissions = Self.permissions
        permissions.subscribe?.deny += ["later", "queue"]
        configuration.users?[0].permissions = permissions
        return configuration
    }()

    private func play(on server: RunningServer, lines: @Sendable () -> [String]) async throws -> [String] {
        func closed() -> Int { lines().count { $0.contains("Client connection closed") } }
        func refused(_ members: String) async throws {
            let before = closed()
            let peer = try await server.connect()
            await peer.send("CONNECT {\"verbose\":false,\(members)}\r\nPUB ok 7\r\npayload\r\n")
            try await peer.expect(authorizationViolation)
            try await peer.expectEnd()
            try await eventually("a line about the close") { closed() > before }
        }
        try await refused(#""user":"a","pass":"geheim1""#)
        try await refused(#""user":"b","pass":"geheim2""#)
        try await refused(#""user":"nobody\n","pass":"geheim3""#)
        try await refused(#""auth_token":"geheim4""#)
        try await refused(#""name":"x""#)
        try await refused("\"nkey\":\"\(Self.key)\"")
        try await refused("\"nkey\":\"\(Self.key)\",\"sig\":\"?\"")
        try await refused("\"nkey\":\"\(Self.key)\",\"sig\":\"geheim5\"")
        try await refused("\"nkey\":\"UNKNOWN\",\"sig\":\"geheim6\"")
        let peer = try await server.connect()
        await peer.send(
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"user\":\"a\",\"pass\":\"hunter2\",\"lang\":\"swift\"}\r\n"
        )
        await peer.send(
            "PUB not\"ok 7\r\npayload\r\nPUB ok _R_.x 7\r\npayload\r\nSUB no 1\r\nSUB group q 2\r\nSUB x _sys_ 3\r\n"
        )
        await peer.send(
            "SUB a.b.c.d 4\r\nSUB later 5\r\nSUB queue q 6\r\nSUB ok 7\r\nSUB many 8\r\nSUB more 9\r\nUNSUB 7\r\nPING\r\n"
        )
        _ = try await peer.read(until: "PONG\r\n")
        try await server.reload(Self.after)
        _ = try await peer.readLine()
        _ = try await peer.readLine()
        try await peer.expectNothing()
        let before = closed()
        peer.close()
        try await eventually("a line about the end") { closed() > before }
        return Self.relevant(lines())
    }

    @Test("the same lines as the official server's")
    func comparison() async throws {
        let official = try await OfficialServer.start(Self.before, arguments: ["-D"])
        let expected = try await self.play(on: .official(official)) {
            official.log.split(separator: "\n").map(String.init)
        }
        await official.stop()
        let collected = Watched<[String]>([])
        var options = Self.before.options
        options.logger = Logger(label: "test") { _ in Handler(collected) }
        let ours = try await NATSTestServer.start(options)
        let lines = try await self.play(on: .ours(ours)) { collected.value }
        await ours.stop()
        // Subscriptions that a reload ends come in any order.
        func ordered(_ lines: [String]) -> [String] {
            let removed = lines.filter { $0.hasPrefix("Removed sub") }.sorted()
            return lines.filter { !$0.hasPrefix("Removed sub") } + removed
        }
        let difference = ordered(lines).difference(from: ordered(expected))
        #expect(difference.isEmpty, "\(difference)")
        #expect(lines.count { $0.hasPrefix("Removed sub") } == 2)
        #expect(!collected.value.contains { $0.contains("geheim") || $0.contains("hunter2") || $0.contains("payload") })
    }
}
