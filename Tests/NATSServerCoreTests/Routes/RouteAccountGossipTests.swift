import NATSTestSupport
import Testing

/// Gossip about connections for accounts; the peers are the test.
@Suite("gossip about accounts")
struct RouteAccountGossipTests {
    private static func info(_ id: String, _ more: String = "") -> String {
        """
        INFO {"server_id":"\(id)","server_name":"\(id)","headers":true,"cluster":"C1","host":"127.0.0.1","port":1,\
        "max_payload":1048576,"route_pool_size":1\(more)}\r\n
        """
    }

    @Test("a connection over which it is told that another server has one for an account carries all accounts still")
    func carriesAll() async throws {
        let peer = try ScriptedServer()
        let text = """
            server_name: A
            cluster { name: C1, listen: "127.0.0.1:-1", pool_size: 1, routes: ["nats://127.0.0.1:\(peer.port)"] }

            """
        try await ConfiguredServer.with(.ours, text) { server in
            let main = try await peer.accept()
            await main.send(Self.info("NMAIN"))
            _ = try await main.read(until: "PING\r\n")
            // Another one says that its connection is for the system account. That of the first peer is not there yet.
            let other = try RawConnection.connect(port: server.clusterPort, answersPings: true)
            try await other.readInfo()
            await other.send(
                #"CONNECT {"name":"NOTHER","cluster":"C1","headers":true}"# + "\r\n"
                    + Self.info("NOTHER", #","route_account":"$SYS""#)
            )
            _ = try await main.read(until: #""route_account":"$SYS""#)
            let client = try await server.connect("")
            try await client.flush("SUB foo 1\r\nSUB bar q 2\r\n")
            _ = try await main.read(until: "RS+ $G foo\r\n")
            await main.send("RMSG $G bar | q 2\r\nhi\r\nRMSG $G foo 2\r\nho\r\n")
            try await client.expect("MSG bar 2 2\r\nhi\r\nMSG foo 1 2\r\nho\r\n")
        }
    }
}
