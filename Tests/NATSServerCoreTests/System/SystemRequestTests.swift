import NATSTestSupport
import NATSWire
import Testing

/// What the system account can be asked, on the official server and ours: the same answers, field by field.
@Suite("requests to the system account")
struct SystemRequestTests {
    static let text = """
        server_name: systems
        server_tags: ["region:eu", "b"]
        accounts {
          SYS { users: [{user: sys, password: sys}, {user: events, password: events}] }
          A { users: [
            {user: a, password: a},
            {user: p, password: p, permissions: {
              publish: {allow: ["$SYS.REQ.USER.INFO", "x"], deny: "y"}, subscribe: "_INBOX.>", allow_responses: true }}
          ] }
          B { users: [{user: b, password: b}]
              exports: [{service: "serve", accounts: [A]}, {stream: "news.>"}] }
        }
        system_account: SYS

        """

    struct Case: Sendable, CustomStringConvertible {
        var user = "sys"
        var subject: String
        var payload = ""
        var header = ""

        init(_ subject: String, _ payload: String = "", as user: String = "sys", header: String = "") {
            self.user = user
            self.subject = subject
            self.payload = payload
            self.header = header
        }

        var description: String { "\(self.user): \(self.subject) \(self.payload) \(self.header)" }

        /// A request of the same queue that is always answered.
        var fence: String {
            guard self.user == "sys" else { return "$SYS.REQ.ACCOUNT.PING.STATZ" }
            return self.subject == "$SYS.REQ.SERVER.PING" || self.subject.hasSuffix(".STATSZ")
                ? "$SYS.REQ.SERVER.PING" : "$SYS.REQ.SERVER.PING.IDZ"
        }
    }

