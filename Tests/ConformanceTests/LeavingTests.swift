import NATSTestSupport
import Testing

/// What a client that unsubscribes can rely on.
@Suite("leaving")
struct LeavingTests {
    @Test(
        "nothing comes after the PONG that follows an UNSUB, so queue members come and go without loss",
        arguments: ServerUnderTest.available
    )
    func unsubscribeThenPing(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let messages = 5_000
            let stayer = try await server.connect(options: "{\"verbose\":false}")
            await stayer.send("SUB work group 1\r\n")
            try await stayer.expectNothing()
            let leavers = try await Self.connections(to: server, count: 4)
            let publisher = try await server.connect(options: "{\"verbose\":false}")
            let isDone = Watched(false)
            let taken = try await withThrowingTaskGroup(of: Int.self) { group in
                for leaver in leavers {
                    group.addTask {
                        var taken = 0
                        var sid = 0
                        repeat {
                            sid += 1
                            taken += try await Self.stay(leaver, sid: sid)
                        } while !isDone.value
                        return taken
                    }
                }
                let batch = String(repeating: "PUB work 1\r\nx\r\n", count: 50)
                for _ in 0..<messages / 50 { await publisher.send(batch) }
                try await publisher.expectNothing()
                isDone.update { $0 = true }
                return try await group.reduce(0, +)
            }
            await stayer.send("PING\r\n")
            let rest = try await stayer.read(until: "PONG\r\n")
            let kept = Frames(rest).operations.count { $0.starts(with: Array("MSG ".utf8)) }
            #expect(taken + kept == messages)
        }
    }

    private static func connections(to server: RunningServer, count: Int) async throws -> [RawConnection] {
        var connections: [RawConnection] = []
        for _ in 0..<count {
            connections.append(try await server.connect(options: "{\"verbose\":false}"))
        }
        return connections
    }

    /// Joins the group, leaves it again, and returns how many messages came in between.
    private static func stay(_ connection: RawConnection, sid: Int) async throws -> Int {
        await connection.send("SUB work group \(sid)\r\nPING\r\n")
        let before = Frames(try await connection.read(until: "PONG\r\n"))
        await connection.send("UNSUB \(sid)\r\nPING\r\n")
        let after = Frames(try await connection.read(until: "PONG\r\n"))
        let received = (before.operations + after.operations).filter { $0.starts(with: Array("MSG ".utf8)) }
        let own = Array("MSG work \(sid) 1\r\n".utf8)
        // A message for a former sid would have come after its PONG.
        #expect(received.allSatisfy { $0.starts(with: own) })
        return received.count
    }

    @Test("input behind the PING of a leaving client is handled in order", arguments: ServerUnderTest.available)
    func pipelined(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let client = try await server.connect(options: "{\"verbose\":true}")
            for round in 1...20 {
                await client.send(
                    "SUB a \(round)\r\nUNSUB \(round)\r\nPING\r\nSUB b x\(round)\r\nPUB b 1\r\n1\r\nUNSUB x\(round)\r\nPING\r\n"
                )
                try await client.expect(
                    "+OK\r\n+OK\r\nPONG\r\n+OK\r\n+OK\r\nMSG b x\(round) 1\r\n1\r\n+OK\r\nPONG\r\n"
                )
            }
            await client.send("SUB a last\r\nUNSUB last\r\nPING\r\nPING\r\nPUB nowhere 1\r\n1\r\n")
            client.finishSending()
            #expect(try await client.readToEnd() == Array("+OK\r\n+OK\r\nPONG\r\nPONG\r\n+OK\r\n".utf8))
        }
    }
}
