import NATSClient
import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore

/// A client of ours that takes part.
final class OwnMember: DrillMember {
    private enum Phase {
        case idle, loading, stopping, ended
    }

    private struct State {
        var record: DrillRecord
        var load: [Task<Void, Never>] = []
        var watching: [Task<Void, Never>] = []
    }

    let client: NATSClient
    private let name: String
    private let family: DrillFamily
    private let options: DrillOptions
    private let phase = Watched(Phase.idle)
    private let state: NIOLockedValueBox<State>

    var record: DrillRecord { self.state.withLockedValue { $0.record } }

    /// Connects, and subscribes at the server.
    init(name: String, family: DrillFamily, servers: [String], options: DrillOptions) async throws {
        var configuration = NATSClientConfiguration(servers: servers)
        configuration.name = name
        configuration.lameDuck = family == .migrating ? .migrate : .notify
        options.configure(&configuration)
        self.client = try await NATSClient.connect(configuration)
        self.name = name
        self.family = family
        self.options = options
        self.state = NIOLockedValueBox(State(record: DrillRecord(name: name, family: family)))
        // Who has the first plain message has all the rest too: subscriptions reach other servers in their order.
        let jobs = try await self.client.subscribe("job.*", queue: family.rawValue)
        let requests = try await self.client.subscribe(DrillSubject.ask(family), queue: family.rawValue)
        let plain = try await self.client.subscribe("plain.*", confirm: true)
        let watching = [
            self.watchEvents(), self.watch(jobs) { $0.jobs[$1, default: SequenceTally()].record($2) },
            self.answer(requests), self.watchPlain(plain),
        ]
        self.state.withLockedValue { $0.watching = watching }
    }

    /// Whether it migrates, and is at this server.
    func hasToLeave(_ node: DrillNode) -> Bool {
        self.family == .migrating && self.client.serverInfo.map { node.isAt($0.url) } ?? true
    }

    func check() throws {
        if self.client.isClosed {
            throw DrillFailure("\(self.name) was closed: \(String(describing: self.client.lastError))")
        }
    }

    // MARK: What arrives

    private func watchEvents() -> Task<Void, Never> {
        let events = self.client.events
        return Task {
            for await event in events {
                switch event {
                case .reconnected: self.state.withLockedValue { $0.record.reconnects += 1 }
                case .migrated: self.state.withLockedValue { $0.record.migrations += 1 }
                default: break
                }
            }
        }
    }

    private func watch(
        _ subscription: NATSSubscription,
        _ count: @escaping @Sendable (inout DrillRecord, String, Int) -> Void
    ) -> Task<Void, Never> {
        Task {
            do {
                for try await message in subscription {
                    guard let number = Int(message.string) else { continue }
                    let publisher = DrillSubject.publisher(message.subject)
                    self.state.withLockedValue { count(&$0.record, publisher, number) }
                }
            } catch {
                self.complain("a subscription ended", error)
            }
        }
    }

    private func watchPlain(_ subscription: NATSSubscription) -> Task<Void, Never> {
        self.watch(subscription) { record, publisher, number in
            let isMeasured = self.phase.value == .loading
            record.arrived(from: publisher, number, at: isMeasured ? MonotonicTime.microseconds : nil)
        }
    }

    private func answer(_ subscription: NATSSubscription) -> Task<Void, Never> {
        Task {
            do {
                for try await request in subscription {
                    let fields = request.string.split(separator: " ")
                    if fields.count == 2, let number = Int(fields[1]) {
                        let requester = String(fields[0])
                        self.state.withLockedValue {
                            $0.record.asked[requester, default: SequenceTally()].record(number)
                        }
                    }
                    do {
                        try await request.respond(request.payload)
                    } catch {
                        self.complain("respond", error)
                    }
                }
            } catch {
                self.complain("requests ended", error)
            }
        }
    }

    /// Tells of an error, unless it is one of the end.
    private func complain(_ what: String, _ error: any Error) {
        if self.phase.value != .ended { self.options.say("\(self.name): \(what): \(error)") }
    }

    // MARK: Load

    func startLoad() {
        self.phase.update { $0 = .loading }
        let load =
            [Task { await self.publish() }] + self.options.families.map { family in Task { await self.ask(family) } }
        self.state.withLockedValue { $0.load = load }
    }

    private func publish() async {
        // Not all of them in the same moment: gaps are measured between messages.
        _ = await self.phase.wait(timeout: self.options.interval * Double.random(in: 0..<1)) { $0 != .loading }
        var number = 0
        while self.phase.value == .loading {
            do {
                try await self.client.publish("\(number)", to: DrillSubject.plain(self.name))
                try await self.client.publish("\(number)", to: DrillSubject.job(self.name))
            } catch {
                self.complain("publish", error)
            }
            number += 1
            let published = number
            self.state.withLockedValue { $0.record.published = published }
            _ = await self.phase.wait(timeout: self.options.interval) { $0 != .loading }
        }
    }

    private func ask(_ family: DrillFamily) async {
        let isSure = self.family == .migrating && family == .migrating
        let timeout = isSure ? self.options.requestTimeout : self.options.otherRequestTimeout
        var number = 0
        while self.phase.value == .loading {
            let text = "\(self.name) \(number)"
            var failure: String?
            do {
                let reply = try await self.client.request(
                    text,
                    to: DrillSubject.ask(family),
                    timeout: timeout
                )
                if reply.string != text { failure = "wrong reply" }
            } catch {
                failure = "\(error.code)"
            }
            self.state.withLockedValue { $0.record.answered(by: family, failure: failure) }
            number += 1
            _ = await self.phase.wait(timeout: self.options.interval) { $0 != .loading }
        }
    }

    func stopLoad() async throws {
        self.phase.update { $0 = .stopping }
        for task in self.state.withLockedValue({ $0.load }) { await task.value }
        try await self.client.flush(timeout: .seconds(120))
    }

    func end() async {
        self.phase.update { $0 = .ended }
        await self.client.close()
        for task in self.state.withLockedValue({ $0.load + $0.watching }) { await task.value }
    }
}

/// The clock that all programs of a machine share.
enum MonotonicTime {
    /// Microseconds since some moment.
    static var microseconds: Int { Int(NIODeadline.now().uptimeNanoseconds / 1000) }
}
