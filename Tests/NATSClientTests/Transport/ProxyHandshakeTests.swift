import NATSTestSupport
import NIOCore
import Testing

@testable import NATSClient

@Suite("handshakes with proxies")
struct ProxyHandshakeTests {
    private typealias Login = NATSClientConfiguration.Proxy.Login

    /// What comes of an answer, byte by byte.
    private func steps(_ handshake: some ProxyHandshake, _ answer: [UInt8]) -> (steps: [ProxyHandshakeStep], rest: Int)
    {
        var handshake = handshake
        var bytes = ByteBuffer()
        var steps: [ProxyHandshakeStep] = []
        for byte in answer {
            bytes.writeInteger(byte)
            while steps.last != .done {
                let step = handshake.received(&bytes)
                guard step != .incomplete else { break }
                steps.append(step)
                if case .fail = step { return (steps, bytes.readableBytes) }
            }
        }
        return (steps, bytes.readableBytes)
    }

    @Test("SOCKS 5 without authentication, with replies of all kinds of addresses, split after any byte")
    func socks() {
        let handshake = SOCKS5Handshake(host: "a.b", port: 4222, login: nil)
        #expect(handshake.begin() == [5, 1, 0])
        let request: [UInt8] = [5, 1, 0, 3, 3, 0x61, 0x2e, 0x62, 0x10, 0x7e]
        for address: [UInt8] in [[1, 1, 2, 3, 4], [3, 2, 0x61, 0x62], [3, 0], [4] + Array(repeating: 9, count: 16)] {
            let result = self.steps(handshake, [5, 0, 5, 0, 0] + address + [1, 2] + Array("INFO".utf8))
            #expect(result.steps == [.send(request), .done])
            #expect(result.rest == 4)
        }
    }

    @Test("SOCKS 5 with user and password")
    func socksLogin() {
        let handshake = SOCKS5Handshake(host: "::1", port: 1, login: Login(user: "joe", password: "pw"))
        #expect(handshake.begin() == [5, 2, 0, 2])
        let login = ProxyHandshakeStep.send([1, 3, 0x6a, 0x6f, 0x65, 2, 0x70, 0x77])
        let request = ProxyHandshakeStep.send([5, 1, 0, 4] + Array(repeating: 0, count: 15) + [1, 0, 1])
        let reply: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(self.steps(handshake, [5, 2, 1, 0] + reply).steps == [login, request, .done])
        #expect(self.steps(handshake, [5, 0] + reply).steps == [request, .done])
        #expect(self.steps(handshake, [5, 2, 1, 1]).steps == [login, .fail("it refuses the user and the password")])
        #expect(self.steps(handshake, [5, 255]).steps == [.fail("it takes no user and password")])
    }

    @Test("a host name that SOCKS 5 has no room for", arguments: [255, 256])
    func longName(count: Int) {
        let handshake = SOCKS5Handshake(host: String(repeating: "a", count: count), port: 1, login: nil)
        let steps = self.steps(handshake, [5, 0]).steps
        if count > 255 {
            #expect(steps == [.fail("it cannot be asked for a host whose name has more than 255 bytes")])
        } else {
            #expect(steps.count == 1 && steps.first != .incomplete)
        }
    }

    @Test("HTTP, split after any byte; what follows stays")
    func http() {
        let handshake = HTTPConnectHandshake(target: "a:1", login: Login(user: "joe", password: "secret"))
        #expect(
            String(decoding: handshake.begin(), as: UTF8.self)
                == "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: Basic am9lOnNlY3JldA==\r\n\r\n"
        )
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\r\nA: b\r\n\r\n", "HTTP/1.1 299 x\nA: b\n\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            let result = self.steps(handshake, Array((answer + "INFO").utf8))
            #expect(result.steps == [.done], "\(answer)")
            #expect(result.rest == 4, "\(answer)")
        }
        let refusal = Array("HTTP/1.1 407 No\r\n\r\n".utf8)
        #expect(self.steps(handshake, refusal).steps == [.fail("it refuses the user and the password (status 407)")])
    }

    @Test("random answers end in a step or wait, and never trap")
    func random() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<3000 {
            let answer = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                [0, 1, 2, 3, 4, 5, 255, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
            }
            let socks = self.steps(
                SOCKS5Handshake(host: "h", port: 1, login: Login(user: "u", password: "p")),
                [5, 2] + answer
            )
            let http = self.steps(
                HTTPConnectHandshake(target: "h:1", login: nil),
                Array("HTTP/1.1 ".utf8) + answer
            )
            #expect(socks.rest <= answer.count + 2 && http.rest <= answer.count + 9)
            for steps in [socks.steps, http.steps] {
                let ends = steps.filter { step in
                    switch step {
                    case .done, .fail: true
                    case .incomplete, .send: false
                    }
                }
                #expect(ends.isEmpty || ends.count == 1 && steps.last == ends.first, "\(steps)")
            }
        }
    }
}
