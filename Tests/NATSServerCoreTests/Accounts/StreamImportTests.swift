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
        return StreamImport(options, exporter: self.exporter)
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
            responses.add(Array("r".utf8), in: client, of: single, exporter: hub, probe: nil, now: now)
        )
        #expect(once.starts(with: Array("_R_.".utf8)) && once.count == "_R_.AbCdEf.GhIjKl".utf8.count)
        #expect(responses.find(once, now: now)?.reply == Array("r".utf8))
        #expect(responses.find(once, now: now) == nil)
        let many = try #require(
            responses.add(Array("r".utf8), in: client, of: stream, exporter: hub, probe: nil, now: now)
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
            hub.responses.add([0x72], in: account, of: export, exporter: hub, probe: nil, now: now) != nil
        }
        for _ in 0..<ServiceResponses.largestCount where !add(greedy, testTime) { Issue.record("no room") }
        #expect(!add(greedy, testTime))
        #expect(add(other, testTime))
        // When their time is over there is room again.
        #expect(add(greedy, testTime + .seconds(200)))
        #expect(hub.responses.count == 1)
    }
}

private let testTime = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
