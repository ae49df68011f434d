import NATSClient

// A consumer that needs a while for each message, a publisher that does not wait for it, and what helps.
//
//     slow-consumers [URL]

let url = CommandLine.arguments.dropFirst().first ?? "nats://127.0.0.1:4222"
let count = 2000

/// What a message costs its consumer.
func work(on message: NATSMessage) async throws {
    try await Task.sleep(for: .milliseconds(1))
}

/// Takes everything that comes until nothing has come for a while.
func consume(_ subscription: NATSSubscription) async throws -> Int {
    var taken = 0
    while true {
        do {
            guard let message = try await subscription.next(timeout: .milliseconds(500)) else {
                return taken
            }
            try await work(on: message)
            taken += 1
        } catch let error as NATSError where error.code == .slowConsumer {
            // Told once for each loss; what is there is still there.
            continue
        } catch let error as NATSError where error.code == .timeout {
            return taken
        }
    }
}

let few = NATSClientConfiguration.PendingLimits(messages: 100)

try await NATSClient.withClient(.init(servers: [url])) { client in
    // The trouble.
    let slow = try await client.subscribe("sensors.north", limits: few)
    async let taken = consume(slow)
    for number in 0..<count {
        try await client.publish("\(number)", to: "sensors.north")
    }
    print("alone: \(try await taken) taken, \(slow.droppedCount) lost")
    slow.unsubscribe()

    // More hands: the members of a queue group share the messages.
    var members: [NATSSubscription] = []
    for _ in 0..<8 {
        members.append(try await client.subscribe("sensors.>", queue: "readers", limits: .init(messages: count)))
    }
    let shared = try await withThrowingTaskGroup(of: Int.self) { group in
        for member in members {
            group.addTask { try await consume(member) }
        }
        for number in 0..<count {
            try await client.publish("\(number)", to: "sensors.north")
        }
        var taken = 0
        for try await part in group {
            taken += part
        }
        return taken
    }
    print("a queue group of \(members.count): \(shared) taken, \(members.reduce(0) { $0 + $1.droppedCount }) lost")
    for member in members {
        member.unsubscribe()
    }

    // Smaller streams: everybody subscribes to a part.
    let parts = ["north", "east", "south", "west"]
    let divided = try await withThrowingTaskGroup(of: Int.self) { group in
        for part in parts {
            let subscription = try await client.subscribe("sensors.\(part)", limits: .init(messages: count))
            group.addTask { try await consume(subscription) }
        }
        for number in 0..<count {
            try await client.publish("\(number)", to: "sensors.\(parts[number % parts.count])")
        }
        var taken = 0
        for try await part in group {
            taken += part
        }
        return taken
    }
    print("\(parts.count) parts of the subject: \(divided) taken")

    // A meter: every fiftieth message is a request, whose answer says that the consumer is that far.
    let metered = try await client.subscribe("sensors.north", limits: few)
    async let measured: Int = {
        var taken = 0
        while taken < count, let message = try await metered.next() {
            try await work(on: message)
            taken += 1
            if message.hasReply {
                try await message.respond("here")
            }
        }
        return taken
    }()
    for number in 1...count {
        if number.isMultiple(of: 50) {
            _ = try await client.request("\(number)", to: "sensors.north", timeout: .seconds(30))
        } else {
            try await client.publish("\(number)", to: "sensors.north")
        }
    }
    print("a meter: \(try await measured) taken, \(metered.droppedCount) lost")
}
