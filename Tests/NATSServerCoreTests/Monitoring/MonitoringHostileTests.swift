import Logging
import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

/// HTTP clients that are wrong, slow or mean: the server answers with an error or closes, NATS clients notice nothing.
@Suite struct MonitoringHostileTests {
    private func withServer(
        maxOutstanding: Int? = nil,
        _ body: (_ port: Int, _ server: Server) async throws -> Void
    ) async throws {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.host = "127.0.0.1"
        options.port = -1
        options.monitoring.port = -1
        if let maxOutstanding { options.monitoring.maxOutstanding = maxOutstanding }
        let server = Server(options: options)
        try await server.start()
        do {
            try await body(server.boundMonitoringPort, server)
            // Whatever happened, it still answers, and clients are served.
            #expect(try await fetch("/healthz", port: server.boundMonitoringPort).text == "{\"status\":\"ok\"}")
            let client = try RawConnection.connect(port: server.boundPort)
            try await client.readInfo()
            try await client.expectNothing()
        } catch {
            await server.shutdown()
            throw error
        }
        await server.shutdown()
    }

    private static let host = "Host: x\r\n\r\n"

    @Test(
        "requests that are none are refused and the connection is closed",
        arguments: [
            ("GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request: missing required Host header"),
            ("GET /healthz HTTP/2.0\r\n\(host)", "HTTP/1.1 505 HTTP Version Not Supported"),
            ("GET /healthz\r\n\(host)", "HTTP/1.1 505 HTTP Version Not Supported"),
            ("GET healthz HTTP/1.1\r\n\(host)", "HTTP/1.1 400 Bad Request"),
            ("GET /heal%thz HTTP/1.1\r\n\(host)", "HTTP/1.1 400 Bad Request"),
            ("GET /healthz HTTP/1.1\r\nContent-Length: abc\r\n\(host)", "HTTP/1.1 400 Bad Request"),
            ("GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\(host)", "HTTP/1.1 400 Bad Request"),
            ("GET /healthz HTTP/1.1\r\nFoo Bar: x\r\n\(host)", "HTTP/1.1 400 Bad Request"),
            ("GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "HTTP/1.1 400 Bad Request"),
            ("garbage\r\n\r\n", "HTTP/1.1 400 Bad Request"),
            ("\u{16}\u{03}\u{01}\u{00}\u{7f}\u{00}\u{00}\r\n\r\n", "HTTP/1.1 400 Bad Request"),
            ("GET /healthz HTTP/1.1\r\nExpect: foo\r\n\(host)", "HTTP/1.1 417 Expectation Failed"),
            ("CONNECT {\"verbose\":false}\r\nPING\r\n", "HTTP/1.1 400 Bad Request"),
        ]
    )
    func malformed(request: String, statusLine: String) async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            await peer.send(request)
            let answer = String(decoding: try await peer.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix(statusLine), "\(answer)")
            #expect(answer.contains("Connection: close\r\n"))
        }
    }

    @Test("lists that a connection has asked for go with it", .timeLimit(.minutes(1)))
    func abandonedLists() async throws {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        // Nothing is put together, as if a client did not take its answer.
        options.monitoring.maxOutstanding = 0
        let source = MonitoringSource(shared: ServerShared(options: options), loops: ServerLoops()) {
            MonitoringSource.State(port: 0, isReady: true, totals: ServerLoop.Totals())
        }
        let server = MonitoringServer(source: source, addTLS: nil)
        let request = try #require(MonitoringRequest("/connz"))
        let (before, after) = try await server.eventLoop.submit {
            let connections = (0..<3).map { _ in MonitoringConnection(server) }
            for connection in connections { _ = server.respond(to: request, for: connection) }
            let before = server.waitingLists
            connections[0].close()
            connections[2].close()
            return (before, server.waitingLists)
        }.get()
        #expect(before == 3)
        #expect(after == 1)
        await server.stop()
    }

    @Test("a header that is too long is refused, however it is cut")
    func longHeader() async throws {
        try await self.withServer { port, _ in
            let oneField = "X: " + String(repeating: "a", count: 200_000)
            let manyFields = (0..<5000).map { "X-\($0): \(String(repeating: "b", count: 40))" }.joined(
                separator: "\r\n"
            )
            let longTarget = "Y: z"
            for (target, header) in [
                ("/healthz", oneField), ("/healthz", manyFields),
                ("/" + String(repeating: "c", count: 200_000), longTarget),
            ] {
                let peer = try RawConnection.connect(port: port)
                await peer.send("GET \(target) HTTP/1.1\r\n\(header)\r\n\(Self.host)")
                let answer = String(decoding: try await peer.readToEnd(), as: UTF8.self)
                // A reset may overtake the answer, since the rest of the request is not read.
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 431 Request Header Fields Too Large"), "\(answer)")
            }
        }
    }

    @Test(
        "a request that does not come to its end is cut off",
        arguments: ["", "GET /healthz HT", "GET / HTTP/1.1\r\nHost:"]
    )
    func slowRequest(start: String) async throws {
        try await self.withServer { port, _ in
            let begin = ContinuousClock.now
            let peer = try RawConnection.connect(port: port)
            await peer.send(start)
            #expect(try await peer.readToEnd().isEmpty)
            #expect(ContinuousClock.now - begin > .seconds(4))
        }
    }

    @Test("a request that comes a byte at a time gains no time by that")
    func slowLoris() async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            let request = "GET /healthz HTTP/1.1\r\nX: " + String(repeating: "y", count: 100_000)
            var sent = 0
            for byte in request.utf8 {
                guard !peer.hasEnded else { break }
                await peer.send([byte])
                sent += 1
                _ = await peer.wait(timeout: .milliseconds(20)) { $0.end != nil }
            }
            #expect(peer.hasEnded)
            #expect(sent < request.utf8.count)
        }
    }

    @Test("a second request that does not come to its end is cut off too")
    func slowSecondRequest() async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            #expect(try await peer.fetch("/healthz").status == 200)
            await peer.send("GET /")
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            let targets = ["/connz", "/healthz", "/nope", "/varz", "/subsz?subs=1", "/healthz?details=x"]
            var text = ""
            for _ in 0..<200 { for target in targets { text += "GET \(target) HTTP/1.1\r\n\(Self.host)" } }
            let request = text
            async let sending: Void = peer.send(request)
            for _ in 0..<200 {
                #expect(try await peer.readAnswer().text.contains("\"connections\""))
                #expect(try await peer.readAnswer().text == "{\"status\":\"ok\"}")
                #expect(try await peer.readAnswer().status == 404)
                #expect(try await peer.readAnswer().text.contains("\"server_name\""))
                #expect(try await peer.readAnswer().text.contains("\"num_cache\""))
                #expect(try await peer.readAnswer().status == 400)
            }
            await sending
        }
    }

    @Test("bodies are thrown away, long ones end the connection")
    func bodies() async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            await peer.send("POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nHost: x\r\n\r\nhello")
            #expect(try await peer.readAnswer().status == 200)
            await peer.send(
                "POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            )
            #expect(try await peer.readAnswer().status == 200)
            #expect(try await peer.fetch("/healthz").status == 200)

            let announced = try RawConnection.connect(port: port)
            await announced.send("POST /healthz HTTP/1.1\r\nContent-Length: 500000\r\nHost: x\r\n\r\nhello")
            let answer = try await announced.readAnswer()
            #expect(answer.status == 200 && answer.header("Connection") == "close")
            #expect(try await announced.readToEnd().isEmpty)

            let endless = try RawConnection.connect(port: port)
            await endless.send("POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n")
            let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
            while !endless.hasEnded { await endless.send(chunk) }

            let expecting = try RawConnection.connect(port: port)
            await expecting.send(
                "POST /healthz HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nHost: x\r\n\r\n"
            )
            #expect(try await expecting.readAnswer().header("Connection") == "close")
        }
    }

    @Test("a client that shuts its side down after its request gets its answer")
    func halfClosed() async throws {
        try await self.withServer { port, _ in
            let peer = try RawConnection.connect(port: port)
            await peer.send("GET /varz HTTP/1.1\r\n\(Self.host)")
            peer.finishSending()
            #expect(try await peer.readAnswer().status == 200)
            #expect(try await peer.readToEnd().isEmpty)
            let silent = try RawConnection.connect(port: port)
            silent.finishSending()
            #expect(try await silent.readToEnd().isEmpty)
        }
    }

    @Test("more connections than there may be: waiting ones make room for new ones")
    func manyConnections() async throws {
        try await self.withServer { port, _ in
            var peers: [RawConnection] = []
            for _ in 0..<MonitoringServer.Limits.connections {
                let peer = try RawConnection.connect(port: port)
                #expect(try await peer.fetch("/healthz").status == 200)
                peers.append(peer)
            }
            for _ in 0..<20 { #expect(try await fetch("/healthz", port: port).status == 200) }
            try await eventually("one of the waiting connections was closed") { peers.contains { $0.hasEnded } }
        }
    }

    @Test("connections that ask nothing do not keep others out")
    func silentConnections() async throws {
        try await self.withServer { port, _ in
            var silent: [RawConnection] = []
            for index in 0..<MonitoringServer.Limits.connections {
                let peer = try RawConnection.connect(port: port)
                // Some begin.
                if index.isMultiple(of: 3) { await peer.send("GET /healthz HTTP/1.1\r\n") }
                silent.append(peer)
            }
            let begin = ContinuousClock.now
            for _ in 0..<20 { #expect(try await fetch("/healthz", port: port).status == 200) }
            // Not because their time was over.
            if ContinuousClock.now - begin < .seconds(4) { #expect(silent.contains { $0.hasEnded }) }
            #expect(silent.count { !$0.hasEnded } > 0 || ContinuousClock.now - begin >= .seconds(4))
        }
    }

    @Test("clients that ask for long lists and do not read are served no more than fits, others are")
    func notReading() async throws {
        try await self.withServer(maxOutstanding: 1 << 20) { port, server in
            let client = try RawConnection.connect(port: server.boundPort)
            try await client.readInfo()
            // A list of more than the kernel keeps for a connection.
            var subscriptions = "CONNECT {\"verbose\":false}\r\n"
            let name = String(repeating: "n", count: 400)
            for sid in 0..<2500 { subscriptions += "SUB \(name).\(sid) \(sid)\r\n" }
            await client.send(subscriptions + "PING\r\n")
            _ = try await client.read(until: "PONG\r\n")
            var readers: [RawConnection] = []
            for _ in 0..<3 {
                let reader = try RawConnection.connect(port: port, receiveBuffer: 64 << 10)
                reader.pauseReading()
                await reader.send("GET /subsz?subs=1&limit=1000000 HTTP/1.1\r\n\(Self.host)")
                readers.append(reader)
            }
            // Neither what is cheap nor a client waits for them.
            #expect(try await fetch("/varz", port: port).status == 200)
            await client.send("PING\r\n")
            _ = try await client.read(until: "PONG\r\n")
            // Those that go make room for those that wait.
            readers[0].close()
            readers[1].close()
            readers[2].resumeReading()
            #expect(try await readers[2].readAnswer().text.contains(".2499\""))
        }
    }

    @Test("random bytes end in an error or a closed connection")
    func garbage() async throws {
        try await self.withServer { port, _ in
            var generator = SeededGenerator(seed: 7)
            for _ in 0..<60 {
                let peer = try RawConnection.connect(port: port)
                let count = Int.random(in: 1...3000, using: &generator)
                var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                if Bool.random(using: &generator) {
                    bytes = Array("GET /connz?".utf8) + bytes + Array(" HTTP/1.1\r\n".utf8)
                }
                await peer.send(bytes + Array("\r\n\(Self.host)\r\n".utf8))
                peer.finishSending()
                _ = try await peer.readToEnd()
            }
        }
    }
}
