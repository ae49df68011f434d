import NATSTestSupport
import NATSWire

/// A server with a few clients, some of them gone, whose monitoring pages are looked at.
struct MonitoringScene {
    let server: RunningServer
    let port: Int
    /// Kept so that they stay connected.
    private let clients: [RawConnection]
    /// Client ids by name.
    let ids: [String: String]

    static let configuration: ServerConfiguration = {
        var configuration = ServerConfiguration(maxPayload: 1000)
        configuration.monitoring = true
        configuration.systemAccount = false
        return configuration
    }()

    struct NoMonitoring: Error {}

    init(_ server: RunningServer) async throws {
        guard let port = server.monitoringPort else { throw NoMonitoring() }
        self.server = server
        self.port = port
        func options(_ name: String, _ more: String = "") -> String {
            "{\"verbose\":false,\"pedantic\":false,\"lang\":\"test\",\"version\":\"1.0\",\"name\":\"\(name)\"\(more)}"
        }
        func flushed(_ connection: RawConnection, _ text: String) async throws {
            await connection.send(text + "PING\r\n")
            _ = try await connection.read(until: "PONG\r\n")
        }
        let alpha = try await server.connect(options: options("alpha", ",\"user\":\"app\",\"pass\":\"secret\""))
        try await flushed(
            alpha,
            "SUB foo 1\r\nSUB orders.* wk 2\r\nUNSUB 2 5\r\nSUB <&>.µ 3\r\nSUB gone 4\r\nUNSUB 4\r\n"
        )
        let beta = try await server.connect(options: options("beta", ",\"headers\":true,\"echo\":false"))
        try await flushed(beta, "SUB foo 1\r\nPUB foo 5\r\nhello\r\nPUB foo 0\r\n\r\n")
        try await flushed(beta, "HPUB orders.new 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB nobody 3\r\nabc\r\n")
        // Everything has arrived.
        try await flushed(alpha, "")
        let silent = try await server.connect()
        try await flushed(silent, "")

        let left = try await server.connect(options: options("left", ",\"auth_token\":\"secret\""))
        try await flushed(left, "SUB bye 9\r\nPUB foo 2\r\nok\r\n")
        left.close()
        let large = try await server.connect(options: options("large"))
        await large.send("PUB foo 1001\r\n")
        _ = try await large.readToEnd()
        let wrong = try await server.connect(options: options("wrong"))
        await wrong.send("nonsense\r\n")
        _ = try await wrong.readToEnd()
        try await flushed(alpha, "")
        try await flushed(beta, "")
        self.clients = [alpha, beta, silent]

        try await eventually("all that left are in the list") {
            let closed = try await fetch("/connz?state=closed", port: port).text
            let open = try await fetch("/connz", port: port).text
            // The last that the official server takes them out of (client.go closeConnection), after their subscriptions.
            let account = try await fetch("/accountz?acc=$G", port: port).text
            return closed.contains("\"total\": 3") && open.contains("\"total\": 3")
                && account.contains("\"client_connections\": 3")
        }
        var ids: [String: String] = [:]
        let list = try JSONValue.parse(try await fetch("/connz?state=all", port: port).body)
        for connection in list["connections"].elements {
            ids[connection["name"].text] = connection["cid"].text
        }
        self.ids = ids
    }

    /// Fetches a target in which `{name}` stands for a client's id.
    func answer(_ target: String, method: String = "GET") async throws -> HTTPAnswer {
        var target = target
        for (name, id) in self.ids { target = target.replacing("{\(name)}", with: id) }
        return try await fetch(target, port: self.port, method: method)
    }
}

extension JSONValue {
    subscript(_ key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members.first { $0.key == key }?.value ?? .null
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { return elements }
        return []
    }

    var keys: [String] {
        if case .object(let members) = self { return members.map(\.key) }
        return []
    }

    /// A string's or number's text.
    var text: String {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let value): "\(value)"
        case .null: "null"
        case .array, .object: ""
        }
    }

    var type: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