    /// `ID` stands for the server's identity.
    static let cases: [Case] =
        [
            "", ".STATSZ", ".IDZ", ".VARZ", ".CONNZ", ".SUBSZ", ".ROUTEZ", ".GATEWAYZ", ".LEAFZ", ".ACCOUNTZ", ".JSZ",
            ".HEALTHZ", ".EXPVARZ", ".RAFTZ", ".NOPE", ".KICK", ".RELOAD",
        ].map { Case("$SYS.REQ.SERVER.PING\($0)") }
        + ["STATSZ", "IDZ", "VARZ", "CONNZ", "SUBSZ", "ACCOUNTZ", "HEALTHZ", "JSZ", "NOPE", "KICK", "LDM"]
        .map { Case("$SYS.REQ.SERVER.ID.\($0)") }
        + [
            // Options.
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"auth\":true,\"subscriptions\":true,\"sort\":\"start\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"A\",\"subscriptions_detail\":true}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"A\",\"filter_subject\":\"foo.>\",\"auth\":true}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"A\",\"filter_subject\":\"none\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"filter_subject\":\"foo\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"user\":\"a\",\"limit\":1,\"offset\":0}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"cid\":99999}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"NOPE\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"sort\":\"nope\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"sort\":\"stop\"}"),
            Case("$SYS.REQ.SERVER.PING.SUBSZ", "{\"account\":\"A\",\"subscriptions\":true}"),
            Case("$SYS.REQ.SERVER.PING.SUBSZ", "{\"account\":\"A\",\"subscriptions\":true,\"test\":\"foo.bar\"}"),
            Case("$SYS.REQ.SERVER.PING.SUBSZ", "{\"test\":\"foo.*\"}"),
            Case("$SYS.REQ.SERVER.PING.ACCOUNTZ", "{\"account\":\"A\"}"),
            Case("$SYS.REQ.SERVER.PING.ACCOUNTZ", "{\"account\":\"SYS\"}"),
            Case("$SYS.REQ.SERVER.PING.ACCOUNTZ", "{\"account\":\"NOPE\"}"),
            Case("$SYS.REQ.SERVER.PING.JSZ", "{\"leader_only\":true}"),
            Case("$SYS.REQ.SERVER.PING.HEALTHZ", "{\"stream\":\"S\"}"),
            Case("$SYS.REQ.SERVER.PING.HEALTHZ", "{\"stream\":\"S\",\"details\":true}"),
            // Filters.
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"server_name\":\"sys\"}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"server_name\":\"sys\",\"exact_match\":true}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"server_name\":\"systems\",\"exact_match\":true}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"host\":\"127.0\"}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"host\":\"10.0\"}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"cluster\":\"c\"}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"domain\":\"d\"}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"tags\":[\"region:eu\",\"b\"]}"),
            Case("$SYS.REQ.SERVER.PING.LEAFZ", "{\"tags\":[\"region:us\"]}"),
            Case("$SYS.REQ.SERVER.PING.STATSZ", "{\"server_name\":\"other\"}"),
            Case("$SYS.REQ.SERVER.PING.IDZ", "{\"server_name\":\"other\"}"),
            // What is wrong.
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{"), Case("$SYS.REQ.SERVER.PING.CONNZ", "x"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "[]"), Case("$SYS.REQ.SERVER.PING.CONNZ", "5"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "null"), Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"cid\":\"a\"}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"cid\":-1}"), Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"auth\":1}"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"tags\":\"x\"}"),
            Case("$SYS.REQ.SERVER.PING.VARZ", "{\"server_name\":true}"),
            Case("$SYS.REQ.SERVER.PING.STATSZ", "x"),
            // Accounts.
            Case("$SYS.REQ.ACCOUNT.A.CONNZ"), Case("$SYS.REQ.ACCOUNT.A.CONNZ", "{\"acc\":\"B\",\"auth\":true}"),
            Case("$SYS.REQ.ACCOUNT.A.SUBSZ"), Case("$SYS.REQ.ACCOUNT.B.INFO"), Case("$SYS.REQ.ACCOUNT.SYS.INFO"),
            Case("$SYS.REQ.ACCOUNT.A.CONNS"), Case("$SYS.REQ.ACCOUNT.B.CONNS"), Case("$SYS.REQ.ACCOUNT.A.LEAFZ"),
            Case("$SYS.REQ.ACCOUNT.A.JSZ"), Case("$SYS.REQ.ACCOUNT.A.STATZ"), Case("$SYS.REQ.ACCOUNT.B.STATZ"),
            Case("$SYS.REQ.ACCOUNT.B.STATZ", "{\"include_unused\":true}"), Case("$SYS.REQ.ACCOUNT.NOPE.INFO"),
            Case("$SYS.REQ.ACCOUNT.NOPE.CONNZ"), Case("$SYS.REQ.ACCOUNT.NOPE.SUBSZ"),
            Case("$SYS.REQ.ACCOUNT.NOPE.CONNS"),
            Case("$SYS.REQ.ACCOUNT.PING.STATZ"), Case("$SYS.REQ.ACCOUNT.PING.STATZ", "{\"accounts\":[\"A\"]}"),
            Case("$SYS.REQ.ACCOUNT.PING.CONNZ"), Case("$SYS.REQ.ACCOUNT.A.NOPE"),
            // Users.
            Case("$SYS.REQ.USER.INFO"), Case("$SYS.REQ.USER.A.INFO"), Case("$SYS.REQ.USER.INFO", as: "a"),
            Case("$SYS.REQ.USER.B.INFO", as: "a"), Case("$SYS.REQ.ACCOUNT.PING.CONNZ", as: "a"),
            Case("$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"SYS\",\"auth\":true}", as: "a"),
            Case("$SYS.REQ.ACCOUNT.PING.STATZ", as: "a"), Case("$SYS.REQ.SERVER.PING", as: "a"),
            Case("$SYS.REQ.SERVER.PING.VARZ", as: "a"), Case("$SYS.REQ.SERVER.ID.VARZ", as: "a"),
            Case("$SYS.REQ.ACCOUNT.SYS.CONNZ", as: "a"), Case("$SYS.DEBUG.SUBSCRIBERS", "foo.bar", as: "a"),
            // Subscribers.
            Case("$SYS.DEBUG.SUBSCRIBERS", "foo.bar"), Case("$SYS.DEBUG.SUBSCRIBERS", ""),
            Case("$SYS.DEBUG.SUBSCRIBERS", "_INBOX.answer"), Case("$SYS.DEBUG.SUBSCRIBERS", "_INBOX.>"),
            Case("$SYS.DEBUG.SUBSCRIBERS", "_INBOX.answer q"),
            Case("$SYS.REQ.ACCOUNT.NSUBS", "{\"acc\":\"A\",\"subject\":\"foo.bar\"}"),
            Case("$SYS.REQ.ACCOUNT.NSUBS", "{\"acc\":\"A\",\"subject\":\"foo.>\"}"),
            Case("$SYS.REQ.ACCOUNT.NSUBS", "{\"acc\":\"A\",\"subject\":\"foo.bar\",\"queue\":\"cXVldWU=\"}"),
            Case("$SYS.REQ.ACCOUNT.NSUBS", "{\"acc\":\"NOPE\",\"subject\":\"foo.bar\"}"),
            Case("$SYS.REQ.ACCOUNT.NSUBS", ""),
            // Clients.
            Case("$SYS.REQ.SERVER.ID.KICK", "{\"cid\":99999}"), Case("$SYS.REQ.SERVER.ID.KICK", "x"),
            Case("$SYS.REQ.SERVER.ID.LDM", "{\"cid\":99999}"),
            // Only other servers send these; there is a responder all the same.
            Case("$SYS.SERVER.x.STATSZ", "{}"), Case("$SYS.ACCOUNT.A.LEAFNODE.CONNECT", "{}"),
            // An encoding that nobody knows.
            Case("$SYS.REQ.SERVER.PING.LEAFZ", header: "Accept-Encoding: nope"),
        ]

    @Test("every request has the official answer, or none", .timeLimit(.minutes(2)))
    func answers() async throws {
        var results: [ServerUnderTest: [String]] = [:]
        for server in ServerUnderTest.available { results[server] = try await Self.results(server) }
        guard let expected = results[.official] else { return }
        for (server, own) in results where server != .official {
            for (index, item) in Self.cases.enumerated() {
                let difference = SystemJSON.difference(own[index], expected[index])
                #expect(difference.isEmpty, "\(server) \(item)")
            }
        }
    }

    private static func results(_ server: ServerUnderTest) async throws -> [String] {
        try await ConfiguredServer.with(server, Self.text) { server in
            let system = try await SystemClient(server, "sys", name: "asks")
            let user = try await SystemClient(server, "a", name: "user")
            try await user.connection.flush("SUB foo.* 1\r\nSUB foo.bar queue 2\r\n")
            let id = try await system.serverID()
            // What comes to be with the first request to another account is there.
            _ = try await user.answers("$SYS.REQ.USER.INFO", fence: "$SYS.REQ.ACCOUNT.PING.STATZ")
            _ = try await system.answers("$SYS.REQ.USER.INFO", fence: "$SYS.REQ.SERVER.PING.IDZ")
            var results: [String] = []
            for item in Self.cases {
                let answers = try await (item.user == "sys" ? system : user).answers(
                    item.subject.replacing("ID.", with: "\(id)."),
                    item.payload,
                    header: item.header,
                    fence: item.fence
                )
                results.append(
                    answers.map { "\($0.header.replacing(id, with: "ID"))\(SystemJSON.normal($0.payload, id: id))" }
                        .joined(separator: " ")
                )
            }
            return results
        }
    }
}
