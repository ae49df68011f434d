import NATSTestServer
import NATSTestSupport
import Testing

@Suite("the test server's authorizer")
struct AuthorizerTests {
    private func outcome(_ members: String, _ server: NATSTestServer) async throws -> String {
        let peer = try RawConnection.connect(port: server.port, answersPings: true)
        defer { peer.close() }
        try await peer.readInfo()
        await peer.send("CONNECT {\"verbose\":false,\(members)}\r\nPUB no 0\r\n\r\nPUB ok 0\r\n\r\nPING\r\n")
        _ = await peer.wait { $0.end != nil || $0.bytes.suffix(6) == Array("PONG\r\n".utf8)[...] }
        return String(decoding: peer.takeAll(), as: UTF8.self)
    }

    @Test("a function decides who may connect, as whom, and what for", .timeLimit(.minutes(1)))
    func decides() async throws {
        var options = NATSTestServer.Options()
        options.accounts = [.init(name: "shop")]
        let seen = Watched<[NATSTestServer.Candidate]>([])
        options.authorizer = { candidate in
            seen.update { $0.append(candidate) }
            switch candidate.user {
            case "shop": return .accept(in: "shop", permissions: .init(publish: .init(allow: ["ok"])))
            case "lost": return .accept(in: "nowhere")
            case "": return candidate.token == "tok" ? .accept() : .refuse()
            default: return .refuse("unknown")
            }
        }
        try await NATSTestServer.withServer(options) { server in
            let violation = "-ERR 'Authorization Violation'\r\n"
            let denied = "-ERR 'Permissions Violation for Publish to \"no\"'\r\nPONG\r\n"
            let members = [
                #""user":"shop","pass":"p","name":"n""#, #""auth_token":"tok""#, #""auth_token":"tik""#,
                #""user":"lost""#,
                #""user":"x""#,
            ]
            var outcomes: [String] = []
            for member in members { outcomes.append(try await self.outcome(member, server)) }
            #expect(outcomes == [denied, "PONG\r\n", violation, violation, violation])
        }
        #expect(seen.value.count == 5)
        #expect(seen.value.first?.password == "p" && seen.value.first?.name == "n")
        #expect(seen.value.first?.host == "127.0.0.1")
    }

    @Test("a decision that takes too long is none, and its task is cancelled", .timeLimit(.minutes(1)))
    func tooLong() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .milliseconds(200)
        let cancelled = Watched(0)
        options.authorizer = { _ in
            try? await Task.sleep(for: .seconds(3600))
            cancelled.update { $0 += 1 }
            return .accept()
        }
        try await NATSTestServer.withServer(options) { server in
            let outcome = try await self.outcome("\"user\":\"x\"", server)
            #expect(outcome == "-ERR 'Authorization Violation'\r\n")
            #expect(await cancelled.wait { $0 == 1 })
        }
    }

    @Test("a stay ends in time, and a server that stops does not wait for decisions", .timeLimit(.minutes(1)))
    func stay() async throws {
        var options = NATSTestServer.Options()
        options.authTimeout = .seconds(3600)
        let asked = Watched(0)
        let cancelled = Watched(0)
        options.authorizer = { candidate in
            guard candidate.user == "slow" else { return .accept(as: "guest", for: .milliseconds(300)) }
            asked.update { $0 += 1 }
            try? await Task.sleep(for: .seconds(3600))
            cancelled.update { $0 += 1 }
            return .accept()
        }
        try await NATSTestServer.withServer(options) { server in
            let peer = try RawConnection.connect(port: server.port, answersPings: true)
            try await peer.readInfo()
            await peer.send("CONNECT {\"verbose\":false,\"user\":\"x\"}\r\n")
            #expect(await peer.wait { $0.end != nil })
            #expect(String(decoding: peer.takeAll(), as: UTF8.self) == "-ERR 'User Authentication Expired'\r\n")
            let slow = try RawConnection.connect(port: server.port, answersPings: true)
            try await slow.readInfo()
            await slow.send("CONNECT {\"verbose\":false,\"user\":\"slow\"}\r\n")
            #expect(await asked.wait { $0 == 1 })
        }
        #expect(await cancelled.wait { $0 == 1 })
    }
}
