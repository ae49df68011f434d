import Foundation
import NATSClient
import NATSFoundation
import NATSTestSupport
import Testing

@Suite struct CodableTests {
    private struct Order: Codable, Sendable, Hashable {
        var item: String
        var count: Int
        var ordered: Date
    }

    private let order = Order(item: "apples", count: 3, ordered: Date(timeIntervalSince1970: 1_700_000_000))

    @Test("values are published and received as JSON")
    func publish() async throws {
        try await withClient { client, _ in
            let messages = try await client.subscribe("orders")
            try await client.publish(encoding: self.order, to: "orders", headers: ["A": "b"])
            let message = try #require(try await messages.next(timeout: .seconds(30)))
            #expect(try message.decode(Order.self) == self.order)
            #expect(message.headers == ["A": "b"])
            #expect(throws: DecodingError.self) { try message.decode([Int].self) }
            let expected: Order = try JSONDecoder().decode(Order.self, from: message.data)
            #expect(expected == self.order)
        }
    }

    @Test("values are requested and responded with a coder of one's own")
    func request() async throws {
        try await withClient { client, _ in
            let coder = NATSJSONCoder {
                $0.dateEncodingStrategy = .iso8601
                $0.outputFormatting = .sortedKeys
            } decoder: {
                $0.dateDecodingStrategy = .iso8601
            }
            let requests = try await client.subscribe("double")
            async let responder: Void = {
                let request = try #require(try await requests.next(timeout: .seconds(30)))
                #expect(request.string == #"{"count":3,"item":"apples","ordered":"2023-11-14T22:13:20Z"}"#)
                var order = try request.decode(Order.self, using: coder)
                order.count *= 2
                try await request.respond(encoding: order, using: coder)
            }()
            let doubled = try await client.request(
                encoding: self.order,
                to: "double",
                returning: Order.self,
                using: coder
            )
            try await responder
            #expect(doubled.count == 6)
            #expect(doubled.ordered == self.order.ordered)
        }
    }

    @Test("an error of a service is thrown, also if its payload could be a value")
    func serviceErrors() async throws {
        struct Loose: Codable {
            var item: String?
        }
        try await withClient { client, _ in
            let requests = try await client.subscribe("double")
            async let responder: Void = {
                let request = try #require(try await requests.next(timeout: .seconds(30)))
                try await request.respond(
                    "{}",
                    headers: ["Nats-Service-Error": "no", "Nats-Service-Error-Code": "400"]
                )
            }()
            await #expect(throws: NATSServiceError(code: 400, "no")) {
                _ = try await client.request(encoding: Loose(), to: "double", returning: Loose.self)
            }
            try await responder
        }
    }

    @Test("data is a payload, empty and not")
    func data() async throws {
        try await withClient { client, _ in
            let messages = try await client.subscribe("data")
            for data in [Data(), Data([0, 1, 255]), Data(repeating: 7, count: 100_000).dropFirst(50_000)] {
                try await client.publish(data, to: "data")
                #expect(try await messages.next(timeout: .seconds(30))?.data == data)
            }
        }
    }
}
