/// A client that asks the system account, or listens to it.
package struct SystemClient: Sendable {
    /// A message for the client.
    package struct Message: Sendable, Equatable {
        package var subject: String
        package var header: String
        package var payload: [UInt8]

        package var text: String { String(decoding: self.payload, as: UTF8.self) }
    }

    package let connection: RawConnection

    package init(_ connection: RawConnection) { self.connection = connection }

    /// The next message.
    package func next(fileID: String = #fileID, line: Int = #line) async throws -> Message {
        let words = try await self.connection.readLine(fileID: fileID, line: line).split(separator: " ")
        guard words.count >= 4, let size = words.last.flatMap({ Int($0) }) else {
            throw UnexpectedLine(description: "no message but \(words.joined(separator: " "))")
        }
        let headerSize = words[0] == "HMSG" ? Int(words[words.count - 2]) ?? 0 : 0
        let bytes = try await self.connection.read(count: size + 2, fileID: fileID, line: line)
        return Message(
            subject: String(words[1]),
            header: String(decoding: bytes.prefix(headerSize), as: UTF8.self),
            payload: Array(bytes.dropFirst(headerSize).dropLast(2))
        )
    }

    package struct UnexpectedLine: Error, CustomStringConvertible {
        package let description: String
    }

    /// Publishes a request with an inbox of its own.
    package func send(_ subject: String, _ payload: String, reply: String, header: String = "") async {
        guard !header.isEmpty else {
            await self.connection.send("PUB \(subject) \(reply) \(payload.utf8.count)\r\n\(payload)\r\n")
            return
        }
        let block = "NATS/1.0\r\n\(header)\r\n\r\n"
        let sizes = "\(block.utf8.count) \(block.utf8.count + payload.utf8.count)"
        await self.connection.send("HPUB \(subject) \(reply) \(sizes)\r\n\(block)\(payload)\r\n")
    }

    /// The server's identity, as the system account tells it.
    package func serverID() async throws -> String {
        let answers = try await self.answers("$SYS.REQ.SERVER.PING.IDZ", fence: "$SYS.REQ.SERVER.PING.IDZ")
        let id = answers.first?.text.split(separator: "\"id\":\"").last.map { String($0.prefix(56)) } ?? ""
        guard id.count == 56 else { throw UnexpectedLine(description: "no identity in \(answers)") }
        return id
    }

    /// What a request is answered with, silence included: the answer to a second request, of the same queue, ends it.
    package func answers(
        _ subject: String,
        _ payload: String = "",
        header: String = "",
        fence: String,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [Message] {
        await self.connection.send("SUB _INBOX.answer 90\r\nSUB _INBOX.fence 91\r\n")
        await self.send(subject, payload, reply: "_INBOX.answer", header: header)
        await self.send(fence, "", reply: "_INBOX.fence")
        var answers: [Message] = []
        while true {
            let message = try await self.next(fileID: fileID, line: line)
            if message.subject == "_INBOX.fence" { break }
            answers.append(message)
        }
        try await self.connection.flush("UNSUB 90\r\nUNSUB 91\r\n", fileID: fileID, line: line)
        return answers
    }
}
