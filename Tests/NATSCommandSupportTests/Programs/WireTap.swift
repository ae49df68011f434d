import NATSTestSupport
import NIOConcurrencyHelpers

/// Sees what is published, and publishes, with no client of ours in between.
final class WireTap: Sendable {
    struct Message: Sendable, Equatable {
        var subject: String
        var reply: String?
        /// The header block, if there is one.
        var headers: String?
        var payload: String
        /// The payload where it is not text.
        var bytes: [UInt8] { self.raw ?? Array(self.payload.utf8) }
        var raw: [UInt8]?
    }

    private struct State {
        var bytes: [UInt8] = []
        var messages: [Message] = []
        var pongs = 0
        /// PINGs of the server that are not answered.
        var pings = 0
    }

    private let connection: RawConnection
    private let state = NIOLockedValueBox(State())

    /// Connects and subscribes to `subject`.
    init(port: Int, subject: String = ">", connect: String = "{\"headers\":true,\"verbose\":false}") async throws {
        self.connection = try RawConnection.connect(port: port)
        try await self.connection.readInfo()
        await self.connection.send("CONNECT \(connect)\r\nSUB \(subject) 1\r\nPING\r\n")
        try await self.connection.expect("PONG\r\n")
    }

    /// Publishes, and returns when the server has it.
    func publish(_ subject: String, reply: String = "", _ payload: String) async throws {
        await self.connection.send("PUB \(subject) \(reply) \(payload.utf8.count)\r\n\(payload)\r\n")
        try await self.sync()
    }

    /// Publishes a message with a header block, and returns when the server has it.
    func publish(_ subject: String, headers: String, _ payload: String) async throws {
        let sizes = "\(headers.utf8.count) \(headers.utf8.count + payload.utf8.count)"
        await self.connection.send("HPUB \(subject) \(sizes)\r\n\(headers)\(payload)\r\n")
        try await self.sync()
    }

    /// Publishes bytes, and returns when the server has them.
    func publish(_ subject: String, bytes: [UInt8]) async throws {
        await self.connection.send(Array("PUB \(subject) \(bytes.count)\r\n".utf8) + bytes + [0x0D, 0x0A])
        try await self.sync()
    }

    /// Publishes `count` messages that are their numbers, in one write.
    func publishNumbers(_ subject: String, _ count: Int) async throws {
        var frames: [UInt8] = []
        for number in 1...count {
            frames += Array("PUB \(subject) \(String(number).utf8.count)\r\n\(number)\r\n".utf8)
        }
        await self.connection.send(frames)
        try await self.sync()
    }

    /// Waits until `count` messages were seen and everything sent before was answered, and returns all.
    func messages(atLeast count: Int) async throws -> [Message] {
        try await eventually("\(count) messages") {
            self.parse()
            return self.state.withLockedValue { $0.messages.count } >= count
        }
        try await self.sync()
        return self.state.withLockedValue { $0.messages }
    }

    /// The payloads of ``messages(atLeast:)``.
    func payloads(atLeast count: Int) async throws -> [String] {
        try await self.messages(atLeast: count).map(\.payload)
    }

    private func sync() async throws {
        let before = self.state.withLockedValue { $0.pongs }
        let pings = self.state.withLockedValue { state in
            defer { state.pings = 0 }
            return state.pings
        }
        await self.connection.send(String(repeating: "PONG\r\n", count: pings) + "PING\r\n")
        try await eventually("PONG") {
            self.parse()
            return self.state.withLockedValue { $0.pongs } > before
        }
    }

    private func parse() {
        let arrived = self.connection.takeAll()
        self.state.withLockedValue { state in
            state.bytes += arrived
            var rest = state.bytes[...]
            while let end = rest.firstRange(of: [0x0D, 0x0A]) {
                let line = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
                let words = line.split(separator: " ").map(String.init)
                var after = rest[end.upperBound...]
                switch words.first {
                case "PONG":
                    state.pongs += 1
                case "PING":
                    state.pings += 1
                case "MSG", "HMSG":
                    guard let size = words.last.flatMap({ Int($0) }) else { break }
                    guard after.count >= size + 2 else {
                        state.bytes = Array(rest)
                        return
                    }
                    let isHeaders = words[0] == "HMSG"
                    let headerSize = isHeaders ? Int(words[words.count - 2]) ?? 0 : 0
                    let hasReply = words.count == (isHeaders ? 6 : 5)
                    let body = after.prefix(size)
                    let bytes = Array(body.dropFirst(headerSize))
                    let text = String(validating: bytes, as: UTF8.self)
                    state.messages.append(
                        Message(
                            subject: words[1],
                            reply: hasReply ? words[3] : nil,
                            headers: isHeaders ? String(decoding: body.prefix(headerSize), as: UTF8.self) : nil,
                            payload: text ?? "",
                            raw: text == nil ? bytes : nil
                        )
                    )
                    after = after.dropFirst(size + 2)
                default:
                    break
                }
                rest = after
            }
            state.bytes = Array(rest)
        }
    }
}
