import NATSTestSupport
import Testing

// One after the other: hundreds of servers at the same time would starve the tests that measure time.
@Suite("transcripts", .serialized)
struct TranscriptTests {
    @Test("one connection", arguments: ServerUnderTest.available, Transcript.table)
    func transcript(server: ServerUnderTest, transcript: Transcript) async throws {
        // Each on a server of its own: the subscriptions of a client that has just left may still be there.
        for byteByByte in transcript.isIndependentOfPackets ? [false, true] : [false] {
            try await server.withServer(transcript.configuration) { server in
                try await transcript.play(on: server, byteByByte: byteByByte)
            }
        }
    }
}
