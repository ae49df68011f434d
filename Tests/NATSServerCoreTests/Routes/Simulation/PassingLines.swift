import NATSTestServer
import NATSTestSupport

/// Counts what servers send to each other, by the relays of a cluster.
final class PassingLines: Sendable {
    struct Counts: Hashable {
        var connects = 0
        /// INFO of the sender.
        var infos = 0
        /// INFO of somebody else.
        var gossip = 0
        var interest = 0
        var noInterest = 0
    }

    /// One direction of a connection.
    fileprivate struct Stream {
        var cut: [UInt8] = []
        /// Bytes of a payload that are still to come.
        var payload = 0
        /// Whom the first INFO was about.
        var serverID: String?
        var dedicatedInterest = 0
    }

    fileprivate struct Key: Hashable {
        let connection: ObjectIdentifier
        let isDialler: Bool
    }

    fileprivate struct State {
        var counts = Counts()
        var pings = 0
        fileprivate var streams: [Key: Stream] = [:]
    }

    private let state = Watched(State())

    var counts: Counts { self.state.value.counts }
    var pings: Int { self.state.value.pings }

    @Sendable
    func observe(_ passing: NATSTestCluster.Passing) {
        let key = Key(connection: passing.connection, isDialler: passing.isDialler)
        self.state.update { state in
            var stream = state.streams.removeValue(forKey: key) ?? Stream()
            stream.cut += passing.bytes
            while let line = stream.nextLine() { state.count(line, &stream) }
            state.streams[key] = stream
        }
    }

    /// How many keys a server's own interest in the system account has: all servers here are the same.
    func systemKeys() async throws -> Int {
        // A dedicated connection carries no account names; each direction has told the same once it is complete.
        var last = 0
        try await eventually("the same interest in the system account from everybody") {
            let counts = self.state.value.streams.values.map(\.dedicatedInterest).filter { $0 > 0 }
            defer { last = counts.first ?? 0 }
            return counts.count == 6 && Set(counts).count == 1 && counts.first == last
        }
        return last
    }
}

extension PassingLines.Stream {
    /// Takes the next whole line, past payloads.
    fileprivate mutating func nextLine() -> String? {
        let skipped = min(self.payload, self.cut.count)
        self.cut.removeFirst(skipped)
        self.payload -= skipped
        guard self.payload == 0, let end = self.cut.firstIndex(of: 0x0a) else { return nil }
        let line = String(decoding: self.cut[..<end], as: UTF8.self).filter { $0 != "\r" }
        self.cut.removeFirst(end + 1)
        return line
    }
}

extension PassingLines.State {
    fileprivate mutating func count(_ line: String, _ stream: inout PassingLines.Stream) {
        let fields = line.split(separator: " ")
        switch fields.first {
        case "CONNECT": self.counts.connects += 1
        case "INFO":
            let id = line.firstRange(of: "\"server_id\":\"").map {
                String(line[$0.upperBound...].prefix { $0 != "\"" })
            }
            if stream.serverID == nil { stream.serverID = id }
            if stream.serverID == id { self.counts.infos += 1 } else { self.counts.gossip += 1 }
        case "PING": self.pings += 1
        case "RS+":
            self.counts.interest += 1
            if fields.count > 1, fields[1].hasPrefix("$SYS.") { stream.dedicatedInterest += 1 }
        case "RS-": self.counts.noInterest += 1
        case "RMSG", "HMSG", "LMSG": stream.payload = (fields.last.flatMap { Int($0) } ?? 0) + 2
        default: break
        }
    }
}
