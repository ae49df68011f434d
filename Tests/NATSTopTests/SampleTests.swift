import NATSTop
import Testing

@Suite("Samples")
struct SampleTests {
    private func sample(_ request: Request, _ text: String) -> Sample {
        Fixture.sample([(request, text)])
    }

    @Test("fields that are missing or of another type are neutral")
    func oddFields() throws {
        let server = try #require(
            self.sample(.server, #"{"server_id":7,"version":null,"cpu":"x","mem":[1],"cluster":3,"in_msgs":"12"}"#)
                .server
        )
        #expect(server.id == "7")
        #expect(server.version.isEmpty)
        #expect(server.cpu == 0)
        #expect(server.memory == 0)
        #expect(server.counters.inMessages == 12)
        let connections = try #require(
            self.sample(Fixture.connections, #"{"connections":[1,null,{},{"cid":3,"ip":true}],"total":"x"}"#)
                .connections
        )
        #expect(connections.connections.map(\.id) == [0, 3])
        #expect(connections.total == 2)
    }

    @Test(
        "numbers saturate",
        arguments: [
            ("99999999999999999999999", UInt64.max), ("1e400", .max), ("-5", 0), ("-1e99", 0), ("1.9", 1),
            ("2e3", 2000),
            ("18446744073709551615", .max), (#""nan""#, 0), (#""inf""#, .max),
        ] as [(String, UInt64)]
    )
    func saturation(text: String, expected: UInt64) {
        #expect(self.sample(.server, #"{"mem":\#(text)}"#).server?.memory == expected)
    }

    @Test("the percentage is finite", arguments: ["1e999", "-3", #""nan""#, "302.5"])
    func percentage(text: String) throws {
        let cpu = try #require(self.sample(.server, #"{"a":1,"cpu":\#(text)}"#).server).cpu
        #expect(cpu.isFinite && cpu >= 0)
    }

    @Test("unknown accounts: no list where one is expected")
    func nullList() {
        let sample = self.sample(Fixture.connections, #"{"server_id":"","total":0,"connections":null}"#)
        #expect(sample.connections?.connections.isEmpty == true)
        #expect(sample.problems.isEmpty)
    }

    @Test("lists are bounded")
    func bounds() throws {
        let subjects = (0..<1000).map { #""s.\#($0)""# }.joined(separator: ",")
        let list = self.sample(Fixture.connections, #"{"connections":[{"subscriptions_list":[\#(subjects)]}]}"#)
            .connections
        #expect(list?.connections.first?.subjects.count == Sample.maximumSubjects)
        let entries = Array(repeating: "{}", count: Sample.maximumRoutes + 5).joined(separator: ",")
        #expect(self.sample(.routes, #"{"routes":[\#(entries)]}"#).routes?.connections.count == Sample.maximumRoutes)
    }

    @Test(
        "failures are one line",
        arguments: [
            (#"INFO {"server_id":"X"}"# + "\r\n", "this is the port of clients, not of monitoring"),
            ("", "/varz: no JSON: unexpected end of JSON input"), ("{}", "/varz: an empty answer"),
            ("null", "/varz: an empty answer"), ("<html>\n", "/varz: no JSON: unexpected byte 60 at offset 0"),
        ]
    )
    func failures(body: String, problem: String) {
        let sample = self.sample(.server, body)
        #expect(sample.problems == [problem])
        #expect(sample.server == nil)
    }

    @Test("statuses are one line, however short or hostile the body is")
    func statuses() {
        var sample = Sample()
        sample.add(status: 404, [], for: .accounts)
        sample.add(status: 400, Array("a\u{1B}[2Jb\nc".utf8), for: .accounts)
        sample.add(status: 500, Array(repeating: UInt8(ascii: "x"), count: 100_000), for: .accounts)
        #expect(
            sample.problems.prefix(2) == [
                #"stats request failed 404: """#, "stats request failed 400: \"a\u{FFFD}[2Jb\"",
            ]
        )
        #expect(sample.problems.last?.utf8.count ?? 0 < 120)
        for _ in 0..<100 { sample.addProblem("x") }
        #expect(sample.problems.count == 16)
    }

    @Test("accounts without figures")
    func accountNames() {
        let sample = self.sample(.accountNames, #"{"accounts":["$G",4,"$SYS"]}"#)
        #expect(sample.accounts?.accounts.map(\.name) == ["$G", "$SYS"])
    }

    @Test("subscriptions without details")
    func plainSubscriptions() {
        let page = #"{"connections":[{"cid":4,"subscriptions_list":["no"]},{"cid":3,"subscriptions_list":["a","b"]}]}"#
        let sample = self.sample(.subscriptions(connection: 3), page)
        #expect(sample.subscriptions?.subscriptions.map(\.subject) == ["a", "b"])
    }

    @Test("figures of the index of subscriptions")
    func statistics() {
        let page = #"{"num_subscriptions":174,"num_cache":106,"cache_hit_rate":0.34,"max_fanout":2,"avg_fanout":1.08}"#
        let statistics = self.sample(.subscriptionStatistics, page).subscriptionStatistics
        #expect(statistics?.subscriptions == 174)
        #expect(statistics?.hitRate == 0.34)
    }

    @Test(
        "paths",
        arguments: [
            (
                .connections(limit: 5, sort: "bytes_to", subscriptions: true, identity: true),
                "/connz?limit=5&sort=bytes_to&subs=1&auth=1"
            ),
            (.closed(limit: 9, sort: "stop"), "/connz?limit=9&sort=stop&state=closed&auth=1"),
            (.subscriptions(connection: 4), "/connz?cid=4&subs=detail&auth=1"),
        ] as [(Request, String)]
    )
    func paths(request: Request, path: String) {
        #expect(request.path == path)
    }
}
