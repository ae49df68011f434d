import NATSTestSupport
import NIOConcurrencyHelpers

/// A server of one client at a time, of which a test says what `$SYS` answers.
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
    private let refusals = Watched(0)
    private let current = NIOLockedValueBox<RawConnection?>(nil)
    private let server: ScriptedServer
    private let task: Task<Void, any Error>

    var url: String { self.server.url }

    init(_ answer: @escaping @Sendable (_ subject: String) -> [Reply]) throws {
        let server = try ScriptedServer()
        let (subjects, refusals, current) = (self.subjects, self.refusals, self.current)
        self.server = server
        self.task = Task {
            while true {
                // Refusals of clients that come first.
                let mustRefuse = refusals.update { count in
                    defer { count = max(0, count - 1) }
                    return count > 0
                }
                if mustRefuse {
                    let peer = try await server.accept()
                    await peer.send(ScriptedServer.info(extra: #","auth_required":true"#))
                    _ = try? await peer.readLine()
                    await peer.send("-ERR 'Authorization Violation'\r\n")
                    peer.finishSending()
                    continue
                }
                let (peer, _) = try await server.acceptClient()
                current.withLockedValue { $0 = peer }
                try? await Self.serve(peer, subjects, answer)
                try Task.checkCancellation()
            }
        }
    }

    /// Ends the client's connection, and refuses the next ones.
    func refuse(_ count: Int) {
        self.refusals.update { $0 = count }
        self.current.withLockedValue { $0.take() }?.close()
    }

    /// Whether all that were to be refused have been.
    var hasRefusedAll: Bool { self.refusals.value == 0 }

    private static func serve(
        _ peer: RawConnection,
        _ subjects: Watched<[String]>,
        _ answer: @Sendable (_ subject: String) -> [Reply]
    ) async throws {
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
