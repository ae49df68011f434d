import NATSTestSupport
import Testing

/// Accounts under load, on ours: connections, subscriptions and the configuration change while messages cross accounts.
@Suite("accounts under churn", .serialized)
struct AccountChurnTests {
    /// Accounts, imports and limits that differ from one number to the next.
    private static func text(_ number: Int) -> String {
        let prefix = number.isMultiple(of: 2) ? "" : ", prefix: p"
        let mapping = number.isMultiple(of: 3) ? "" : "mappings = { \"m.*\": \"news.$1\", svc: \"svc\(number % 2)\" }"
        let extra = number.isMultiple(of: 4) ? "X\(number) { users: [{user: x\(number), password: x}] }" : ""
        return """
            authorization { timeout: 60 }
            accounts {
              HUB {
                users: [{user: hub, password: hub}]
                exports: [{stream: "news.>"}, {service: "svc", latency: lat}, {service: "svc.>", response_type: stream}]
                \(mapping)
              }
              \((0..<4).map { index in
                """
                A\(index) {
                      users: [{user: a\(index), password: a\(index)}]
                      imports: [
                        {stream: {account: HUB, subject: "news.>"}\(index == number % 4 ? "" : prefix)}
                        {service: {account: HUB, subject: svc}}
                        {service: {account: HUB, subject: "svc.>"}, to: "local.>"}
                      ]
                    }
                """
            }.joined(separator: "\n  "))
              \(extra)
            }

            """
    }

    /// A reload refuses who has not sent CONNECT yet, so that may have to be tried again.
    private func connect(_ user: String, _ server: ConfiguredServer) async throws -> RawConnection {
        while true {
            do {
                return try await server.connect(user, ",\"headers\":true,\"no_responders\":true")
            } catch let error as UnexpectedBytes where error.description.contains("Authorization Violation") {
                try Task.checkCancellation()
            }
        }
    }

    @Test(
        "nothing breaks while everything changes",
        .timeLimit(.minutes(2)),
        arguments: [ServerUnderTest.ours, .oursOnManyLoops]
    )
    func churn(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.text(0)) { server in
            let hub = try await server.connect("hub", ",\"headers\":true")
            try await hub.flush("SUB svc 1\r\nSUB svc.> 2\r\nSUB svc q 3\r\n")
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<4 {
                    tasks.addTask {
                        for round in 0..<15 {
                            let peer = try await self.connect("a\(index)", server)
                            var text = "SUB news.> 1\r\nSUB p.> 2\r\nSUB * 3\r\nSUB r.\(index) 4\r\nUNSUB 3\r\n"
                            for number in 0..<50 {
                                text +=
                                    "PUB svc r.\(index) 2\r\nhi\r\nPUB local.x r.\(index) 2\r\nhi\r\nPUB m.x 1\r\nx\r\n"
                                if number % 10 == 9 {
                                    text += "UNSUB \(number % 5)\r\nSUB news.\(number) 9\(number)\r\n"
                                }
                            }
                            await peer.send(text + "PING\r\n")
                            _ = try await peer.read(until: "PONG\r\n")
                            if round.isMultiple(of: 2) { peer.close() } else { await peer.send("SUB late 1\r\n") }
                        }
                    }
                }
                tasks.addTask {
                    for number in 1...20 { try await server.reload(Self.text(number)) }
                }
                tasks.addTask {
                    for _ in 0..<60 {
                        await hub.send(String(repeating: "PUB news.a 2\r\nhi\r\nPUB m.b 2\r\nhi\r\n", count: 50))
                        let bytes = hub.takeAll()
                        var answers = ""
                        for word in String(decoding: bytes, as: UTF8.self).split(separator: " ")
                        where word.hasPrefix("_R_.") {
                            answers += "PUB \(word) 2\r\nok\r\nPUB \(word) again 0\r\n\r\n"
                        }
                        await hub.send(answers + "PING\r\n")
                        _ = try await hub.read(until: "PONG\r\n")
                    }
                }
                try await tasks.waitForAll()
            }
            // All is still in order.
            try await server.reload(Self.text(2))
            let importer = try await self.connect("a0", server)
            try await importer.flush("SUB news.end 1\r\n")
            try await hub.flushKeepingInput()
            await hub.send("PUB news.end 3\r\nend\r\n")
            try await importer.expect("MSG news.end 1 3\r\nend\r\n")
        }
    }
}
