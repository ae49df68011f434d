// The first sample of README.md, between the marks; needs a server on the default port when it runs.
// snippet.show
import NATSClient

let configuration = NATSClientConfiguration(servers: ["nats://127.0.0.1:4222"])

try await NATSClient.withClient(configuration) { client in
    // One of however many greeters there are: the queue group shares the requests out.
    let requests = try await client.subscribe("greet.*", queue: "greeters")
    async let greeter: Void = {
        for try await request in requests {
            try await request.respond("Hello, \(request.string)!")
        }
    }()

    let answer = try await client.request("World", to: "greet.en", timeout: .seconds(1))
    print(answer.string)

    try await client.publish("greeted World", to: "log.greetings", headers: ["Language": "en"])
    requests.unsubscribe()
    try await greeter
}
// snippet.hide
