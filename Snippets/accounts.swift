// The third sample of README.md, between the marks.
// snippet.show
import NATSClient
import NATSTestServer

var options = NATSTestServer.Options()
options.accounts = [
    .init(
        name: "SHOP",
        users: [.init(name: "shop", password: "1")],
        exports: [.stream("orders.>"), .service("price.*")]
    ),
    .init(name: "WEB", users: [.init(name: "web", password: "2")], imports: [.stream("orders.>", from: "SHOP")]),
]
try await NATSTestServer.withServer(options) { server in
    try await NATSClient.withClient(.init(servers: [server.clientURL(user: "web", password: "2")])) { web in
        let orders = try await web.subscribe(">")
        try await web.flush()
        try await NATSClient.withClient(.init(servers: [server.clientURL(user: "shop", password: "1")])) { shop in
            try await shop.publish("12 left", to: "stock.apples")
            try await shop.publish("3 apples", to: "orders.fruit")
        }
        print(try await orders.next(timeout: .seconds(5))?.subject ?? "nothing")  // orders.fruit
    }
}
// snippet.hide
