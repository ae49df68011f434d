import NATSTestSupport
import Testing

/// Messages for a queue group that has just left the server which they were sent to; the peers are the test.
@Suite("messages of other servers for queue groups")
struct RoutedQueueTests {
    private static let cluster = "server_name: A\ncluster { name: C1, listen: \"127.0.0.1:-1\", pool_size: -1 }\n"

    /// A server that is a few lines: it dials, and wants something.
    static func join(_ server: ConfiguredServer, _ id: String, _ interest: String) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.clusterPort, answersPings: true)
        try await connection.readInfo()
        await connection.send(
            """
            CONNECT {"name":"\(id)","cluster":"C1","headers":true}\r
            INFO {"server_id":"\(id)","server_name":"\(id)","headers":true,"cluster":"C1","host":"127.0.0.1","port":1}\r
            \(interest)PING\r

            """
        )
        _ = try await connection.read(until: "PONG\r\n")
        return connection
    }

    /// Says something until somebody has heard of it, and passes over what follows.
    private static func settle(_ sender: RawConnection, _ message: String, _ receiver: RawConnection) async throws {
        try await eventually("what is forwarded") {
            await sender.send(message)
            return await receiver.wait(timeout: .milliseconds(20)) {
                String(decoding: $0.bytes, as: UTF8.self).contains(message)
            }
        }
        await sender.send("RMSG $G w + last g1 0\r\n\r\n")
        _ = try await receiver.read(until: "RMSG $G w + last g1 0\r\n\r\n")
    }

    /// What comes to another server, without what is by the clock: INFO of third ones, PINGs; and without interest.
    private static func messages(to member: RawConnection, until end: String) async throws -> [Substring] {
        String(decoding: try await member.read(until: end), as: UTF8.self).split(separator: "\r\n").filter { line in
            !["RS", "PING", "INFO "].contains { line.hasPrefix($0) }
        }
    }

    @Test("go on to a server that has the group", arguments: ServerUnderTest.available)
    func forwarded(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.cluster) { server in
            let member = try await Self.join(server, "NMEMBER", "RS+ $G w g1 1\r\n")
            let sender = try await Self.join(server, "NSENDER", "RS+ $G w g2 1\r\n")
            try await Self.settle(sender, "RMSG $G w | g1 2\r\nhi\r\n", member)
            await sender.send("RMSG $G w + in.box g1 g2 3\r\nabc\r\n")
            await sender.send("HMSG $G w | g1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
            let forwarded = try await Self.messages(to: member, until: "\r\nhi\r\n")
            #expect(forwarded == ["RMSG $G w + in.box g1 3", "abc", "HMSG $G w | g1 12 14", "NATS/1.0", "hi"])
            // Whoever is here comes first, and what no group has asked for goes nowhere.
            let local = try await server.connect("")
            try await local.flush("SUB w g1 1\r\n")
            await sender.send("RMSG $G w | g1 5\r\nlocal\r\nRMSG $G w 2\r\nno\r\n")
            try await local.expect("MSG w 1 5\r\nlocal\r\n")
            try await local.flush("UNSUB 1\r\n")
            await sender.send("RMSG $G w | g1 3\r\nend\r\n")
            let lines = try await Self.messages(to: member, until: "3\r\nend\r\n")
            #expect(lines == ["RMSG $G w | g1 3", "end"])
        }
    }

    /// The official server may choose whoever sent the message, and it is lost; or somebody who gets it twice then.
    @Test("do not go where the message has been already")
    func alreadyThere() async throws {
        try await ConfiguredServer.with(.ours, Self.cluster) { server in
            let member = try await Self.join(server, "NMEMBER", "RS+ $G w g1 1\r\nRS+ $G both\r\nRS+ $G both g1 1\r\n")
            let sender = try await Self.join(server, "NSENDER", "RS+ $G w g1 5\r\n")
            try await Self.settle(sender, "RMSG $G w | g1 2\r\nhi\r\n", member)
            await sender.send("RMSG $G both | g1 3\r\ntwo\r\nRMSG $G w | g1 3\r\nend\r\n")
            let lines = try await Self.messages(to: member, until: "\r\nend\r\n")
            #expect(lines == ["RMSG $G w | g1 3", "end"])
        }
    }
}
