import NATSTestSupport
import Testing

@Suite("transcripts")
struct TranscriptTests {
    @Test("row 31: what follows PING on its line is ignored", arguments: ServerUnderTest.available)
    func pingWithTail(server: ServerUnderTest) async throws {
        try await server.withServer { server in
            let peer = try await server.connect()
            await peer.send("PINGxyz\r\n")
            try await peer.expect("PONG\r\n")
        }
    }
}
