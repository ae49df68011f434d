import NATSTestSupport
import NIOCore
import Testing

@testable import NATSServerCore

/// Which subscriptions touch an import, and what they become in the exporting account.
@Suite("stream imports")
struct StreamImportTests {
    private let exporter = Account(AccountOptions(name: "A"), hash: testHash())

    private func imported(_ subject: String, prefix: String? = nil, to: String? = nil) -> StreamImport {
        var options = ImportOptions(.stream, account: "A", subject: subject)
        options.prefix = prefix
        options.to = to
        return StreamImport(options, exporter: self.exporter, importer: "B")
    }

    private func local(_ stream: StreamImport, _ subject: String) -> String {
        Array(subject.utf8).withUnsafeBufferPointer { String(decoding: stream.localSubject(of: $0), as: UTF8.self) }
    }

    @Test("the same subject on both sides")
    func same() {
        let stream = self.imported("foo.>")
        #expect(stream.shadow(of: "foo.>") == "foo.>")
        #expect(stream.shadow(of: ">") == "foo.>")
        #expect(stream.shadow(of: "foo.a") == "foo.a")
        #expect(stream.shadow(of: "foo.*.b") == "foo.*.b")
        #expect(stream.shadow(of: "*.a") == "foo.a")
        #expect(stream.shadow(of: "bar.>") == nil)
        #expect(stream.shadow(of: "foo") == nil)
        #expect(self.local(stream, "foo.a") == "foo.a")
        #expect(self.imported("foo").shadow(of: "foo") == "foo")
        #expect(self.imported("foo").shadow(of: "*") == "foo")
        #expect(self.imported("foo").shadow(of: "foo.*") == nil)
    }

    @Test("prefixes and other names")
    func renamed() {
        let prefixed = self.imported("foo.*", prefix: "imp")
        #expect(prefixed.to == "imp.foo.*")
        #expect(prefixed.shadow(of: "imp.foo.a") == "foo.a")
        #expect(prefixed.shadow(of: "imp.>") == "foo.*")
        #expect(prefixed.shadow(of: "foo.a") == nil)
        #expect(self.local(prefixed, "foo.a") == "imp.foo.a")
        let swapped = self.imported("foo.*.*", to: "bar.$2.$1")
        #expect(swapped.to == "bar.*.*")
        #expect(swapped.shadow(of: "bar.x.*") == "foo.*.x")
        #expect(self.local(swapped, "foo.a.b") == "bar.b.a")
        let plain = self.imported("foo", to: "bar")
        #expect(plain.shadow(of: "bar") == "foo")
        #expect(plain.shadow(of: "foo") == nil)
        #expect(self.local(plain, "foo") == "bar")
    }
}

@Suite("answers that an account owes")
struct ServiceResponsesTests {
    private let hash = testHash()

