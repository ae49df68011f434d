import NATSTestSupport
import Testing

/// One connection's conversation with a server whose every byte is promised; INFO at its beginning is left out.
struct Transcript: Sendable, CustomTestStringConvertible {
    enum Step: Sendable {
        /// The client sends this.
        case client(String)
        /// The server sends exactly this next.
        case server(String)
        /// The server closes the connection without another byte.
        case end
    }

    var name: String
    var configuration: ServerConfiguration
    var steps: [Step]
    /// False where the official server's answer depends on how the bytes were cut into packets.
    var isIndependentOfPackets = true

    init(_ name: String, _ configuration: ServerConfiguration = ServerConfiguration(), _ steps: Step...) {
        self.name = name
        self.configuration = configuration
        self.steps = steps
    }

    /// A conversation in which the client says everything at once.
    init(_ name: String, _ configuration: ServerConfiguration = ServerConfiguration(), send: String, expect: String) {
        self.name = name
        self.configuration = configuration
        self.steps = [.client(send), .server(expect)]
    }

    /// A conversation in which the client says everything at once and the server then closes.
    init(
        _ name: String,
        _ configuration: ServerConfiguration = ServerConfiguration(),
        send: String,
        expectThenEnd expected: String
    ) {
        self.name = name
        self.configuration = configuration
        self.steps = [.client(send), .server(expected), .end]
    }

    var testDescription: String { self.name }

    /// The same, played with whole packets only.
    ///
    /// The official server looks at the subject of a PUB once more when the payload comes in a later packet, and then
    /// repeats the error; it drops a CR inside arguments that come in several packets (nats-server parser.go clonePubArg
    /// and SUB_ARG).
    func sentInOnePacketEach() -> Transcript {
        var copy = self
        copy.isIndependentOfPackets = false
        return copy
    }

    /// Plays the conversation on a new connection.
    ///
    /// Where the server does not close, the answer to a last PING proves that it had nothing else to say.
    func play(on server: RunningServer, byteByByte: Bool) async throws {
        let peer = try await server.connect()
        var isOpen = true
        for step in self.steps {
            switch step {
            case .client(let text):
                let bytes = Array(text.utf8)
                for piece in ByteSlicer.pieces(bytes, of: byteByByte ? 1 : bytes.count) {
                    await peer.send(piece)
                }
            case .server(let text):
                try await peer.expect(text)
            case .end:
                try await peer.expectEnd()
                isOpen = false
            }
        }
        if isOpen {
            try await peer.expectNothing()
        }
    }
}

/// What the default of verbose and pedantic becomes for most programs.
let quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"

/// As ``quiet``, with headers and 503 replies.
let modern = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n"

let unknownOperation = "-ERR 'Unknown Protocol Operation'\r\n"
let authorizationViolation = "-ERR 'Authorization Violation'\r\n"
