import NATSTestSupport
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the log shows of a client, line by line, on the official server and on ours.
@Suite struct SessionLogTests {
    private static let sessions: [String] = [
        "CONNECT {\"verbose\":true,\"name\":\"n\",\"lang\":\"py\",\"version\":\"1.0\",\"user\":\"u\",\"pass\":\"secret\"}\r\nPING\r\n",
        "CONNECT {\"headers\":true,\"auth_token\":\"secret\",\"name\":\"n1\"}\r\nSUB foo.* 1\r\nsub  bar   q1 2\r\n"
            + "PUB foo.x 5\r\nhello\r\npub foo.y  rep 0 \r\n\r\nHPUB foo.z 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
            + "PUB bar 3\r\na\"\\\r\nUNSUB 1\r\nUNSUB 2 7\r\nPONG\r\nPING\r\n",
        "CONNECT {\"pedantic\":true}\r\nPUB a..b 1\r\nx\r\nPUB a.> 0\r\n\r\nSUB a..b 1\r\nPING\r\n",
        "CONNECT {\"no_responders\":true,\"headers\":true}\r\nSUB in 1\r\nPUB nobody in 1\r\nx\r\nPING\r\n",
        "CONNECT {\"no_responders\":true,\"headers\":false}\r\n",
        "CONNECT {}\r\nCONNECT {\"protocol\":9}\r\n",
        "SUB a 1\r\nHPUB a 12 14\r\n",
        "SUB a b c d\r\n",
        "UNSUB a b c\r\n",
        "PUB a\r\n",
        "PUB a x\r\n",
        "PUB a -1\r\n",
        "PUB a 9999999\r\n",
        "CONNECT {\"headers\":true}\r\nHPUB a x 5\r\n",
        "CONNECT {\"headers\":true}\r\nHPUB a 5 x\r\n",
        "CONNECT {\"headers\":true}\r\nHPUB a\r\n",
        "CONNECT {\"headers\":true}\r\nHPUB a 5 9999999\r\n",
        "SUB a " + String(repeating: "x", count: 5000) + "\r\n",
        "-ERR 'x'\r\n",
    ]

    @Test(
        "debug and trace lines of a client are the official ones",
        .enabled(if: Program.available.contains(.official)),
        arguments: Self.sessions
    )
    func sameLines(session: String) async throws {
        let official = try await self.lines(.official, session)
        let ours = try await self.lines(.ours, session)
        #expect(ours == official)
        #expect(ours.count > 1)
        #expect(!ours.contains { $0.contains("secret") })
    }

    private func lines(_ program: Program, _ session: String) async throws -> [String] {
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-T=false", "-DV"])
        try await run.waitForLog("Server is ready")
        let connection = try RawConnection.connect(port: try #require(run.port))
        try await connection.readInfo()
        await connection.send(session)
        if session.hasSuffix("PING\r\n") {
            _ = try await connection.read(until: "PONG\r\n")
            connection.close()
        } else {
            _ = try await connection.readToEnd()
        }
        try await run.waitForLog("Client connection closed")
        run.signal(SIGTERM)
        #expect(await run.exitCode() == 0)
        return run.errors.split(separator: "\n").compactMap { line in
            guard line.contains(" - cid:") else { return nil }
            // On a slow machine the server's own first PING comes before the session is over.
            guard !line.hasSuffix("->> [PING]"), !line.hasSuffix("Client Ping Timer") else { return nil }
            // Words of which each run has its own: the process, the port at the client's end, and the number, of which
            // the official server's own connections take a few while it starts.
            let words = line.split(separator: " ").dropFirst().map { word in
                word.hasPrefix("127.0.0.1:") ? "client" : word.hasPrefix("cid:") ? "cid" : String(word)
            }
            return words.joined(separator: " ")
        }
    }
}
