import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// The other end of a route to an official server: what it sends is parsed, what it gets is written by us.
private final class ScriptedPeer {
    let connection: RawConnection
    private let parser = RouteOperationParser(maxPayload: 8 << 20)
    private var transcript = RouteTranscript()
    private var position = 0

    init(port: Int) throws { self.connection = try RawConnection.connect(port: port) }

    /// The operations that have come since the last call, up to and including the first that satisfies the condition.
    func read(
        until condition: (String) -> Bool,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [String] {
        while true {
            let operations = self.transcript.operations[self.position...]
            if let index = operations.firstIndex(where: condition) {
                self.position = index + 1
                return Array(operations[...index])
            }
            let inTime = await self.connection.wait { !$0.bytes.isEmpty || $0.end != nil }
            let bytes = self.connection.takeAll()
            self.transcript.add(bytes, by: self.parser)
            guard inTime, !bytes.isEmpty, self.transcript.failure == nil else {
                throw ConditionNotMet(description: "only \(self.transcript) at \(fileID):\(line)")
            }
        }
    }

    func send(_ build: (inout [UInt8]) -> Void) async {
        var bytes: [UInt8] = []
        build(&bytes)
        await self.connection.send(bytes)
    }

    /// Announces interest in the account `$G`.
    func announce(_ subject: String, _ queue: String = "", _ weight: Int = 1) async {
        await self.send {
            RouteFrame.appendInterest(
                account: "$G".utf8,
                subject: subject.utf8,
                queue: queue.utf8,
                weight: weight,
                to: &$0
            )
        }
    }

    /// Sends a message in the account `$G`.
    func publish(
        _ subject: String,
        reply: String = "",
        queues: [String] = [],
        headerSize: Int? = nil,
        _ payload: String
    ) async {
        await self.send {
            RouteFrame.appendMessage(
                account: "$G".utf8,
                subject: subject.utf8,
                hasHeaders: headerSize != nil,
                to: &$0
            )
            RouteFrame.appendTarget(reply: reply.utf8, queues: queues.map(\.utf8), to: &$0)
            RouteFrame.appendSizes(headerSize: headerSize, size: payload.utf8.count, to: &$0)
            $0 += Array((payload + "\r\n").utf8)
        }
    }

    /// Waits until the server has handled everything; returns what came before its PONG.
    func flush() async throws -> [String] {
        await self.connection.send("PING\r\n")
        return try await self.read { $0 == "pong" }.dropLast()
    }
}

@Suite("routes to official servers", .timeLimit(.minutes(3)))
struct OfficialRouteTests {
    private static let versions = OfficialServer.Version.allCases.filter {
        TestDependencies.canRun(TestDependencies.officialServer($0), "official nats-server \($0.rawValue)")
    }