    @Test("an answer is looked for until its time is over, the only one once")
    func lifetime() throws {
        let (hub, client) = (
            Account(AccountOptions(name: "A"), hash: self.hash), Account(AccountOptions(name: "B"), hash: self.hash)
        )
        var options = ExportOptions(.service, "svc")
        options.responseThreshold = .seconds(10)
        let single = ServiceExport(options)
        options.responseType = .stream
        let stream = ServiceExport(options)
        let responses = hub.responses
        let now = testTime
        let once = try #require(
            responses.add(Array("r".utf8), in: client, of: single, exporter: hub, probe: nil, now: now).subject
        )
        #expect(once.starts(with: Array("_R_.".utf8)) && once.count == "_R_.AbCdEf.GhIjKl".utf8.count)
        #expect(responses.find(once, now: now)?.reply == Array("r".utf8))
        #expect(responses.find(once, now: now) == nil)
        let many = try #require(
            responses.add(Array("r".utf8), in: client, of: stream, exporter: hub, probe: nil, now: now).subject
        )
        #expect(responses.find(many, now: now + .seconds(9)) != nil)
        responses.extend(many, now: now + .seconds(9))
        #expect(responses.find(many, now: now + .seconds(18)) != nil)
        #expect(responses.find(many, now: now + .seconds(19)) == nil)
        #expect(responses.count == 0)
    }

    @Test("one account's open requests leave room for those of others")
    func room() {
        let hub = Account(AccountOptions(name: "A"), hash: self.hash)
        let (greedy, other) = (
            Account(AccountOptions(name: "B"), hash: self.hash), Account(AccountOptions(name: "C"), hash: self.hash)
        )
        let export = ServiceExport(ExportOptions(.service, "svc"))
        func add(_ account: Account, _ now: NIODeadline) -> Bool {
            hub.responses.add([0x72], in: account, of: export, exporter: hub, probe: nil, now: now).subject != nil
        }
        for _ in 0..<ServiceResponses.largestCount where !add(greedy, testTime) { Issue.record("no room") }
        #expect(!add(greedy, testTime))
        #expect(add(other, testTime))
        // When their time is over there is room again.
        #expect(add(greedy, testTime + .seconds(200)))
        #expect(hub.responses.count == 1)
        // What is open holds the account.
        hub.responses.close()
    }

    @Test("large reply subjects are bounded as well, and closing gives the room back")
    func size() {
        let (hub, other) = (
            Account(AccountOptions(name: "A"), hash: self.hash), Account(AccountOptions(name: "C"), hash: self.hash)
        )
        let client = Account(AccountOptions(name: "B"), hash: self.hash)
        let export = ServiceExport(ExportOptions(.service, "svc"))
        let reply = [UInt8](repeating: 0x72, count: 1 << 20)
        func add(_ exporter: Account) -> Bool {
            exporter.responses.add(reply, in: client, of: export, exporter: exporter, probe: nil, now: testTime).subject
                != nil
        }
        for _ in 0..<ServiceResponses.largestSize >> 20 where !add(hub) { Issue.record("no room") }
        #expect(!add(hub) && !add(other))
        #expect(client.hasOpenRequests)
        hub.responses.close()
        #expect(!client.hasOpenRequests)
        #expect(!add(hub))
        #expect(add(other))
        other.responses.removeAll(of: client)
        #expect(!client.hasOpenRequests && other.responses.count == 0)
    }

    @Test("reply subjects of measured requests have a suffix, which has to be there")
    func suffix() throws {
        let (hub, client) = (
            Account(AccountOptions(name: "A"), hash: self.hash), Account(AccountOptions(name: "B"), hash: self.hash)
        )
        let export = ServiceExport(ExportOptions(.service, "svc"))
        let probe = LatencyProbe(subject: [], requestor: [], roundTrip: 0, headers: [], start: testTime)
        let suffix = Array(".AbCdEfGh.T".utf8)
        let added = hub.responses.add(
            Array("r".utf8),
            in: client,
            of: export,
            exporter: hub,
            probe: probe,
            trackedSuffix: suffix,
            now: testTime
        )
        let subject = try #require(added.subject)
        #expect(subject.count == 17 + suffix.count && subject.suffix(suffix.count) == suffix[...])
        #expect(hub.responses.find(Array(subject.prefix(17)), now: testTime) == nil)
        #expect(hub.responses.find(subject + [0x54], now: testTime) == nil)
        #expect(hub.responses.find(subject, now: testTime)?.probe != nil)
        #expect(hub.responses.count == 0)
    }

    @Test("measured requests without a timer do not hold an account's room for ever")
    func measured() {
        let (hub, client) = (
            Account(AccountOptions(name: "A"), hash: self.hash), Account(AccountOptions(name: "B"), hash: self.hash)
        )
        let export = ServiceExport(ExportOptions(.service, "svc"))
        let probe = LatencyProbe(subject: [], requestor: [], roundTrip: 0, headers: [], start: testTime)
        for probe in [probe, nil, probe] {
            _ = hub.responses.add([0x72], in: client, of: export, exporter: hub, probe: probe, now: testTime)
        }
        // Its timer may be about to come.
        hub.responses.forgetExpired(now: testTime + .seconds(121))
        #expect(hub.responses.count == 3)
        hub.responses.forgetExpired(now: testTime + .seconds(131))
        #expect(hub.responses.count == 0 && !client.hasOpenRequests)
    }

    @Test("answers that nobody waits for go together; others stay")
    func unwanted() throws {
        let hub = Account(AccountOptions(name: "A"), hash: self.hash)
        let (client, other) = (
            Account(AccountOptions(name: "B"), hash: self.hash), Account(AccountOptions(name: "C"), hash: self.hash)
        )
        let export = ServiceExport(ExportOptions(.service, "svc"))
        func add(_ reply: String, _ account: Account) throws -> [UInt8] {
            let added = hub.responses.add(
                Array(reply.utf8),
                in: account,
                of: export,
                exporter: hub,
                probe: nil,
                now: testTime
            )
            return try #require(added.subject)
        }
        let first = try (0..<3).map { _ in try add("r", client) }
        let others = try [add("r2", client), add("r", other)]
        let last = try add("r", client)
        #expect(hub.responses.remove(last) == nil && hub.responses.count == 5)
        #expect(hub.responses.remove(waitingFor: Array("r".utf8), in: client).isEmpty)
        #expect(hub.responses.count == 2)
        for subject in first { #expect(hub.responses.find(subject, now: testTime) == nil) }
        for subject in others { #expect(hub.responses.find(subject, now: testTime) != nil) }
        #expect(hub.responses.count == 0 && !client.hasOpenRequests && !other.hasOpenRequests)
    }

    @Test("random requests, answers and losses leave nothing behind")
    func churn() {
        var generator = SeededGenerator(seed: 7)
        let hub = Account(AccountOptions(name: "A"), hash: self.hash)
        let clients = (0..<3).map { Account(AccountOptions(name: "B\($0)"), hash: self.hash) }
        let exports = [10, 20].map { seconds in
            var options = ExportOptions(.service, "svc")
            options.responseThreshold = .seconds(seconds)
            options.responseType = seconds == 10 ? .single : .stream
            return ServiceExport(options)
        }
        var now = testTime
        var open: [[UInt8]] = []
        for _ in 0..<20_000 {
            let reply = [UInt8.random(in: 0x61...0x65, using: &generator)]
            guard let client = clients.randomElement(using: &generator),
                let export = exports.randomElement(using: &generator)
            else { return }
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1, 2:
                let added = hub.responses.add(reply, in: client, of: export, exporter: hub, probe: nil, now: now)
                if let subject = added.subject { open.append(subject) }
            case 3:
                if let subject = open.randomElement(using: &generator) {
                    if hub.responses.find(subject, now: now) != nil { hub.responses.extend(subject, now: now) }
                }
            case 4:
                if let index = open.indices.randomElement(using: &generator) {
                    hub.responses.remove(open.remove(at: index))
                }
            default:
                _ = hub.responses.remove(waitingFor: reply, in: client)
                now = now + .milliseconds(Int64.random(in: 0..<500, using: &generator))
            }
        }
        // All of them have had their time.
        let end = now + .seconds(100)
        _ = hub.responses.add([0x7a], in: clients[0], of: exports[0], exporter: hub, probe: nil, now: end)
        #expect(hub.responses.count == 1)
        #expect(clients.map(\.hasOpenRequests) == [true, false, false])
        _ = hub.responses.remove(waitingFor: [0x7a], in: clients[0])
        #expect(hub.responses.count == 0 && !clients[0].hasOpenRequests)
    }
}

private let testTime = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
