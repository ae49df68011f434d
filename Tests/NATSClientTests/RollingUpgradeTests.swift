import Foundation
import NATSTestServer
import NATSTestSupport
import Testing

@testable import NATSClient

/// Rolling upgrades under load: everything that is published arrives exactly once.
@Suite struct RollingUpgradeTests {
    /// Publishes numbers until it is told to stop; how many.
    private func publish(
        until isOver: Watched<Bool>,
        _ send: @escaping @Sendable (Int) async throws -> Void
    ) -> Task<Int, any Error> {
        Task {
            var number = 0
            while !isOver.value {
                try await send(number)
                number += 1
            }
            return number
        }
    }

    /// Collects payloads of a subscription until it ends.
    private func collect(_ subscription: NATSSubscription) -> (texts: Watched<[String]>, task: Task<Void, any Error>) {
        let texts = Watched<[String]>([])
        let task = Task {
            for try await message in subscription {
                texts.update { $0.append("\(message.subject) \(message.string)") }
            }
        }
        return (texts, task)
    }

    private func migratingConfiguration(_ urls: String...) -> NATSClientConfiguration {
        var configuration = NATSClientConfiguration(servers: urls)
        configuration.randomizeServers = false
        configuration.connectTimeout = .seconds(20)
        configuration.lameDuck = .migrate
        configuration.migrationDelay = .milliseconds(50)
        // Servers on a busy machine may forward a message late.
        configuration.migrationLead = .seconds(1)
        configuration.migrationOverlap = .seconds(1)
        configuration.migrationAnswerLimit = .seconds(60)
        return configuration
    }

    @Test("two of our servers that get the same stream: nothing is lost or doubled, in the order of the publisher")
    func ours() async throws {
        var options = NATSTestServer.Options()
        // The publisher's connection to A must last to the end.
        options.lameDuckGracePeriod = .seconds(600)
        try await NATSTestServer.withServer(options) { a in
            try await NATSTestServer.withServer { b in
                try await withTestClient(quickConfiguration(a.clientURL)) { toA in
                    try await withTestClient(quickConfiguration(b.clientURL)) { toB in
                        try await withTestClient(self.migratingConfiguration(a.clientURL, b.clientURL)) { client in
                            let events = EventRecorder(client)
                            let (texts, collecting) = self.collect(try await client.subscribe("p", confirm: true))
                            let isOver = Watched(false)
                            // What a cluster does: both servers have every message. Each comes twice, with equal bytes.
                            let publishing = self.publish(until: isOver) { number in
                                // B first: what A brings has been with B already, as if it had come from there.
                                for server in [toB, toA] {
                                    try await server.publish("\(number)", to: "p", headers: ["N": "\(number)"])
                                    try await server.publish("\(number)", to: "p", headers: ["N": "\(number)"])
                                    try await server.flush(timeout: .seconds(60))
                                }
                            }
                            let going = Task { await a.enterLameDuckMode() }
                            await events.wait { if case .migrated = $0 { true } else { false } }
                            let count = texts.value.count
                            _ = await texts.wait { $0.count > count + 200 }
                            isOver.update { $0 = true }
                            let published = try await publishing.value
                            try await toB.flush(timeout: .seconds(60))
                            try await client.drain(timeout: .seconds(60))
                            try await collecting.value
                            let expected = (0..<published).flatMap { ["p \($0)", "p \($0)"] }
                            #expect(texts.value == expected)
                            #expect(client.serverInfo?.id == b.serverID)
                            await a.stop()
                            await going.value
                        }
                    }
                }
            }
        }
    }

    @Test(
        "a cluster of two official servers: plain and queue subscriptions, requests and publishes, each exactly once",
        .enabled(if: ServerUnderTest.available.contains(.official))
    )
    func official() async throws {
        let routes = [try ReservedPort(), try ReservedPort()]
        func text(_ own: Int, _ other: Int) -> String {
            """
            server_name: s\(own)
            lame_duck_duration: "180s"
            lame_duck_grace_period: "120s"
            cluster { name: c, listen: "127.0.0.1:\(routes[own].port)", routes: ["nats://127.0.0.1:\(routes[other].port)"] }

            """
        }
        let a = try await OfficialServer.start(configurationText: text(0, 1))
        let b = try await OfficialServer.start(configurationText: text(1, 0))
        do {
            try await self.upgrade(a, b)
        } catch {
            await a.stop()
            await b.stop()
            throw error
        }
        await a.stop()
        await b.stop()
        for route in routes {
            route.release()
        }
    }

