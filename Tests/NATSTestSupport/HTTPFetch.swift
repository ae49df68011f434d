/// An answer to an HTTP request.
package struct HTTPAnswer: Sendable {
    package var statusLine: String
    /// In the order in which they came.
    package var headers: [(name: String, value: String)] = []
    /// Without the framing of chunks.
    package var body: [UInt8] = []

    package var status: Int { Int(self.statusLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    package var text: String { String(decoding: self.body, as: UTF8.self) }

    package func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

extension RawConnection {
    /// Sends a request and reads its answer; the connection can be used further if the server keeps it open.
    ///
    /// `headers` are whole lines without their ends. There is no body after `HEAD`.
    package func fetch(
        _ target: String,
        method: String = "GET",
        headers: [String] = [],
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> HTTPAnswer {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers
        await self.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try await self.readAnswer(hasBody: method != "HEAD", fileID: fileID, line: line)
    }

    /// Reads one answer.
    package func readAnswer(
        hasBody: Bool = true,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> HTTPAnswer {
        let head = String(decoding: try await self.read(until: "\r\n\r\n", fileID: fileID, line: line), as: UTF8.self)
        // CR LF is one Character.
        var lines = head.split(separator: "\r\n")
        var answer = HTTPAnswer(statusLine: String(lines.removeFirst()))
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            answer.headers.append((String(parts[0]), value))
        }
        guard hasBody else { return answer }
        if answer.header("Transfer-Encoding") == "chunked" {
            while true {
                let size = Int(try await self.readLine(fileID: fileID, line: line), radix: 16) ?? 0
                let chunk = try await self.read(count: size + 2, fileID: fileID, line: line)
                answer.body += chunk.dropLast(2)
                if size == 0 { return answer }
            }
        }
        if let length = answer.header("Content-Length").flatMap({ Int($0) }) {
            answer.body = try await self.read(count: length, fileID: fileID, line: line)
        } else {
            answer.body = try await self.readToEnd(fileID: fileID, line: line)
        }
        return answer
    }
}

/// Fetches path and query from 127.0.0.1 over a connection of its own.
package func fetch(
    _ target: String,
    port: Int,
    method: String = "GET",
    fileID: String = #fileID,
    line: Int = #line
) async throws -> HTTPAnswer {
    let connection = try RawConnection.connect(port: port)
    defer { connection.close() }
    return try await connection.fetch(target, method: method, fileID: fileID, line: line)
}
