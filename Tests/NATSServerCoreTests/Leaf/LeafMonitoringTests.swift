import Foundation
import NATSTestSupport
import Testing

/// What the monitoring pages show of leaf nodes, on the official server and ours.
@Suite("monitoring of leaf nodes", .timeLimit(.minutes(5)))
struct LeafMonitoringTests {
    /// The keys of an object with the kinds of their values, to any depth.
    private static func shape(_ value: Any) -> String {
        switch value {
        case let object as [String: Any]:
            let members = object.sorted { $0.key < $1.key }.map { "\($0.key):\(self.shape($0.value))" }
            return "{\(members.joined(separator: ","))}"
        case let array as [Any]: return "[\(array.first.map(self.shape) ?? "")]"
        case is String: return "text"
        default: return "number"
        }
    }

    private static func object(_ server: ConfiguredServer, _ page: String) async throws -> [String: Any] {
        let answer = try await server.fetch(page)
        return try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
    }

    private static let http = "http: \"127.0.0.1:-1\""

    /// What both sides show after a few messages, without what differs from run to run.
    private static func pages(_ pair: LeafPair) async throws -> [String: String] {
        var found: [String: String] = [:]
        try await pair.with(
            hub: ", compression: off",
            leaf: ", deny_imports: \"x.>\", deny_exports: [\"y\"]",
            hubRest: self.http,
            leafRest: self.http
        ) { hub, leaf in
            for (name, server, other) in [("hub", hub, leaf), ("leaf", leaf, hub)] {
                let subscriber = try await server.connect("")
                let publisher = try await other.connect("")
                await subscriber.send("SUB counted.\(name) 1\r\n")
                try await LeafPair.settle(publisher, "counted.\(name)", subscriber)
                let leafz = try await self.object(server, "/leafz?subs=1")
                let first = try #require((leafz["leafs"] as? [[String: Any]])?.first)
                found["\(name) leafz"] = self.shape(leafz)
                for key in ["name", "is_spoke", "account", "ip", "compression"] {
                    found["\(name) \(key)"] = "\(first[key] ?? "")"
                }
                let none = try await self.object(server, "/leafz?acc=NOPE")
                found["\(name) of nobody"] = "\(none["leafnodes"] ?? "")"
                let varz = try await self.object(server, "/varz")
                found["\(name) varz"] = self.shape(varz["leaf"] ?? "") + "\(varz["leafnodes"] ?? "")"
                let account = try await self.object(server, "/accountz?acc=$G")
                let detail = account["account_detail"] as? [String: Any]
                found["\(name) accountz"] = "\(detail?["leafnode_connections"] ?? "")"
                let statistics = try await self.object(server, "/accstatz")
                let row = (statistics["account_statz"] as? [[String: Any]])?.first { $0["acc"] as? String == "$G" }
                found["\(name) accstatz"] = "\(row?["leafnodes"] ?? "")"
                let sent = row?["received"] as? [String: Any]
                let leafs = sent?["leafs"] as? [String: Any]
                #expect((leafs?["msgs"] as? Int ?? 0) > 0)
            }
        }
        return found
    }

    @Test("the pages are those of the official server")
    func pages() async throws {
        let ours = try await Self.pages(LeafPair(hub: .ours, leaf: .ours))
        #expect(ours["hub name"] == "LEAF" && ours["leaf name"] == "HUB")
        guard ServerUnderTest.available.contains(.official) else { return }
        let official = try await Self.pages(LeafPair(hub: .official, leaf: .official))
        for (key, value) in official { #expect(ours[key] == value, "\(key)") }
    }
}