    private func upgrade(_ a: OfficialServer, _ b: OfficialServer) async throws {
        try await withTestClient(quickConfiguration(b.url)) { other in
            try await withTestClient(self.migratingConfiguration(a.url, b.url)) { client in
                try await withTestClient(self.migratingConfiguration(a.url, b.url)) { publisher in
                    let events = EventRecorder(client)
                    let publisherEvents = EventRecorder(publisher)
                    let plain = self.collect(try await client.subscribe("p.*", confirm: true))
                    let mine = self.collect(try await client.subscribe("q", queue: "g", confirm: true))
                    let others = self.collect(try await other.subscribe("q", queue: "g", confirm: true))
                    // The servers know each other's subscriptions.
                    try await eventually {
                        try await other.publish("", to: "p.ready")
                        try await other.flush(timeout: .seconds(60))
                        return !plain.texts.value.isEmpty
                    }
                    let slow = try await other.subscribe("slow", confirm: true)
                    try await eventually {
                        (try? await client.request("", to: "slow", timeout: .milliseconds(200)))?.string == nil
                            && slow.statistics.pendingMessages > 0
                    }
                    let before = slow.statistics.pendingMessages
                    let asking = Task { try await client.request("late", to: "slow", timeout: .seconds(120)) }
                    try await eventually { slow.statistics.pendingMessages > before }

                    let isOver = Watched(false)
                    let fromB = self.publish(until: isOver) { number in
                        try await other.publish("\(number)", to: "p.b")
                        try await other.publish("b\(number)", to: "q")
                        if number % 20 == 0 {
                            try await other.flush(timeout: .seconds(60))
                        }
                    }
                    let fromA = self.publish(until: isOver) { number in
                        try await publisher.publish("\(number)", to: "p.a")
                        try await publisher.publish("a\(number)", to: "q")
                        if number % 20 == 0 {
                            try await publisher.flush(timeout: .seconds(60))
                        }
                    }
                    _ = await plain.texts.wait { $0.count > 200 }
                    a.signal(SIGUSR2)
                    await events.wait { if case .migrated = $0 { true } else { false } }
                    await publisherEvents.wait { if case .migrated = $0 { true } else { false } }
                    #expect(client.serverInfo?.name == "s1" && publisher.serverInfo?.name == "s1")
                    let count = plain.texts.value.count
                    _ = await plain.texts.wait { $0.count > count + 1000 }
                    isOver.update { $0 = true }
                    let publishedB = try await fromB.value
                    let publishedA = try await fromA.value
                    while let request = try await slow.next(timeout: .seconds(60)) {
                        if request.string == "late" {
                            try await request.respond("ok")
                            break
                        }
                    }
                    #expect(try await asking.value.string == "ok")
                    try await publisher.flush(timeout: .seconds(60))
                    try await other.flush(timeout: .seconds(60))
                    _ = await plain.texts.wait { texts in
                        texts.count { $0.hasPrefix("p.a ") } >= publishedA
                            && texts.count { $0.hasPrefix("p.b ") } >= publishedB
                    }
                    _ = await mine.texts.wait { $0.count + others.texts.value.count >= publishedA + publishedB }
                    try await client.drain(timeout: .seconds(60))
                    try await other.drain(timeout: .seconds(60))
                    _ = await (plain.task.result, mine.task.result, others.task.result)
                    let texts = plain.texts.value
                    #expect(texts.filter { $0.hasPrefix("p.b ") } == (0..<publishedB).map { "p.b \($0)" })
                    // This one changed servers himself: each of his messages came once.
                    #expect(
                        texts.filter { $0.hasPrefix("p.a ") }.compactMap { Int($0.dropFirst(4)) }.sorted()
                            == Array(0..<publishedA)
                    )
                    let shared = mine.texts.value + others.texts.value
                    for (letter, published) in [("a", publishedA), ("b", publishedB)] {
                        let numbers = shared.filter { $0.hasPrefix("q " + letter) }.compactMap { Int($0.dropFirst(3)) }
                        #expect(numbers.sorted() == Array(0..<published))
                    }
                    for recorder in [events, publisherEvents] {
                        #expect(!recorder.names.contains("disconnected") || recorder.names.contains("closed"))
                        #expect(!recorder.names.contains("reconnected"))
                    }
                }
            }
        }
    }
}
