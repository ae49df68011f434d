// The second sample of README.md, between the marks.
// snippet.show
import NATSClient
import NATSTestServer

try await NATSTestServer.withServer { server in
    let configuration = NATSClientConfiguration(servers: [server.clientURL])
    try await NATSClient.withClient(configuration) { client in
        let messages = try await client.subscribe("orders.>")
        try await client.publish("3 apples", to: "orders.fruit")
        let message = try await messages.next(timeout: .seconds(5))
        print(message?.subject ?? "nothing", message?.string ?? "")
    }
}
// snippet.hide
