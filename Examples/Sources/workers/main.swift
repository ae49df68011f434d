import NATSClient

// A pool of workers: each job goes to one of those that are there, in this process and in all others.
//
//     workers [URL [HANDLERS]] &
//     seq 1 1000 | while read n; do nats-pub jobs.resize "$n"; done

let arguments = CommandLine.arguments.dropFirst()
let url = arguments.first ?? "nats://127.0.0.1:4222"
let handlers = arguments.dropFirst().first.flatMap { Int($0) } ?? 4

var configuration = NATSClientConfiguration(servers: [url])
configuration.name = "worker"
// Jobs wait in this process: as few as keep it busy.
configuration.pendingLimits = .init(messages: 10_000, bytes: 64 << 20)

try await NATSClient.withClient(configuration) { client in
    async let watcher: Void = {
        for await event in client.events {
            if case .slowConsumer(let subscription, let dropped) = event {
                print("more jobs than hands on \(subscription.subject): \(dropped) lost; start another process")
            }
        }
    }()
    try await client.handle("jobs.>", queue: "workers", concurrency: handlers) { job in
        let kind = job.subject.split(separator: ".").dropFirst().joined(separator: ".")
        print("\(kind): \(job.string)")
        if job.hasReply {
            try await job.respond("done")
        }
    }
    await watcher
}
