import NATSAuth
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

/// Hubs that say what no hub says.
@Suite("hubs that are none", .timeLimit(.minutes(5)))
struct LeafHostileHubTests {
    /// The first INFO of a hub.
    private static func info(_ more: String = "") -> String {
        """
        INFO {"server_id":"HUB","server_name":"HUB","version":"2.15.1","proto":1,"host":"127.0.0.1","port":7422,\
        "headers":true,"max_payload":1048576,"client_id":7,"info_on_connect":true,"leafnode_urls":["127.0.0.1:1"]\(more)}\r\n
        """
    }

    private static let answer =
        #"INFO {"server_id":"HUB","connect_info":true,"remote_account":"$G","client_id":7}"# + "\r\n"

    private static func with(
        _ more: String = "",
        rest: String = "",
        _ body: (_ hub: ScriptedServer, _ leaf: ConfiguredServer) async throws -> Void
    ) async throws {
        let hub = try ScriptedServer()
        try await ConfiguredServer.with(.ours, LeafPair.leaf(hub.port, more, rest)) { leaf in
            do {
                try await body(hub, leaf)
            } catch {
                Issue.record("\(leaf.log)")
                throw error
            }
        }
    }

    @Test("an answer before CONNECT lets nobody in")
    func earlyAnswer() async throws {
        // Other servers are asked for the account, which takes its time, and in vain.
        let directory = try TemporaryDirectory()
        let authority = try TestOperator()
        let account = try NKeyPair(kind: .account).publicKey.text
        let resolver = "resolver: { type: full, dir: \"\(directory.path)\" }"
        let text = try authority.configurationText().replacing("resolver: MEMORY", with: resolver)
        try await Self.with(", account: \"\(account)\"", rest: text) { hub, leaf in
            for _ in 0..<2 {
                let peer = try await hub.accept()
                await peer.send(Self.info() + Self.answer + "LS+ foo\r\nLS+ bar q 3\r\n")
                _ = try await peer.readToEnd()
            }
            #expect(!leaf.log.contains("JetStream using domains"))
        }
    }

    @Test("an answer before CONNECT is out lets nobody in, though the account is known")
    func answerWithInfo() async throws {
        try await Self.with { hub, leaf in
            let peer = try await hub.accept()
            await peer.send(Self.info().replacing(#""info_on_connect":true,"#, with: "") + Self.answer + Self.answer)
            _ = try await peer.readToEnd()
            #expect(leaf.log.contains("the hub answers before it was asked"))
            // A later one is let in once, however often it says so; not one that takes longer than two seconds.
            var joined: RawConnection?
            try await eventually("a connection that stays") {
                let next = try await hub.accept()
                await next.send(Self.info())
                guard let connect = try? await next.readLine() else { return false }
                #expect(connect.hasPrefix("CONNECT {"))
                await next.send(Self.answer + Self.answer + "PING\r\n")
                guard (try? await next.read(until: "PONG\r\n")) != nil else { return false }
                joined = next
                return true
            }
            try await eventually("a leaf node that counts once") { leaf.ours?.leafNodeCount == 1 }
            joined?.close()
        }
    }

    @Test(
        "what follows in the clear on what begins TLS ends the connection",
        arguments: ["INFO {}\r\n", "+OK", "PING\r\n"]
    )
    func injected(line: String) async throws {
        try await Self.with { hub, leaf in
            let peer = try await hub.accept()
            await peer.send(Self.info(#","tls_required":true"#) + line)
            let text = String(decoding: try await peer.readToEnd(), as: UTF8.self)
            #expect(!text.contains("CONNECT"))
            try await eventually("the reason") { leaf.log.contains("TLS leafnode handshake error") }
        }
    }

    @Test("who wants TLS says nothing in the clear, to others of whom the hub tells neither")
    func downgrade() async throws {
        let other = try ScriptedServer()
        let hub = try ScriptedServer()
        let text = """
            server_name: LEAF
            leafnodes { reconnect: "100ms", remotes: [ { url: "tls://user:secret@127.0.0.1:\(hub.port)" } ] }

            """
        try await ConfiguredServer.with(.ours, text) { _ in
            let first = try await hub.accept()
            await first.send(Self.info().replacing("127.0.0.1:1\"", with: "127.0.0.1:\(other.port)\""))
            // The beginning of a TLS handshake.
            let hello = try await first.read(count: 1)
            #expect(hello == [0x16])
            first.close()
            let second = try await other.accept()
            await second.send(Self.info())
            let said = try await second.read(count: 1)
            #expect(said == [0x16])
            second.close()
        }
    }
}
