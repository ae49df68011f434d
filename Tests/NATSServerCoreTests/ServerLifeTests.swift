import Logging
import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite struct ServerLifeTests {
    private func options(port: Int = -1) -> ServerOptions {
        var options = ServerOptions(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        options.host = "127.0.0.1"
        options.port = port
        return options
    }

    @Test("every one of several shutdowns at once returns when everything has ended")
    func shutdownsAtOnce() async throws {
        let lines = Watched<[String]>([])
        var options = self.options()
        options.logger = Logger(label: "test") { _ in CollectingLogHandler(lines: lines) }
        let server = Server(options: options)
        try await server.start()
        let connection = try RawConnection.connect(port: server.boundPort)
        try await connection.readInfo()
        await withTaskGroup(of: Void.self) { group in
            for _ in 1...4 {
                group.addTask {
                    await server.shutdown()
                    #expect(lines.value.last == "Server Exiting..")
                    #expect(server.boundPort == 0)
                }
            }
        }
        await server.shutdown()
        #expect(lines.value.count { $0 == "Server Exiting.." } == 1)
        _ = try await connection.readToEnd()
    }

    @Test("a server that was never started can be shut down, and is then not startable")
    func shutdownBeforeStart() async {
        let server = Server(options: self.options())
        await server.shutdown()
        await #expect(throws: ServerStartError.self) {
            try await server.start()
        }
    }

    @Test("the announcement is made once, by whoever comes first")
    func announcement() async throws {
        let lines = Watched<[String]>([])
        var options = self.options()
        options.logger = Logger(label: "test") { _ in CollectingLogHandler(lines: lines) }
        let server = Server(options: options)
        server.announce()
        #expect(lines.value.first == "Starting nats-server")
        try await server.start()
        await server.shutdown()
        #expect(lines.value.count { $0 == "Starting nats-server" } == 1)
        #expect(lines.value.last == "Server Exiting..")
    }

    @Test("a server that was stopped, or could not start, leaves nothing behind", arguments: [false, true])
    func release(isPortTaken: Bool) async throws {
        let other = Server(options: self.options())
        try await other.start()
        weak var witness: Watched<[String]>?
        do {
            let lines = Watched<[String]>([])
            witness = lines
            var options = self.options(port: isPortTaken ? other.boundPort : -1)
            options.eventLoopCount = 2
            options.logger = Logger(label: "test") { _ in CollectingLogHandler(lines: lines) }
            let server = Server(options: options)
            if isPortTaken {
                await #expect(throws: ServerStartError.self) {
                    try await server.start()
                }
            } else {
                try await server.start()
                let connection = try RawConnection.connect(port: server.boundPort)
                try await connection.readInfo()
                await connection.send("CONNECT {}\r\nSUB a.> 1\r\nPUB a.b 1\r\nx\r\nPING\r\n")
                _ = try await connection.read(until: "PONG\r\n")
                await server.shutdown()
            }
        }
        try await eventually("all memory of the server is free") { witness == nil }
        await other.shutdown()
    }

    @Test(
        "accounts that refer to each other go with a server that never ran",
        arguments: ["dropped", "shut down", "refused"]
    )
    func accountsRelease(end: String) async throws {
        weak var account: Account?
        do {
            var options = self.options(port: end == "refused" ? -2 : -1)
            options.authorization.accounts = [AccountOptions(name: "A"), AccountOptions(name: Account.systemName)]
            options.authorization.systemAccount = Account.systemName
            let server = Server(options: options)
            account = server.shared.accounts["A"]
            #expect(account != nil)
            switch end {
            case "shut down": await server.shutdown()
            case "refused": await #expect(throws: ServerStartError.self) { try await server.start() }
            default: break
            }
        }
        #expect(account == nil)
    }

    @Test("ports that are none are refused in the official words", arguments: [-2, 65_536, 70_000])
    func invalidPorts(port: Int) async {
        let server = Server(options: self.options(port: port))
        await #expect {
            try await server.start()
        } throws: {
            "\($0)" == "Error listening on port: 127.0.0.1:\(port), \"listen tcp: address \(port): invalid port\""
        }
    }
}
