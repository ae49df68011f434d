import NATSTestSupport
import NATSWire
import Testing

@Suite("Route frames")
struct RouteFrameTests {
    private static let none: [[UInt8]] = []

    private static func interest(
        _ account: String,
        _ subject: String,
        _ queue: String = "",
        _ weight: Int = 0
    ) -> String {
        var bytes: [UInt8] = []
        RouteFrame.appendInterest(
            account: account.utf8,
            subject: subject.utf8,
            queue: queue.utf8,
            weight: weight,
            to: &bytes
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func noInterest(_ account: String, _ subject: String, _ queue: String = "") -> String {
        var bytes: [UInt8] = []
        RouteFrame.appendNoInterest(account: account.utf8, subject: subject.utf8, queue: queue.utf8, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(
        _ account: String,
        _ subject: String,
        reply: String,
        queues: [String],
        headerSize: Int?,
        payload: String,
        to output: inout some ByteOutput
    ) {
        RouteFrame.appendMessage(
            account: account.utf8,
            subject: subject.utf8,
            hasHeaders: headerSize != nil,
            to: &output
        )
        RouteFrame.appendTarget(reply: reply.utf8, queues: queues.lazy.map(\.utf8), to: &output)
        RouteFrame.appendSizes(headerSize: headerSize, size: payload.utf8.count, to: &output)
        output.append(contentsOf: (payload + "\r\n").utf8)
    }

    private static func message(
        _ account: String,
        _ subject: String,
        reply: String = "",
        queues: [String] = [],
        headerSize: Int? = nil,
        payload: String
    ) -> String {
        var bytes: [UInt8] = []
        Self.append(
            account,
            subject,
            reply: reply,
            queues: queues,
            headerSize: headerSize,
            payload: payload,
            to: &bytes
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    // What official servers sent.
    private static let observed: [(written: String, expected: String)] = [
        (interest("$SYS", "$SYS.REQ.SERVER.PING.CONNZ"), "RS+ $SYS $SYS.REQ.SERVER.PING.CONNZ\r\n"),
        (interest("$G", "lq", "g1", 1), "RS+ $G lq g1 1\r\n"),
        (interest("$G", "bar", "q", 999_999_999), "RS+ $G bar q 999999999\r\n"),
        (noInterest("$G", "fk"), "RS- $G fk\r\n"),
        (noInterest("$G", "bar", "q"), "RS- $G bar q\r\n"),
        (message("$G", "fk", payload: "hi"), "RMSG $G fk 2\r\nhi\r\n"),
        (message("$G", "fk", reply: "r.1", payload: "hi"), "RMSG $G fk r.1 2\r\nhi\r\n"),
        (message("$G", "fq", queues: ["grp"], payload: "hi"), "RMSG $G fq | grp 2\r\nhi\r\n"),
        (message("$G", "fq", reply: "r.2", queues: ["grp"], payload: "hi"), "RMSG $G fq + r.2 grp 2\r\nhi\r\n"),
        (
            message("$G", "lq", reply: "rep", queues: ["g1", "g2"], payload: "q12"),
            "RMSG $G lq + rep g1 g2 3\r\nq12\r\n"
        ),
        (
            message("$G", "fk", headerSize: 12, payload: "NATS/1.0\r\n\r\nhi"),
            "HMSG $G fk 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
        ),
        (
            message("$G", "y", reply: "r", queues: ["g"], headerSize: 12, payload: "NATS/1.0\r\n\r\n"),
            "HMSG $G y + r g 12 12\r\nNATS/1.0\r\n\r\n\r\n"
        ),
        (
            message("$G", "w", queues: ["a", "b"], headerSize: 12, payload: "NATS/1.0\r\n\r\nh"),
            "HMSG $G w | a b 12 13\r\nNATS/1.0\r\n\r\nh\r\n"
        ),
        // On connections that are dedicated to an account.
        (interest("", "$SYS.REQ.SERVER.PING"), "RS+ $SYS.REQ.SERVER.PING\r\n"),
        (noInterest("", "bar", "q"), "RS- bar q\r\n"),
        (message("", "$SYS.SERVER.N.STATSZ", payload: "{}"), "RMSG $SYS.SERVER.N.STATSZ 2\r\n{}\r\n"),
    ]

    @Test("every form is spelled as official servers spell it", arguments: observed.indices)
    func spelled(index: Int) {
        #expect(Self.observed[index].written == Self.observed[index].expected)
    }

    @Test("what is written is what is read")
    func roundTrip() {
        for account in ["$G", ""] {
            let parser = RouteOperationParser(maxPayload: 100, hasAccountField: !account.isEmpty)
            let place = account.isEmpty ? "a" : "$G a"
            for (reply, queues, headerSize) in [
                ("", [], nil), ("r", [], nil), ("", ["q"], nil), ("r", ["q", "p"], nil),
                ("", [], 2), ("r", [], 2), ("", ["q", "p"], 2), ("r", ["q"], 2),
            ] as [(String, [String], Int?)] {
                let frame = Self.message(
                    account,
                    "a",
                    reply: reply,
                    queues: queues,
                    headerSize: headerSize,
                    payload: "abcde"
                )
                let read = RouteTranscript.of([Array(frame.utf8)], by: parser)
                let kind = headerSize == nil ? "message" : "headerMessage"
                #expect(read.failure == nil && read.operations.count == 1)
                #expect(read.operations.first?.hasPrefix("\(kind) \(place) [\(reply)] \(queues) ") == true, "\(read)")
            }
            let lines =
                Self.interest(account, "a.*", "q", 7) + Self.interest(account, "a") + Self.noInterest(account, "a")
            let read = RouteTranscript.of([Array(lines.utf8)], by: parser)
            #expect(
                read.operations == [
                    #"interest \#(place).* ["q"] 7"#, "interest \(place) [] 0", "noInterest \(place) []",
                ]
            )
        }
    }

    @Test("a weight is one that peers can read, whatever is given")
    func weights() {
        #expect(Self.interest("$G", "a", "q", 0) == "RS+ $G a q 1\r\n")
        #expect(Self.interest("$G", "a", "q", -5) == "RS+ $G a q 1\r\n")
        #expect(Self.interest("$G", "a", "q", .max) == "RS+ $G a q 999999999\r\n")
    }

    @Test("prepared memory gets the bytes that an array gets")
    func preparedMemory() {
        let expected = Self.message("$G", "a", reply: "r", queues: ["q1", "q2"], headerSize: 2, payload: "abcde")
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: expected.utf8.count)
        defer { block.deallocate() }
        var memory = PreparedMemory(block)
        Self.append(
            "$G",
            "a",
            reply: "r",
            queues: ["q1", "q2"],
            headerSize: 2,
            payload: "abcde",
            to: &memory
        )
        #expect(memory.end == block + expected.utf8.count)
        #expect(Array(UnsafeBufferPointer(start: block, count: memory.end - block)) == Array(expected.utf8))
    }
}
