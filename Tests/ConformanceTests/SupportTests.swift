import NATSTestSupport
import Testing

@Suite("test support")
struct SupportTests {
    @Test("a scripted server and a raw connection exchange bytes and see each other's end")
    func scriptedServer() async throws {
        let server = try ScriptedServer()
        let client = try RawConnection.connect(port: server.port)
        let peer = try await server.accept()
        await peer.send(ScriptedServer.info())
        try await client.readInfo()
        await client.send("CONNECT {}\r\nPING\r\n")
        #expect(try await peer.readLine() == "CONNECT {}")
        try await peer.expect("PING\r\n")
        await #expect(throws: UnexpectedBytes.self) {
            await client.send("PONG\r\n")
            try await peer.expect("PING\r\n")
        }
        peer.reset()
        try await client.expectEnd()
        await server.close()
        #expect(throws: SystemError.self) { try RawConnection.connect(port: server.port) }
    }

    @Test("a child process is reaped and its output kept")
    func childProcess() async throws {
        let process = try ChildProcess("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(await process.waitForExit() == .exited(3))
        #expect(process.output == "out\nerr\n")
        let sleeper = try ChildProcess("/bin/sleep", ["1000"])
        await sleeper.stop()
        #expect(await sleeper.waitForExit() == .signaled(15))
    }

    @Test("a connection that answers PINGs hides them, however the bytes are cut, but no payload that looks like one")
    func pingsAreAnswered() async throws {
        let server = try ScriptedServer()
        let text = "PING\r\nMSG a 1 6\r\nPING\r\n\r\nPONG\r\nPING\r\nPINGS\r\nHMSG a 1 6 6\r\nPING\r\n\r\nPING\r\nPIN"
        let visible = "MSG a 1 6\r\nPING\r\n\r\nPONG\r\nPINGS\r\nHMSG a 1 6 6\r\nPING\r\n\r\nPIN"
        for size in [1, 2, 3, 5, 7, 1000] {
            let client = try RawConnection.connect(port: server.port, answersPings: true)
            let peer = try await server.accept()
            for piece in ByteSlicer.pieces(Array(text.utf8), of: size) {
                await peer.send(piece)
            }
            peer.finishSending()
            #expect(String(decoding: try await client.readToEnd(), as: UTF8.self) == visible)
            try await peer.expect("PONG\r\nPONG\r\nPONG\r\n")
        }
    }
}
