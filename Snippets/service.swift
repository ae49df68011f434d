// The sample of README.md with a service, between the marks; needs a server on the default port when it runs.
// snippet.show
import NATSClient
import NATSServices

try await NATSClient.withClient { client in
    try await client.withService(.init(name: "sums", version: "1.0.0", description: "adds up")) { service in
        try await service.group("v1").addEndpoint("add", concurrency: 8) { request in
            let numbers = request.string.split(separator: " ").compactMap { Int($0) }
            guard !numbers.isEmpty else {
                throw NATSServiceError(code: 400, "no numbers")
            }
            try await request.respond("\(numbers.reduce(0, +))")
        }

        print(try await client.request("1 2 3", to: "v1.add").string)  // 6
        for instance in try await client.services.statistics(.service("sums")) {
            print(instance.identity.id, instance.endpoints.map(\.requests))
        }
    }
}
// snippet.hide
