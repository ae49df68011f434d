import Logging
import NATSTestSupport
import Testing

@testable import NATSServerCore

/// Lame duck mode of a running server.
@Suite struct LameDuckTests {
    private let lines = Watched<[String]>([])

    private func options(grace: Duration = .milliseconds(1)) -> ServerOptions {
        var options = ServerOptions(logger: Logger(label: "test") { _ in CollectingLogHandler(lines: self.lines) })
        options.host = "127.0.0.1"
        options.port = -1
        options.eventLoopCount = 2
        options.lameDuckGracePeriod = grace
        options.lameDuckDuration = .milliseconds(20)
        return options
    }

    private func connect(_ server: Server, _ options: String) async throws -> RawConnection {
        let connection = try RawConnection.connect(port: server.boundPort, answersPings: true)
        try await connection.readInfo()
        await connection.send("CONNECT \(options)\r\nPING\r\n")
        _ = try await connection.read(until: "PONG\r\n")
        return connection
    }

    @Test("clients of protocol 1 are told, all are closed, and the server ends")
    func wholeCourse() async throws {
        let server = Server(options: self.options())
        try await server.start()
        let informed = try await self.connect(server, #"{"verbose":false,"protocol":1}"#)
        try await informed.readInfo()
        let old = try await self.connect(server, #"{"verbose":false}"#)
        let silent = try RawConnection.connect(port: server.boundPort, answersPings: true)
        try await silent.readInfo()
        #expect(!server.isInLameDuckMode)
        #expect(await server.enterLameDuckMode())
        #expect(server.isInLameDuckMode)
        let last = String(decoding: try await informed.readToEnd(), as: UTF8.self)
        #expect(last.hasPrefix("INFO {") && last.contains(#""ldm":true"#) && !last.contains("connect_info"))
        #expect(try await old.readToEnd().isEmpty)
        #expect(try await silent.readToEnd().isEmpty)
        #expect(
            self.lines.value.filter { !$0.contains(" - cid:") }.suffix(4) == [
                "Entering lame duck mode, stop accepting new clients", "Closing existing clients",
                "Initiating Shutdown...", "Server Exiting..",
            ]
        )
        #expect(self.lines.value.count { $0.hasSuffix("Client connection closed: Server Shutdown") } == 3)
    }

    @Test("without clients the server ends at once, whatever the grace period")
    func noClients() async throws {
        let server = Server(options: self.options(grace: .seconds(3600)))
        try await server.start()
        #expect(await server.enterLameDuckMode())
        #expect(self.lines.value.last == "Server Exiting..")
        #expect(!self.lines.value.contains("Closing existing clients"))
    }

    @Test("a shutdown cuts the grace period short, and a second call has nothing to do")
    func cutShort() async throws {
        let server = Server(options: self.options(grace: .seconds(3600)))
        try await server.start()
        let port = server.boundPort
        let client = try await self.connect(server, #"{"verbose":false,"protocol":1}"#)
        try await client.readInfo()
        async let entered = server.enterLameDuckMode()
        // The INFO of lame duck mode.
        try await client.readInfo()
        #expect(await !server.enterLameDuckMode())
        #expect(throws: (any Error).self) { try RawConnection.connect(port: port, answersPings: true) }
        await server.shutdown()
        #expect(await entered)
        #expect(try await client.readToEnd().isEmpty)
        #expect(self.lines.value.last == "Server Exiting..")
    }

    @Test("a server that does not run cannot enter it")
    func notRunning() async throws {
        let server = Server(options: self.options())
        #expect(await !server.enterLameDuckMode())
        await server.shutdown()
        #expect(await !server.enterLameDuckMode())
        #expect(!server.isInLameDuckMode)
    }
}
