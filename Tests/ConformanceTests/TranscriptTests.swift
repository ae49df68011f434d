import NATSTestSupport
import Testing

// One after the other: hundreds of servers at the same time would starve the tests that measure time.
@Suite("transcripts", .serialized)
struct TranscriptTests {
    @Test("one connection", arguments: ServerUnderTest.available, Transcript.table)
    func transcript(server: ServerUnderTest, transcript: Transcript) async throws {
        try await server.withServer(transcript.configuration) { server in
            try await transcript.play(on: server, byteByByte: false)
            if transcript.isIndependentOfPackets {
                try await transcript.play(on: server, byteByByte: true)
            }
        }
    }
}
