import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// Too many requests to the system account, of clients without rights and with them.
@Suite("floods of requests to the system account", .timeLimit(.minutes(10)))
struct SystemFloodTests {
    private static let text = """
        authorization { timeout: 60 }
        accounts {
          SYS { users: [{user: sys, password: sys}, {user: other, password: other}] }
          A { users: [{user: a, password: a},
                      {user: none, password: none, permissions: {publish: {deny: "$SYS.>"}}}] }
        }
        system_account: SYS

        """

    /// 2,000 requests each: 42,000 in all, a million in the long run.
    private static let bursts = TestDependencies.runsLongTests ? 72 : 3

    /// Who floods with what; `true` if the requests come to the system account.
    private static let floods: [(user: String, request: String, isServed: Bool)] = [
        ("a", "PUB $SYS.REQ.SERVER.PING.VARZ _INBOX.x 0\r\n\r\n", false),
        ("none", "PUB $SYS.REQ.SERVER.PING.CONNZ _INBOX.x 0\r\n\r\n", false),
        ("a", "PUB $SYS.REQ.SERVER.PING.CONNZ _INBOX.x 0\r\n\r\n", true),
        ("a", "PUB $SYS.REQ.USER.INFO _INBOX.x 0\r\n\r\n", true),
        ("sys", "PUB $SYS.REQ.SERVER.PING.VARZ _INBOX.x 0\r\n\r\n", true),
        ("sys", "PUB $SYS.REQ.SERVER.PING _INBOX.x 2\r\n{}\r\n", true),
        ("sys", "PUB $SYS.REQ.ACCOUNT.A.SUBSZ _INBOX.x 5\r\nwrong\r\n", true),
    ]

    @Test("memory stays bounded and others are served", arguments: [ServerUnderTest.ours, .oursOnManyLoops])
    func flood(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.text) { server in
            let others = try await SystemClient(server, "other")
            let pair = try await server.connect("a")
            try await pair.flush("SUB foo 1\r\n")
            let before = ResidentMemory.ofThisProcess
            for (user, request, _) in Self.floods {
                let flooder = try await server.connect(user)
                // Nobody reads the answers: there is no subscription for them.
                let burst = String(repeating: request, count: 2000)
                for _ in 0..<Self.bursts { await flooder.send(burst) }
                let identity = try await others.answers(
                    "$SYS.REQ.SERVER.PING.IDZ",
                    fence: "$SYS.REQ.SERVER.PING.IDZ"
                )
                #expect(identity.count == 1)
                await pair.send("PUB foo 2\r\nhi\r\n")
                try await pair.expect("MSG foo 1 2\r\nhi\r\n")
                flooder.close()
            }
            // The bounds are 512 requests and 131,072 answers that are waited for.
            if ResidentMemory.isMeaningful { #expect(ResidentMemory.ofThisProcess - before < 400 << 20) }
        }
    }

    @Test("without event loops a queue keeps nothing")
    func queueWithoutLoops() {
        let loops = ServerLoops()
        let queue = InternalQueue(loops: loops)
        _ = queue.put(InternalMessage("a")) { _ in nil }
        #expect(queue.count == 0)
    }
}
