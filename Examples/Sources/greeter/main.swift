import Logging
import NATSClient
import NATSServiceLifecycle
import NATSServices
import ServiceLifecycle

// A service as server applications have it: the group runs the client and the service, and ends both when the process is told to
// end. Requests that have arrived by then are answered.
//
//     greeter [URL] &
//     nats-req greet.en World
//     kill %1

let logger = Logger(label: "greeter")
let url = CommandLine.arguments.dropFirst().first ?? "nats://127.0.0.1:4222"
var configuration = NATSClientConfiguration(servers: [url])
configuration.name = "greeter"
configuration.retryOnFailedConnect = true
let client = try await NATSClient.connect(configuration, logger: logger)

let words = ["en": "Hello", "de": "Hallo", "fr": "Bonjour"]
let service = try NATSService(.init(name: "greeter", version: "1.0.0", description: "greets people"), client: client)
try await service.group("greet").addEndpoint("greet", subject: "*", concurrency: 16) { request in
    let language = request.subject.split(separator: ".").last.map(String.init) ?? ""
    guard let word = words[language] else {
        throw NATSServiceError(code: 404, "no such language: \(language)")
    }
    try await request.respond("\(word), \(request.string)!")
}

let group = ServiceGroup(
    services: [client, NATSServiceRunner(service)],
    gracefulShutdownSignals: [.sigterm, .sigint],
    logger: logger
)
try await group.run()
