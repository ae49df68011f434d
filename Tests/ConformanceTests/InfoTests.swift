import NATSTestSupport
import Testing

@Suite("INFO")
struct InfoTests {
    /// Keys of the official server that mean nothing for ours: the commit it was built from and the key for auth callout.
    private static let official: Set<String> = ["git_commit", "xkey"]

    private static func keys(_ info: JSONText) -> [String] {
        info.keys.filter { !Self.official.contains($0) }
    }

    @Test("the first INFO has the promised keys in the promised order", arguments: ServerUnderTest.available)
    func first(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let info = try JSONText(try await server.rawConnection().readInfo())
            #expect(
                Self.keys(info) == [
                    "server_id", "server_name", "version", "proto", "go", "host", "port", "headers", "max_payload",
                    "client_id", "client_ip", "api_lvl",
                ]
            )
            let serverID = try #require(info.string("server_id"))
            #expect(serverID.count == 56)
            #expect(serverID.hasPrefix("N"))
            #expect(serverID.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains($0) })
            #expect(info.string("server_name") == serverID)
            #expect(info.string("version") == "2.15.1")
            #expect(info.number("proto") == 1)
            #expect(info.string("host") == "127.0.0.1")
            #expect(info.number("port") == server.port)
            #expect(info.bool("headers"))
            #expect(info.number("max_payload") == 1_048_576)
            #expect(info.number("client_id") == 5)
            #expect(info.string("client_ip") == "127.0.0.1")
            #expect(info.number("api_lvl") == 5)
        }
    }

    @Test("every connection has the next client_id", arguments: ServerUnderTest.available)
    func clientID(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            for expected in 5...9 {
                let info = try JSONText(try await server.rawConnection().readInfo())
                #expect(info.number("client_id") == expected)
            }
        }
    }

    @Test("the configuration shows in INFO", arguments: ServerUnderTest.available)
    func configured(server: ServerUnderTest) async throws {
        let configuration = ServerConfiguration(serverName: "S1", token: "tok", maxPayload: 2000, headers: false)
        try await server.withServer(configuration) { server in
            let info = try JSONText(try await server.rawConnection().readInfo())
            #expect(
                Self.keys(info) == [
                    "server_id", "server_name", "version", "proto", "go", "host", "port", "headers", "auth_required",
                    "max_payload", "client_id", "client_ip", "api_lvl",
                ]
            )
            #expect(info.string("server_name") == "S1")
            #expect(!info.bool("headers"))
            #expect(info.bool("auth_required"))
            #expect(info.number("max_payload") == 2000)
        }
    }

    @Test("row 15: INFO follows the first PONG, once, for clients of protocol 1", arguments: ServerUnderTest.available)
    func afterFirstPong(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let peer = try server.rawConnection()
            let first = try JSONText(try await peer.readInfo())
            await peer.send("CONNECT {\"protocol\":1,\"verbose\":false}\r\nPING\r\n")
            try await peer.expect("PONG\r\n")
            let second = try JSONText(try await peer.readInfo())
            #expect(
                Self.keys(second) == [
                    "server_id", "server_name", "version", "proto", "go", "host", "port", "headers", "max_payload",
                    "client_id", "client_ip", "connect_info", "remote_account", "api_lvl",
                ]
            )
            #expect(second.bool("connect_info"))
            #expect(second.string("remote_account") == "$G")
            for key in ["server_id", "server_name", "version", "host", "client_ip"] {
                #expect(second.string(key) == first.string(key), "\(key)")
            }
            #expect(second.number("client_id") == first.number("client_id"))
            await peer.send("PING\r\nPING\r\n")
            try await peer.expect("PONG\r\nPONG\r\n")
            // Another CONNECT makes no difference.
            await peer.send("CONNECT {\"protocol\":1,\"verbose\":false}\r\nPING\r\n")
            try await peer.expect("PONG\r\n")
            try await peer.expectNothing()
        }
    }

    @Test(
        "INFO comes after CONNECT with protocol 1 even when a PING was answered before it",
        arguments: ServerUnderTest.available
    )
    func afterLateConnect(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let peer = try await server.connect()
            await peer.send("PING\r\n")
            try await peer.expect("PONG\r\n")
            await peer.send("CONNECT {\"protocol\":1,\"verbose\":false}\r\nPING\r\n")
            try await peer.expect("PONG\r\n")
            #expect(try JSONText(try await peer.readInfo()).bool("connect_info"))
            try await peer.expectNothing()
        }
    }

    @Test("clients of protocol 0 get no INFO after PONG", arguments: ServerUnderTest.available)
    func protocolZero(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let peer = try await server.connect()
            await peer.send(quiet + "PING\r\nPING\r\n")
            try await peer.expect("PONG\r\nPONG\r\n")
            try await peer.expectNothing()
        }
    }

    @Test(
        "the old official server sends no INFO after PONG and no subject with 503",
        .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.old), "official nats-server 2.9.10"))
    )
    func oldServer() async throws {
        let server = try await OfficialServer.start(version: .old)
        let peer = try RawConnection.connect(port: server.port)
        #expect(try JSONText(try await peer.readInfo()).string("version") == "2.9.10")
        await peer.send(
            "CONNECT {\"protocol\":1,\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nPING\r\n"
                + "SUB in 9\r\nPUB none in 0\r\n\r\n"
        )
        try await peer.expect("PONG\r\nHMSG in 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")
        try await peer.expectNothing()
        await server.stop()
    }
}
