import NATSTestServer
import NATSTestSupport
import NATSWire
import Testing

/// Strangers that take up connections and time, beside clients that work, on the official server and ours.
@Suite("floods beside healthy clients", .serialized, .timeLimit(.minutes(5)))
struct FloodTests {
    /// How many of each kind of stranger.
    private static let strangers = 20
    private static let holders = 3 * Self.strangers
    private static let healthy = 4
    private static let refusal = "-ERR 'maximum connections exceeded'\r\n"
    private static let timedOut = "-ERR 'Authentication Timeout'\r\n"

    /// A client that works, with TLS or without.
    private enum Client: Sendable {
        case plain(RawConnection)
        case secure(SecureConnection)

        func send(_ text: String) async {
            switch self {
            case .plain(let connection): await connection.send(text)
            case .secure(let connection): await connection.send(text)
            }
        }

        /// The server's PINGs are answered and not shown.
        func read(until marker: String) async throws -> String {
            switch self {
            case .plain(let connection):
                return String(decoding: try await connection.read(until: marker), as: UTF8.self)
            case .secure(let connection):
                let text = try await connection.read(until: marker)
                let rest = text.replacing("PING\r\n", with: "")
                if rest != text { await connection.send("PONG\r\n") }
                return rest
            }
        }

        func close() {
            switch self {
            case .plain(let connection): connection.close()
            case .secure(let connection): connection.close()
            }
        }
    }

    private func connect(_ port: Int, _ fixture: TLSFixture?) async throws -> Client {
        let members = "\"verbose\":false,\"auth_token\":\"t\""
        guard let fixture else {
            let connection = try RawConnection.connect(port: port, answersPings: true)
            try await connection.readInfo()
            await connection.send("CONNECT {\(members)}\r\nPING\r\n")
            try await connection.expect("PONG\r\n")
            return .plain(connection)
        }
        let connection = try await SecureConnection.connect(port: port, fixture.client())
        let answer = try await connection.connect(members)
        #expect(answer == "PONG\r\n")
        return .secure(connection)
    }

    /// Sends messages from one client to the other until told to stop; each has to come, in order, once.
    private func exchange(
        _ publisher: Client,
        _ subscriber: Client,
        _ subject: String,
        _ rounds: Watched<Int>,
        until stop: Watched<Bool>
    ) async throws {
        await subscriber.send("SUB \(subject) 1\r\nPING\r\n")
        #expect(try await subscriber.read(until: "PONG\r\n") == "PONG\r\n")
        var number = 1_000_000
        while !stop.value {
            await publisher.send("PUB \(subject) 7\r\n\(number)\r\nPUB \(subject) 7\r\n\(number + 1)\r\n")
            let first = try await subscriber.read(until: "\(number)\r\n")
            let second = try await subscriber.read(until: "\(number + 1)\r\n")
            try #require(first + second == [number, number + 1].map { "MSG \(subject) 1 7\r\n\($0)\r\n" }.joined())
            number += 2
            rounds.update { $0 += 1 }
        }
    }

    private func connections(_ server: RunningServer) async throws -> Int? {
        let port = try #require(server.monitoringPort)
        let document = try JSONValue.parse(try await fetch("/varz", port: port).body)
        return Int(document["connections"].text)
    }

    /// Waits until so many more rounds have been exchanged.
    private func makeSure(of rounds: Watched<Int>) async throws {
        let before = rounds.value
        let goesOn = await rounds.wait { $0 >= before + 20 }
        try #require(goesOn, "healthy clients go on")
    }