    private static func withPeer(
        _ version: OfficialServer.Version,
        _ body: (OfficialServer, ScriptedPeer, RawConnection) async throws -> Void
    ) async throws {
        let server = try await OfficialServer.start(
            configurationText: "cluster { name: C1, listen: \"127.0.0.1:-1\" }\n",
            version: version
        )
        do {
            let peer = try ScriptedPeer(port: #require(server.clusterPort))
            try await Self.shakeHands(peer, version)
            let client = try RawConnection.connect(port: server.port, answersPings: true)
            try await client.readInfo()
            await client.send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n")
            try await client.expectNothing()
            try await body(server, peer, client)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// Sends what every version accepts; `number` makes id and name unlike those of other peers.
    private static func shakeHands(
        _ peer: ScriptedPeer,
        _ version: OfficialServer.Version,
        number: Int = 0
    ) async throws {
        let text = try await peer.connection.readInfo()
        let theirs = try Array(text.utf8).withUnsafeBytes { bytes in try RouteInfo(json: bytes) }
        #expect(String(decoding: theirs.encode(), as: UTF8.self) == "INFO \(text) \r\n")
        #expect(theirs.version == version.rawValue && theirs.cluster == "C1" && theirs.leafOrigins)
        #expect(theirs.poolSize == (version == .current ? 3 : 0))

        var connect = RouteConnect()
        connect.serverID = "NSCRIPTED\(number)"
        connect.cluster = theirs.cluster
        var info = RouteInfo()
        info.serverID = connect.serverID
        info.serverName = "scripted\(number)"
        info.version = "2.9.0"
        info.proto = 2
        info.host = "127.0.0.1"
        info.port = 1
        info.headers = true
        info.maxPayload = 1_048_576
        info.cluster = theirs.cluster
        await peer.connection.send(connect.encode() + info.encode())
    }

    @Test("the handshake is accepted, and all that the server says then is understood", arguments: versions)
    func handshake(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { _, peer, _ in
            let operations = try await peer.read { $0 == "ping" }.dropLast()
            await peer.connection.send("PONG\r\n")
            let isInterest = operations.allSatisfy { $0.hasPrefix("interest $SYS $SYS.") || $0.hasPrefix("info ") }
            #expect(isInterest, "\(operations)")
            #expect(operations.contains("interest $SYS $SYS.REQ.SERVER.PING [] 0"))
            #expect(operations.count > 30)
            _ = try await peer.flush()
        }
    }

    @Test("messages of the server's clients arrive in every form", arguments: versions)
    func fromServer(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { _, peer, client in
            await peer.announce("p")
            await peer.announce("q", "g", 2)
            await peer.announce("b")
            await peer.announce("b", "g1")
            await peer.announce("b", "g2", 12)
            _ = try await peer.flush()
            await client.send("PUB p 2\r\nhi\r\nPUB p r 0002\r\nhi\r\n")
            await client.send("HPUB p 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB p r 12 12\r\nNATS/1.0\r\n\r\n\r\n")
            await client.send(
                "PUB q 0\r\n\r\nPUB q r 1\r\nx\r\nPUB b r 1\r\nx\r\nHPUB b 12 13\r\nNATS/1.0\r\n\r\nx\r\n"
            )
            await client.send("HPUB p 0 1\r\nx\r\nSUB loc 1\r\nSUB loc g 2\r\nSUB loc g 3\r\nUNSUB 3\r\nUNSUB 1\r\n")
            let operations = try await peer.read { $0 == "noInterest $G loc []" }.filter { !$0.contains(" $SYS ") }
            let header = "NATS/1.0\r\n\r\n"
            // In which order the two groups are listed is up to the server.
            let groups = operations.map { $0.replacing(#"["g2", "g1"]"#, with: #"["g1", "g2"]"#) }
            let expected = [
                "message $G p [] [] 0/ 2/2 hi <2\r\nhi\r\n>",
                "message $G p [r] [] 0/ 2/0002 hi <r 0002\r\nhi\r\n>",
                "headerMessage $G p [] [] 12/12 14/14 \(header)hi <12 14\r\n\(header)hi\r\n>",
                "headerMessage $G p [r] [] 12/12 12/12 \(header) <r 12 12\r\n\(header)\r\n>",
                "message $G q [] [\"g\"] 0/ 0/0  <0\r\n\r\n>",
                "message $G q [r] [\"g\"] 0/ 1/1 x <respelled>",
                "message $G b [r] [\"g1\", \"g2\"] 0/ 1/1 x <respelled>",
                "headerMessage $G b [] [\"g1\", \"g2\"] 12/12 13/13 \(header)x <12 13\r\n\(header)x\r\n>",
                "message $G p [] [] 0/ 1/1 x <1\r\nx\r\n>",
                "interest $G loc [] 0",
                "interest $G loc [\"g\"] 1",
                "interest $G loc [\"g\"] 2",
                "interest $G loc [\"g\"] 1",
                "noInterest $G loc []",
            ]
            #expect(groups.filter { $0 != "ping" && !$0.hasPrefix("info ") } == expected)
        }
    }

    @Test("messages in every form arrive at the server's clients", arguments: versions)
    func toServer(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { _, peer, client in
            await client.send("SUB p 1\r\nSUB q g1 2\r\nSUB q g2 3\r\n")
            try await client.expectNothing()
            let header = "NATS/1.0\r\n\r\n"
            await peer.publish("p", "hi")
            await peer.publish("p", reply: "r", "hi")
            await peer.publish("p", headerSize: 12, header + "hi")
            await peer.publish("p", reply: "r", headerSize: 12, header)
            try await client.expect("MSG p 1 2\r\nhi\r\nMSG p 1 r 2\r\nhi\r\n")
            try await client.expect("HMSG p 1 12 14\r\n\(header)hi\r\nHMSG p 1 r 12 12\r\n\(header)\r\n")
            // Without a list nobody of a group gets it.
            await peer.publish("q", "none")
            await peer.publish("q", queues: ["g1"], "a")
            await peer.publish("q", reply: "r", queues: ["g2"], headerSize: 12, header + "b")
            try await client.expect("MSG q 2 1\r\na\r\nHMSG q 3 r 12 13\r\n\(header)b\r\n")
            await peer.publish("q", reply: "r", queues: ["g1", "g2"], "c")
            let both = String(
                decoding: try await client.read(count: "MSG q 2 r 1\r\nc\r\n".utf8.count * 2),
                as: UTF8.self
            )
            #expect(both.contains("MSG q 2 r 1\r\nc\r\n") && both.contains("MSG q 3 r 1\r\nc\r\n"))
            _ = try await peer.flush()
        }
    }

    @Test("interest that is taken back is gone, and a bad subject is told and costs no more", arguments: versions)
    func interest(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { _, peer, client in
            await peer.announce("p")
            _ = try await peer.flush()
            await client.send("SUB r 1\r\nPUB p r 0\r\n\r\n")
            _ = try await peer.read { $0.hasPrefix("message $G p [r]") }
            await peer.send {
                RouteFrame.appendNoInterest(account: "$G".utf8, subject: "p".utf8, queue: "".utf8, to: &$0)
            }
            await peer.announce("foo..bar")
            let answers = try await peer.flush()
            #expect(answers.contains("error 'Invalid Subscription'"), "\(answers)")
            await client.send("PUB p r 0\r\n\r\n")
            _ = try await client.read(until: "NATS/1.0 503\r\n")
        }
    }

    @Test("what the parser takes the server takes, and delivers as its offsets say", arguments: versions)
    func accepted(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { _, peer, client in
            await client.send("SUB > 1\r\n")
            try await client.expectNothing()
            for (input, operations) in RouteSamples.accepted {
                // These mean something to the connection as a whole.
                guard operations.allSatisfy({ !$0.hasPrefix("error ") && !$0.hasPrefix("info ") }) else { continue }
                await peer.connection.send(input + "PING\r\n")
                for _ in 0...operations.count(where: { $0 == "ping" }) { _ = try await peer.read { $0 == "pong" } }
                try await client.expect(Self.delivery(of: Array(input.utf8)))
            }
        }
    }

    /// What a client gets of a message whose sid is 1, put together from the offsets of the operation; nothing for
    /// other operations.
    private static func delivery(of input: [UInt8]) -> [UInt8] {
        var operation = RouteOperation()
        let outcome = input.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { base in
                RouteOperationParser(maxPayload: 1024).next(base, from: 0, to: bytes.count, into: &operation)
            }
        }
        guard outcome == .operation, operation.isMessage else { return [] }
        let hasHeaders = operation.headerSize > 0
        let prefix = Array((hasHeaders ? "HMSG " : "MSG ").utf8) + input[operation.subject] + Array(" 1 ".utf8)
        if operation.tailStart > 0 { return prefix + input[operation.tailStart..<operation.frameEnd] }
        var fields = [operation.reply, operation.sizeDigits]
        if hasHeaders { fields.insert(operation.headerSizeDigits, at: 1) }
        let line = fields.filter { !$0.isEmpty }.map { input[$0] }.joined(separator: [0x20])
        return prefix + line + [0x0d, 0x0a] + input[operation.payloadStart..<operation.frameEnd]
    }

    @Test("what the parser refuses the server refuses in the way the outcome says", arguments: versions)
    func refused(version: OfficialServer.Version) async throws {
        try await Self.withPeer(version) { server, _, _ in
            for (index, (input, outcome)) in RouteSamples.refused.enumerated() where outcome != .payloadExceeded {
                let peer = try ScriptedPeer(port: #require(server.clusterPort))
                try await Self.shakeHands(peer, version, number: index + 1)
                _ = try await peer.flush()
                await peer.connection.send(input)
                // The server's interest may still be under way.
                let end = String(decoding: try await peer.connection.readToEnd(), as: UTF8.self)
                let errors = end.split(separator: "\r\n").filter { $0.hasPrefix("-ERR") }
                #expect(
                    errors == (outcome == .unknownOperation ? ["-ERR 'Unknown Protocol Operation'"] : []),
                    "\(input)"
                )
            }
        }
    }
}
