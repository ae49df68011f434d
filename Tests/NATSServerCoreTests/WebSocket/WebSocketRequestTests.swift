import NATSTestSupport
import NATSWebSocket
import NIOCore
import NIOHTTP1
import Testing

@testable import NATSServerCore

@Suite struct WebSocketRequestTests {
    @Test("a request is read whichever way it is cut")
    func splits() throws {
        let text = WebSocketBytes.request("/a?b", "Cookie: a=b", "X: \t y \t")
        let bytes = Array(text.utf8)
        for cut in 0..<bytes.count {
            var reader = WebSocketRequestReader()
            reader.received(ByteBuffer(bytes: bytes[..<cut]))
            guard case .incomplete = reader.next() else {
                Issue.record("complete at \(cut)")
                continue
            }
            reader.received(ByteBuffer(bytes: bytes[cut...]))
            guard case .head(let head, hasMore: false) = reader.next() else {
                Issue.record("not complete, cut at \(cut)")
                continue
            }
            #expect(head.uri == "/a?b")
            #expect(head.headers["x"] == ["y"])
        }
    }

    @Test(
        "what is no request is refused",
        arguments: [
            "XX\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/x.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nna me: x\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        ]
    )
    func refused(text: String) {
        var reader = WebSocketRequestReader()
        reader.received(ByteBuffer(string: text))
        guard case .refusal(.badRequest) = reader.next() else {
            Issue.record("not refused")
            return
        }
    }

    @Test("a header without end is refused")
    func endless() {
        var reader = WebSocketRequestReader()
        reader.received(ByteBuffer(string: "GET / HTTP/1.1\r\n"))
        for _ in 0..<100 { reader.received(ByteBuffer(string: String(repeating: "a", count: 1000))) }
        guard case .refusal(.headerTooLarge) = reader.next() else {
            Issue.record("not refused")
            return
        }
    }

    @Test("credentials are found in cookies as Go finds them")
    func cookies() {
        var names = WebSocketOptions.CookieNames()
        names.user = "u"
        names.password = "p"
        names.token = "t"
        let cookies = WebSocketCookies(["x=1; u=me ; p=\"a b\"", "t=one; t=two; p=un\"even"], names: names)
        #expect(cookies.user == "me")
        #expect(cookies.password == "a b")
        #expect(cookies.token == "two")
        #expect(cookies.jwt.isEmpty)
    }

    static let origins:
        [(origin: String?, host: String, isTLS: Bool, same: Bool, allowed: [String], problem: String?)] = [
            (nil, "a", false, true, [], nil), ("http://a", "a", false, true, [], nil),
            ("http://A:80", "a", false, true, [], nil), ("http://a", "a:80", false, true, [], nil),
            ("https://a", "a", false, true, [], "not same origin"), ("https://a", "a", true, true, [], nil),
            ("http://a:81", "a", false, true, [], "not same origin"),
            ("http://b", "a", false, true, [], "not same origin"),
            ("http://b", "a", false, false, [], nil), ("http://b", "a", false, false, ["http://b:80"], nil),
            ("http://b", "a", false, false, ["https://b"], "not in the allowed list"),
            ("http://b", "a", false, true, ["http://b"], "not same origin"),
            ("null", "a", false, true, [], "parse \"null\": invalid URI for request"),
        ]

    @Test("an origin is compared with the host and the list", arguments: origins)
    func origin(origin: String?, host: String, isTLS: Bool, same: Bool, allowed: [String], problem: String?) {
        var options = WebSocketOptions()
        options.sameOrigin = same
        options.allowedOrigins = allowed
        #expect(WebSocketOrigins(options).problem(origin: origin, host: host, isTLS: isTLS) == problem)
    }

    @Test("what was compressed is expanded to the same; what expands without bound is cut, what is damaged noticed")
    func compression() throws {
        let coder = WebSocketCoder()
        struct Expanded: Equatable {
            var bytes: [UInt8] = []
            var result = WebSocketCoder.Expansion.complete
        }
        func expand(_ message: ByteBuffer, limit: Int) -> Expanded {
            var expanded = Expanded()
            let result = coder.expand(message, limit: limit) { piece in
                expanded.bytes += piece.readableBytesView
                return true
            }
            expanded.result = result
            return expanded
        }
        for count in [1, 65, 5000, 300_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
            let compressed = try #require(coder.compress(ByteBuffer(bytes: bytes)))
            #expect(expand(compressed, limit: count) == Expanded(bytes: bytes))
            #expect(expand(compressed, limit: count - 1) == Expanded(bytes: Array(bytes.dropLast()), result: .tooLong))
        }
        let bomb = try #require(coder.compress(ByteBuffer(repeating: 0, count: 10 << 20)))
        #expect(bomb.readableBytes < 100_000)
        let expanded = expand(bomb, limit: 1 << 20)
        #expect(expanded.bytes.count == 1 << 20)
        #expect(expanded.result == .tooLong)
        #expect(expand(ByteBuffer(bytes: [0xff, 0xff, 0xff]), limit: 100).result == .corrupt)
        // The next message is not concerned.
        let good = try #require(coder.compress(ByteBuffer(string: "good")))
        #expect(expand(good, limit: 100) == Expanded(bytes: Array("good".utf8)))
    }
}
