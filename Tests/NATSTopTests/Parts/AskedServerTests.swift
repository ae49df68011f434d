import ArgumentParser
import NATSCommandSupport
import NATSTestSupport
import NATSTop
import NIOConcurrencyHelpers
import NIOPosix
import Testing

@testable import nats_top

@Suite("nats-top and whom it asks on $SYS")
struct AskedServerTests {
    private static func source(_ system: ScriptedSystem, timeout: Duration = .seconds(600)) throws -> SystemSource {
        let settings = try ConnectionSettings(
            options: try ConnectionOptions.parse(["--server", system.url, "--no-context"]),
            environment: { _ in nil },
            defaultName: "nats-top"
        )
        return try SystemSource(
            settings: settings,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            timeout: timeout
        )
    }

    /// The server of a request's subject answers.
    private static func ordinary(_ subject: String) -> [ScriptedSystem.Reply] {
        let id = subject.split(separator: ".").dropFirst(3).first.map(String.init) ?? ""
        return [.page(id: id, name: "name of \(id)", #"{"server_id":"\#(id)"}"#)]
    }

    @Test("all pages of a round are of one server, whatever the user chooses meanwhile")
    func oneServer() async throws {
        let system = try ScriptedSystem { Self.ordinary($0) }
        let source = try Self.source(system)
        source.begin()
        _ = try await source.fetch(.server)
        source.watch("NB")
        _ = try await source.fetch(.routes)
        #expect(source.title == system.url)
        source.begin()
        _ = try await source.fetch(.server)
        #expect(source.title == "NB by \(system.url)")
        let id = ScriptedSystem.id
        let expected = [id, id, "NB"].enumerated().map { "$SYS.REQ.SERVER.\($1).\($0 == 1 ? "ROUTEZ" : "VARZ")" }
        #expect(system.subjects.value == expected)
    }

    @Test("a server that is looked for after its restart does not take the place of one that was chosen meanwhile")
    func race() async throws {
        let chosen = NIOLockedValueBox<SystemSource?>(nil)
        let system = try ScriptedSystem { subject in
            switch subject {
            case "$SYS.REQ.SERVER.NX.VARZ": return [.noResponders]
            case "$SYS.REQ.SERVER.PING.VARZ":
                chosen.withLockedValue { $0 }?.watch("NY")
                return [.page(id: "NX2", name: "NX", #"{"server_id":"NX2"}"#)]
            default: return Self.ordinary(subject)
            }
        }
        let source = try Self.source(system)
        chosen.withLockedValue { $0 = source }
        source.watch("NX")
        source.begin()
        await #expect(throws: FetchError.self) { try await source.fetch(.server) }
        source.begin()
        _ = try await source.fetch(.server)
        #expect(system.subjects.value.last == "$SYS.REQ.SERVER.NY.VARZ")
        chosen.withLockedValue { $0 = nil }
    }

    @Test("a server that was chosen is found again after its restart")
    func restart() async throws {
        let system = try ScriptedSystem { subject in
            switch subject {
            case "$SYS.REQ.SERVER.NX.VARZ": [.noResponders]
            case "$SYS.REQ.SERVER.PING.VARZ": [.page(id: "NX2", name: "NX", #"{"server_id":"NX2"}"#)]
            default: Self.ordinary(subject)
            }
        }
        let source = try Self.source(system)
        source.watch("NX")
        source.begin()
        await #expect(throws: FetchError.self) { try await source.fetch(.server) }
        source.begin()
        _ = try await source.fetch(.server)
        #expect(system.subjects.value.last == "$SYS.REQ.SERVER.NX2.VARZ")
    }

    @Test("all servers that others have routes to are in the first round, however far they are")
    func far() async throws {
        let pages = (1...3).map { #"{"server_id":"N\#($0)","remotes":2,"cluster":{"name":"C"}}"# }
        let system = try ScriptedSystem { _ in
            pages.enumerated().map { .page(id: "N\($0.offset + 1)", name: "n\($0.offset + 1)", $0.element) }
        }
        let source = try Self.source(system)
        source.begin()
        guard case .page(let page) = try await source.fetch(.cluster) else {
            Issue.record("no page")
            return
        }
        var sample = Sample()
        sample.add(page, for: .cluster)
        #expect(sample.servers?.map(\.key) == ["N1", "N2", "N3"])
        #expect(sample.servers?.allSatisfy(\.isUp) == true)
    }
}
