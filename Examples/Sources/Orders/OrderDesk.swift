public import NATSClient

/// Takes orders by request, and tells everybody of those that it has taken.
public struct OrderDesk: Sendable {
    private let client: NATSClient

    /// A desk on a client of the application.
    public init(client: NATSClient) {
        self.client = client
    }

    /// Takes orders until the client ends.
    public func run() async throws {
        let client = self.client
        try await client.handle("orders.place", queue: "desk", concurrency: 4) { request in
            let order = request.string
            guard !order.isEmpty else {
                try await request.respond("nothing ordered", headers: ["Status": "400"])
                return
            }
            try await client.publish(order, to: "orders.placed")
            try await request.respond("taken", headers: ["Status": "200"])
        }
    }

    /// Places an order from anywhere.
    ///
    /// - Returns: whether it was taken.
    /// - Throws: `NATSError`; with the code `noResponders` if there is no desk.
    public static func place(_ order: String, over client: NATSClient) async throws -> Bool {
        let answer = try await client.request(order, to: "orders.place", timeout: .seconds(5))
        return answer.headers["Status"] == "200"
    }
}
