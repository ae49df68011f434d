import NATSTestSupport

/// A server of one client, of which a test says what `$SYS` answers.
final class ScriptedSystem: Sendable {
    enum Reply: Sendable {
        /// From this server.
        case page(id: String, name: String, String)
        case noResponders
        case silence
    }

    /// The id of the server that the client is connected to.
    static let id = "NSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPTEDSCRIPT"

    /// Subjects of requests, in their order.
    let subjects = Watched<[String]>([])
    private let server: ScriptedServer
    private let task: Task<Void, any Error>

    var url: String { self.server.url }

    init(_ answer: @escaping @Sendable (_ subject: String) -> [Reply]) throws {
        let server = try ScriptedServer()
        let subjects = self.subjects
        self.server = server
        self.task = Task {
            let (peer, _) = try await server.acceptClient()
            /// Subject and sid.
            var subscriptions: [(Substring, Substring)] = []
            while true {
                let words = try await peer.readLine().split(separator: " ")
                switch words.first {
                case "PING": await peer.send("PONG\r\n")
                case "SUB": if words.count > 2 { subscriptions.append((words[1], words[words.count - 1])) }
                case "PUB":
                    _ = try await peer.readLine()
                    guard words.count == 4 else { continue }
                    let reply = words[2]
                    let sid = subscriptions.last { subject, _ in
                        subject == reply || subject.hasSuffix("*") && reply.hasPrefix(subject.dropLast())
                    }?.1
                    subjects.update { $0.append(String(words[1])) }
                    for message in answer(String(words[1])) {
                        await Self.send(message, to: reply, sid ?? "0", peer)
                    }
                default: break
                }
            }
        }
    }

    deinit { self.task.cancel() }

    private static func send(_ reply: Reply, to subject: Substring, _ sid: Substring, _ peer: RawConnection) async {
        switch reply {
        case .silence: break
        case .noResponders:
            let header = "NATS/1.0 503\r\n\r\n"
            await peer.send("HMSG \(subject) \(sid) \(header.utf8.count) \(header.utf8.count)\r\n\(header)\r\n")
        case .page(let id, let name, let page):
            let text = #"{"server":{"id":"\#(id)","name":"\#(name)"},"data":\#(page)}"#
            await peer.send("MSG \(subject) \(sid) \(text.utf8.count)\r\n\(text)\r\n")
        }
    }
}
