import NATSTop
import NATSWire
import Testing

@Suite("Recordings can be shown again")
struct RecordingTests {
    /// A round with these bodies, as the program keeps it.
    private static func recording(_ pages: [(Request, [UInt8])]) -> Recording {
        var recording = Recording(time: .seconds(1))
        var sample = Sample()
        for (request, body) in pages {
            sample.add(body, for: request)
            recording.add(body, for: request)
        }
        recording.problems = sample.problems
        return recording
    }

    @Test("a page that is nested as deeply as a page may be", arguments: [120, 125, 126, 128, 129, 5000])
    func deep(depth: Int) throws {
        let body = Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        let recording = Self.recording([(.server, Array(Fixture.varz().utf8)), (.routes, body)])
        let again = try #require(Recording(line: recording.line.dropLast()))
        #expect(again.sample.server == recording.sample.server)
        #expect(again.sample.problems == recording.sample.problems || depth > 4096)
        #expect(again.sample.problems.count <= 1)
    }

    @Test("a page of any bytes, however long: what was wrong with it is kept")
    func unreadable() throws {
        for body in [[0xFF, 0xFE, 0x00], Array(repeating: 0x01, count: 1 << 20), Array("{\"a\":".utf8), []] as [[UInt8]]
        {
            let recording = Self.recording([(.server, Array(Fixture.varz().utf8)), (Fixture.connections, body)])
            #expect(recording.problems.count == 1)
            let again = try #require(Recording(line: recording.line.dropLast()))
            #expect(again.sample.server == recording.sample.server)
            #expect(again.sample.problems == recording.problems)
            #expect(recording.line.count < 10_000)
        }
    }

    @Test("a page that would make the line too long is left out, and the recording says so")
    func tooLong() throws {
        // Each of these takes six bytes in a line.
        let text = [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "<"), count: 11_500_000) + [UInt8(ascii: "\"")]
        let recording = Self.recording([(.server, Array(Fixture.varz().utf8)), (Fixture.connections, text)])
        let line = recording.line
        #expect(line.count <= Recording.maximumLineBytes)
        let again = try #require(Recording(line: line.dropLast()))
        #expect(again.sample.server == recording.sample.server)
        #expect(again.problems == ["\(Fixture.connections.path): too long for a recording"])
    }

    @Test("a page that stands in no line is said to be what it is, if nothing was said of it")
    func reason() throws {
        let depth = JSONValue.maximumDepth
        // Too much to be kept as text.
        let blanks = String(repeating: " ", count: 5000)
        let deep = String(repeating: "[", count: depth) + blanks + String(repeating: "]", count: depth)
        for (body, reason) in [(Array(deep.utf8), "too deep for a recording"), ([0xFF, 0xFE], "no JSON")] {
            var recording = Recording(time: .zero)
            recording.add(body, for: Fixture.connections)
            let again = try #require(Recording(line: recording.line.dropLast()))
            #expect(again.problems == ["\(Fixture.connections.path): \(reason)"])
        }
    }

    @Test("where the server was asked is kept")
    func target() throws {
        var recording = Recording(time: .seconds(1))
        recording.target = "10.0.0.1:8222"
        #expect(try #require(Recording(line: recording.line.dropLast())) == recording)
    }
}
