import NATSTestSupport

/// A monitoring port that answers request after request as a script says, whatever connections they come by.
final class BadServer: Sendable {
    enum Reply: Sendable {
        case answer(String, status: Int = 200)
        /// Bytes as they are, then the end of the connection.
        case raw(String)
        /// A body of so many bytes.
        case large(Int)
        case close
        /// Nothing, until the client has had enough.
        case silence
    }

    /// How many requests have come.
    let requests = Watched(0)
    private let server: ScriptedServer
    private let task: Task<Void, any Error>

    var port: Int { self.server.port }

    /// The last reply is given again and again.
    init(_ replies: [Reply]) throws {
        let server = try ScriptedServer()
        let requests = self.requests
        self.server = server
        self.task = Task {
            var rest = replies[...]
            while true {
                let peer = try await server.accept(timeout: .seconds(120))
                while true {
                    guard (try? await peer.read(until: "\r\n\r\n")) != nil else { break }
                    requests.update { $0 += 1 }
                    let reply = rest.first ?? .close
                    if rest.count > 1 { rest.removeFirst() }
                    guard await Self.send(reply, to: peer) else { break }
                }
                peer.close()
            }
        }
    }

    deinit { self.task.cancel() }

    /// - Returns: Whether the connection goes on.
    private static func send(_ reply: Reply, to peer: RawConnection) async -> Bool {
        switch reply {
        case .answer(let body, let status):
            await peer.send("HTTP/1.1 \(status) Text\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return true
        case .raw(let text):
            await peer.send(text)
            return false
        case .large(let count):
            await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n")
            await peer.send([UInt8](repeating: UInt8(ascii: "a"), count: count))
            return true
        case .close:
            return false
        case .silence:
            // The end of the connection ends the wait.
            _ = try? await peer.read(until: "never", timeout: .seconds(60))
            return false
        }
    }
}