    @Test(
        "half-open, slow and senseless connections and too many of them end in time, and disturb nobody",
        arguments: ServerUnderTest.available,
        [false, true]
    )
    func strangers(server: ServerUnderTest, isSecure: Bool) async throws {
        let fixture = isSecure ? try TLSFixture() : nil
        var configuration = ServerConfiguration(token: "t", authTimeout: .seconds(3), pingInterval: .seconds(3600))
        configuration.maxConnections = Self.healthy + Self.holders
        configuration.monitoring = true
        configuration.tls = fixture?.tls
        configuration.tls?.timeout = .seconds(3)
        try await server.withServer(configuration) { server in
            var clients: [Client] = []
            for _ in 0..<Self.healthy { clients.append(try await self.connect(server.port, fixture)) }
            let stop = Watched(false)
            let rounds = [Watched(0), Watched(0)]
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let pairs = [(clients[0], clients[1]), (clients[2], clients[3])]
                for (index, pair) in pairs.enumerated() {
                    tasks.addTask {
                        try await self.exchange(pair.0, pair.1, "work.\(index)", rounds[index], until: stop)
                    }
                }
                defer { stop.update { $0 = true } }
                for counter in rounds { try await self.makeSure(of: counter) }
                try await self.tooMany(server, fixture)
                for counter in rounds { try await self.makeSure(of: counter) }
                try await eventually("the places are free again") {
                    try await self.connections(server) == Self.healthy
                }
                let patient = try await self.admitStrangers(server, isSecure: isSecure)
                for counter in rounds { try await self.makeSure(of: counter) }
                try await self.expectEnds(patient)
                try await eventually("all strangers are gone") {
                    try await self.connections(server) == Self.healthy
                }
                for counter in rounds { try await self.makeSure(of: counter) }
                stop.update { $0 = true }
                try await tasks.waitForAll()
            }
            for client in clients { client.close() }
        }
    }

    /// All places are taken; whoever comes then is told so.
    private func tooMany(_ server: RunningServer, _ fixture: TLSFixture?) async throws {
        var holders: [Client] = []
        for _ in 0..<Self.holders { holders.append(try await self.connect(server.port, fixture)) }
        #expect(try await self.connections(server) == Self.healthy + Self.holders)
        let flood = try (0..<100).map { _ in try server.rawConnection() }
        for peer in flood {
            try await peer.readInfo()
            try await peer.expect(Self.refusal)
            try await peer.expectEnd()
        }
        for holder in holders { holder.close() }
    }

    /// Strangers, with what they are told before their end; `nil` if that does not matter.
    private func admitStrangers(
        _ server: RunningServer,
        isSecure: Bool
    ) async throws -> [(peer: RawConnection, dripping: [UInt8], told: String?)] {
        var generator = SeededGenerator(seed: 7)
        var result: [(peer: RawConnection, dripping: [UInt8], told: String?)] = []
        for number in 0..<Self.strangers {
            // Nothing at all, after which TLS ends without a word.
            let silent = try await server.connect()
            result.append((silent, [], isSecure ? "" : Self.timedOut))
            // A byte now and then of something that has a good beginning and no end.
            let slow = try await server.connect()
            let begun: [UInt8] =
                isSecure
                ? [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] : Array("CONNECT {\"auth_token\":\"".utf8)
            let dripping = begun + Array(repeating: UInt8(ascii: "x"), count: 400)
            result.append((slow, dripping, isSecure ? nil : Self.timedOut))
            // What is no protocol; half of it looks like TLS for its first bytes.
            let senseless = try await server.connect()
            let noise = (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let garbage: [UInt8] = number.isMultiple(of: 2) ? [22, 3, 3, 0, 190] + noise : [0] + noise
            _ = senseless.sendWhatFits(garbage + [13, 10])
            result.append((senseless, [], nil))
        }
        return result
    }

    private func expectEnds(_ strangers: [(peer: RawConnection, dripping: [UInt8], told: String?)]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (peer, dripping, told) in strangers {
                tasks.addTask {
                    // A byte every tenth of a second would go on for longer than the patience of this test.
                    for byte in dripping {
                        _ = peer.sendWhatFits([byte])
                        if await peer.wait(timeout: .milliseconds(100), until: { $0.end != nil }) { break }
                    }
                    let answer = String(decoding: try await peer.readToEnd(), as: UTF8.self)
                    if let told { #expect(answer == told) }
                }
            }
            try await tasks.waitForAll()
        }
    }
}
