import NATSTop
import Testing

@Suite("Servers that answer requests on $SYS")
struct SystemServersTests {
    private static func answer(_ id: String, name: String = "", remotes: Int = 0) throws -> SystemAnswer {
        let text = """
            {"server":{"id":"\(id)","name":"\(name.isEmpty ? id : name)"},
             "data":{"server_id":"\(id)","remotes":\(remotes),"cluster":{"name":"C"}}}
            """
        return try #require(SystemAnswer(Array(text.utf8)))
    }

    /// Key and what is wrong, of each server.
    private static func rows(_ servers: inout SystemServers) -> [String: String] {
        var sample = Sample()
        sample.add(servers.page().page, for: .cluster)
        return Dictionary((sample.servers ?? []).map { ($0.key, $0.problem) }) { first, _ in first }
    }

    /// A round that all of these answer at once.
    private static func round(_ servers: inout SystemServers, _ ids: [String], at now: Duration) throws {
        let round = servers.begin(at: now)
        for id in ids { servers.take(try self.answer(id, remotes: ids.count - 1), ofRound: round, at: now) }
    }

    @Test("servers that are far away are waited for as long as others know that they are there")
    func far() throws {
        var servers = SystemServers(timeout: .seconds(5))
        let round = servers.begin(at: .seconds(10))
        #expect(servers.rest(at: .seconds(10)) == .seconds(2))
        servers.take(try Self.answer("A", remotes: 2), ofRound: round, at: .seconds(10) + .milliseconds(5))
        #expect(servers.rest(at: .seconds(10) + .milliseconds(900)) != nil)
        for id in ["B", "C"] {
            servers.take(try Self.answer(id, remotes: 2), ofRound: round, at: .seconds(10) + .milliseconds(900))
        }
        // Servers of other clusters may be a little farther still.
        #expect(servers.rest(at: .seconds(11)) != nil)
        #expect(servers.rest(at: .seconds(13)) == nil)
        #expect(Self.rows(&servers) == ["A": "", "B": "", "C": ""])
        // The next round ends with the last of them.
        let next = servers.begin(at: .seconds(20))
        for id in ["A", "B"] { servers.take(try Self.answer(id), ofRound: next, at: .seconds(20)) }
        #expect(servers.rest(at: .seconds(21)) != nil)
        servers.take(try Self.answer("C"), ofRound: next, at: .seconds(21))
        #expect(servers.rest(at: .seconds(21)) == nil)
    }

    @Test("a late answer counts for its round, and its server is waited for in the next one, up to the limit")
    func late() throws {
        var servers = SystemServers(timeout: .seconds(5))
        try Self.round(&servers, ["A"], at: .zero)
        #expect(servers.rest(at: .seconds(1)) == nil)
        #expect(Self.rows(&servers) == ["A": ""])
        let second = servers.begin(at: .seconds(2))
        servers.take(try Self.answer("A"), ofRound: second, at: .seconds(2))
        #expect(servers.rest(at: .seconds(2)) == nil)
        #expect(Self.rows(&servers) == ["A": ""])
        let third = servers.begin(at: .seconds(5))
        servers.take(try Self.answer("A"), ofRound: third, at: .seconds(5))
        #expect(servers.rest(at: .seconds(5)) == nil)
        servers.take(try Self.answer("B"), ofRound: second, at: .seconds(5))
        // It took three seconds: the limit is the user's now.
        #expect(servers.rest(at: .seconds(5)) == .seconds(5))
        #expect(Self.rows(&servers) == ["A": "", "B": "no answer"])
        servers.take(try Self.answer("B"), ofRound: third, at: .seconds(8))
        #expect(servers.rest(at: .seconds(8)) == nil)
        #expect(Self.rows(&servers) == ["A": "", "B": ""])
    }

    @Test("a server without name that is gone is lost for some rounds, and then forgotten")
    func nameless() throws {
        var servers = SystemServers(timeout: .seconds(5))
        try Self.round(&servers, ["A", "B"], at: .zero)
        #expect(Self.rows(&servers) == ["A": "", "B": ""])
        // B begins anew, and has another id.
        try Self.round(&servers, ["A", "C"], at: .seconds(1))
        #expect(Self.rows(&servers) == ["A": "", "B": "no answer", "C": ""])
        for second in 2...60 { try Self.round(&servers, ["A", "C"], at: .seconds(second)) }
        #expect(Self.rows(&servers).count == 3)
        try Self.round(&servers, ["A", "C"], at: .seconds(61))
        #expect(Self.rows(&servers) == ["A": "", "C": ""])
    }

    @Test("a server with a name has one row in all its lives")
    func restarted() throws {
        var servers = SystemServers(timeout: .seconds(5))
        let first = servers.begin(at: .zero)
        servers.take(try Self.answer("A", name: "a"), ofRound: first, at: .zero)
        #expect(Self.rows(&servers) == ["A": ""])
        let second = servers.begin(at: .seconds(1))
        servers.take(try Self.answer("A2", name: "a"), ofRound: second, at: .seconds(1))
        #expect(servers.id(ofName: "a") == "A2")
        #expect(Self.rows(&servers) == ["A2": ""])
    }

    @Test("of two servers of one name the one that is gone is lost, the one that began anew is not")
    func namesakes() throws {
        var servers = SystemServers(timeout: .seconds(5))
        func round(_ ids: [String], second: Int) throws -> [String: String] {
            let round = servers.begin(at: .seconds(second))
            for id in ids { servers.take(try Self.answer(id, name: "a"), ofRound: round, at: .seconds(second)) }
            return Self.rows(&servers)
        }
        #expect(try round(["A", "B"], second: 0) == ["A": "", "B": ""])
        #expect(try round(["A"], second: 1) == ["A": "", "B": "no answer"])
        #expect(try round(["A"], second: 2) == ["A": "", "B": "no answer"])
        #expect(try round(["A", "B2"], second: 3) == ["A": "", "B2": ""])
    }

    @Test("peers that never answer, of another system account, are waited for once")
    func silentPeers() throws {
        var servers = SystemServers(timeout: .seconds(5))
        let round = servers.begin(at: .zero)
        servers.take(try Self.answer("A", remotes: 1), ofRound: round, at: .zero)
        #expect(servers.rest(at: .seconds(1)) != nil)
        #expect(servers.rest(at: .seconds(2)) == nil)
        _ = servers.page()
        for second in 2...6 {
            let round = servers.begin(at: .seconds(second))
            servers.take(try Self.answer("A", remotes: 1), ofRound: round, at: .seconds(second))
            #expect(servers.rest(at: .seconds(second) + .milliseconds(500)) == nil)
            _ = servers.page()
        }
    }

    @Test("answers of rounds that never were change nothing, and a round without answers ends")
    func strange() throws {
        var servers = SystemServers(timeout: .seconds(5))
        servers.take(try Self.answer("A"), ofRound: 0, at: .zero)
        let round = servers.begin(at: .zero)
        for other in [-1, 0, round + 1, Int.max] {
            servers.take(try Self.answer("A"), ofRound: other, at: .zero)
        }
        #expect(Self.rows(&servers).isEmpty)
        let isOther = servers.end(ofRound: round + 1)
        #expect(!isOther)
        #expect(servers.rest(at: .zero) != nil)
        let isThis = servers.end(ofRound: round)
        #expect(isThis)
        #expect(servers.rest(at: .zero) == nil)
    }
}
