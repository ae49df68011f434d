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
        try await eventually("the server's new id") {
            source.begin()
            _ = try? await source.fetch(.server)
            return system.subjects.value.last == "$SYS.REQ.SERVER.NX2.VARZ"
        }
    }

    @Test("a client that was refused until it gave up has a successor, which asks on")
    func successor() async throws {
        let system = try ScriptedSystem { Self.ordinary($0) }
        let source = try Self.source(system)
        source.begin()
        _ = try await source.fetch(.server)
        // The same refusal twice ends a client for good.
        system.refuse(2)
        try await eventually("pages again") {
            source.begin()
            return (try? await source.fetch(.routes)) != nil
        }
        #expect(system.hasRefusedAll)
        #expect(system.subjects.value.last == "$SYS.REQ.SERVER.\(ScriptedSystem.id).ROUTEZ")
        #expect(source.title == system.url)
    }

    @Test("a server that is shown and does not answer holds the view of the cluster up no longer than others do")
    func shownHangs() async throws {
        let isSilent = NIOLockedValueBox(false)
        let system = try ScriptedSystem { subject in
            let hangs = isSilent.withLockedValue { $0 }
            guard subject == "$SYS.REQ.SERVER.PING.VARZ" else { return hangs ? [.silence] : Self.ordinary(subject) }
            let ids = hangs ? ["NB"] : [ScriptedSystem.id, "NB"]
            return ids.map { .page(id: $0, name: $0, #"{"server_id":"\#($0)"}"#) }
        }
        let source = try Self.source(system)
        try await eventually("both") {
            source.begin()
            return try await Self.servers(source) == ["NB": true, ScriptedSystem.id: true]
        }
        _ = try await source.fetch(.server)
        isSilent.withLockedValue { $0 = true }
        source.begin()
        let states = try await Self.servers(source)
        #expect(states[ScriptedSystem.id] == false)
        await #expect(throws: FetchError.timedOut) { try await source.fetch(.server) }
        #expect(system.subjects.value.last == "$SYS.REQ.SERVER.PING.VARZ")
    }

    @Test("a view of the cluster that comes after its round was given up says nothing about the next one")
    func lateCluster() async throws {
        let isSilent = NIOLockedValueBox(false)
        let system = try ScriptedSystem { subject in
            guard subject == "$SYS.REQ.SERVER.PING.VARZ" else { return Self.ordinary(subject) }
            let ids = isSilent.withLockedValue { $0 } ? [] : [ScriptedSystem.id, "NB"]
            return ids.isEmpty ? [.silence] : ids.map { .page(id: $0, name: $0, #"{"server_id":"\#($0)"}"#) }
        }
        let source = try Self.source(system)
        try await eventually("both") {
            source.begin()
            return try await Self.servers(source).count == 2
        }
        isSilent.withLockedValue { $0 = true }
        let before = system.subjects.value.count
        source.begin()
        let late = Task { try await source.fetch(.cluster) }
        #expect(await system.subjects.wait { $0.count > before })
        source.begin()
        _ = try await late.value
        _ = try await source.fetch(.server)
    }

    @Test("an answer far larger than a server's is none, before all of a cluster's fill the memory")
    func largeAnswer() async throws {
        let padding = String(repeating: "x", count: ClusterPage.maximumServerBytes)
        let system = try ScriptedSystem { _ in
            [ScriptedSystem.id, "NB"].map { id in
                let page = #"{"server_id":"\#(id)","padding":"\#(id == "NB" ? padding : "")"}"#
                return .page(id: id, name: id, page)
            }
        }
        let source = try Self.source(system)
        source.begin()
        #expect(try await Self.servers(source) == [ScriptedSystem.id: true])
    }

    /// Whether each server of the cluster is up.
    private static func servers(_ source: SystemSource) async throws -> [String: Bool] {
        guard case .page(let page) = try await source.fetch(.cluster) else { return [:] }
        var sample = Sample()
        sample.add(page, for: .cluster)
        return Dictionary((sample.servers ?? []).map { ($0.key, $0.isUp) }) { first, _ in first }
    }
}
