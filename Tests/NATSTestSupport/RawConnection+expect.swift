/// The peer did not say what the test expects.
package struct UnexpectedBytes: Error, CustomStringConvertible {
    package let description: String

    init(_ problem: String, expected: String, inbox: RawConnection.Inbox, fileID: String, line: Int) {
        let state =
            switch inbox.end {
            case .none: "connection open"
            case .closed: "connection closed"
            case .reset: "connection reset"
            }
        self.description =
            "\(problem) at \(fileID):\(line)\n  expected \(expected)\n  received \(describe(inbox.bytes)), \(state)"
    }
}

extension RawConnection {
    /// How long a peer may take before a test fails; only reached when something is wrong.
    package static let patience: Duration = .seconds(120)

    /// What has arrived and is not read yet.
    package var unread: [UInt8] { self.inbox.value.bytes }

    /// Waits for exactly these bytes, which are then read.
    ///
    /// - Throws: ``UnexpectedBytes`` as soon as anything else arrives, the connection ends or `timeout` passes.
    package func expect(
        _ text: String,
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        try await self.expect(Array(text.utf8), timeout: timeout, fileID: fileID, line: line)
    }

    /// Waits for exactly these bytes, which are then read.
    ///
    /// - Throws: ``UnexpectedBytes`` as soon as anything else arrives, the connection ends or `timeout` passes.
    package func expect(
        _ bytes: [UInt8],
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        let inTime = await self.inbox.wait(timeout: timeout) { inbox in
            inbox.bytes.count >= bytes.count || inbox.end != nil || !bytes.starts(with: inbox.bytes)
        }
        let inbox = self.inbox.value
        guard inbox.bytes.starts(with: bytes) else {
            throw UnexpectedBytes(
                inTime ? "unexpected bytes" : "nothing more within \(timeout)",
                expected: describe(bytes),
                inbox: inbox,
                fileID: fileID,
                line: line
            )
        }
        self.inbox.update { $0.bytes.removeFirst(bytes.count) }
    }

    /// Waits for exactly these bytes and then the end of the connection, with nothing in between.
    package func expect(
        _ text: String,
        thenEndWithin timeout: Duration,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        try await self.expect(text, timeout: timeout, fileID: fileID, line: line)
        try await self.expectEnd(timeout: timeout, fileID: fileID, line: line)
    }

    /// Waits for the peer to end the connection without another byte.
    package func expectEnd(
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        let inTime = await self.inbox.wait(timeout: timeout) { !$0.bytes.isEmpty || $0.end != nil }
        let inbox = self.inbox.value
        guard inbox.bytes.isEmpty, inbox.end != nil else {
            throw UnexpectedBytes(
                inTime ? "bytes before the end" : "no end within \(timeout)",
                expected: "the end of the connection",
                inbox: inbox,
                fileID: fileID,
                line: line
            )
        }
    }

    /// Proves that nothing was sent up to now: the answer to a PING is the next thing that arrives.
    package func expectNothing(fileID: String = #fileID, line: Int = #line) async throws {
        await self.send("PING\r\n")
        try await self.expect("PONG\r\n", fileID: fileID, line: line)
    }

    /// Reads up to and including the marker.
    package func read(
        until marker: String,
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [UInt8] {
        let marker = Array(marker.utf8)
        _ = await self.inbox.wait(timeout: timeout) { $0.end != nil || $0.bytes.endOfFirst(marker) != nil }
        let inbox = self.inbox.value
        guard let end = inbox.bytes.endOfFirst(marker) else {
            throw UnexpectedBytes(
                "no end of what was expected",
                expected: "something that ends in \(describe(marker))",
                inbox: inbox,
                fileID: fileID,
                line: line
            )
        }
        self.inbox.update { $0.bytes.removeFirst(end) }
        return Array(inbox.bytes[..<end])
    }

    /// Reads one line, returned without its CR LF.
    package func readLine(
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> String {
        let bytes = try await self.read(until: "\r\n", timeout: timeout, fileID: fileID, line: line)
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    /// Reads an INFO line as servers send it, `INFO {…} ` CR LF; returns the JSON text.
    @discardableResult
    package func readInfo(
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> String {
        let text = try await self.readLine(timeout: timeout, fileID: fileID, line: line)
        guard text.hasPrefix("INFO {"), text.hasSuffix("} ") else {
            throw UnexpectedBytes(
                "no INFO line",
                expected: "INFO {…} ",
                inbox: Inbox(bytes: Array(text.utf8), end: self.inbox.value.end),
                fileID: fileID,
                line: line
            )
        }
        return String(text.dropFirst("INFO ".count).dropLast())
    }

    /// Reads everything up to the end of the connection.
    package func readToEnd(
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [UInt8] {
        _ = await self.inbox.wait(timeout: timeout) { $0.end != nil }
        let inbox = self.inbox.value
        guard inbox.end != nil else {
            throw UnexpectedBytes(
                "no end within \(timeout)",
                expected: "the end of the connection",
                inbox: inbox,
                fileID: fileID,
                line: line
            )
        }
        self.inbox.update { $0.bytes = [] }
        return inbox.bytes
    }

    /// Reads exactly `count` bytes.
    package func read(
        count: Int,
        timeout: Duration = patience,
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [UInt8] {
        _ = await self.inbox.wait(timeout: timeout) { $0.bytes.count >= count || $0.end != nil }
        let inbox = self.inbox.value
        guard inbox.bytes.count >= count else {
            throw UnexpectedBytes(
                "too few bytes",
                expected: "\(count) bytes",
                inbox: inbox,
                fileID: fileID,
                line: line
            )
        }
        self.inbox.update { $0.bytes.removeFirst(count) }
        return Array(inbox.bytes[..<count])
    }
}

extension RawConnection {
    /// Waits until what has arrived satisfies the condition; false when `timeout` has passed.
    package func wait(
        timeout: Duration = patience,
        until condition: @escaping @Sendable (Inbox) -> Bool
    ) async -> Bool {
        await self.inbox.wait(timeout: timeout, until: condition)
    }

    /// Sends, and waits until the server has handled it.
    package func flush(_ text: String, fileID: String = #fileID, line: Int = #line) async throws {
        await self.send(text + "PING\r\n")
        try await self.expect("PONG\r\n", fileID: fileID, line: line)
    }

    /// Waits until the server has handled everything; of what has arrived only the PONG goes.
    package func flushKeepingInput(fileID: String = #fileID, line: Int = #line) async throws {
        await self.send("PING\r\n")
        let pong = Array("PONG\r\n".utf8)
        let inTime = await self.inbox.wait(timeout: Self.patience) {
            $0.end != nil || $0.bytes.firstRange(of: pong) != nil
        }
        let isThere = self.inbox.update { inbox in
            guard let range = inbox.bytes.firstRange(of: pong) else { return false }
            inbox.bytes.removeSubrange(range)
            return true
        }
        guard !isThere else { return }
        throw UnexpectedBytes(
            inTime ? "no PONG" : "nothing more within \(Self.patience)",
            expected: describe(pong),
            inbox: self.inbox.value,
            fileID: fileID,
            line: line
        )
    }

    /// True once the peer has ended the connection.
    package var hasEnded: Bool { self.inbox.value.end != nil }

    /// How many of the server's PINGs were answered and not shown.
    package var answeredPings: Int { self.inbox.value.answeredPings }

    /// Everything that has arrived and was not read.
    package func takeAll() -> [UInt8] {
        self.inbox.update { inbox in
            let bytes = inbox.bytes
            inbox.bytes = []
            return bytes
        }
    }
}
