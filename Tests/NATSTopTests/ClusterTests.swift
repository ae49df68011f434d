import NATSTop
import Testing

@Suite("Cluster")
struct ClusterTests {
    /// A page of three servers, of which the third does not answer.
    private static func page(second: Int, messages: Int = 100, lost: Bool = true) throws -> [UInt8] {
        func varz(_ name: String, _ messages: Int) throws -> Page {
            let text = """
                {"server_id":"N\(name)","server_name":"srv\(name)","version":"2.15.1","now":"\(Fixture.time(second))",
                 "start":"2026-11-20T22:00:00Z","uptime":"10m","mem":25480397,"cpu":1.5,"connections":12,"routes":8,
                 "subscriptions":170,"slow_consumers":1,"in_msgs":\(messages),"in_bytes":\(messages * 1024),
                 "out_msgs":\(messages * 2),"out_bytes":0}
                """
            return try #require(Page(reading: Array(text.utf8)))
        }
        var page = ClusterPage()
        page.add(key: "h:1", address: "h:1", status: try varz("A", messages))
        page.add(key: "h:2", address: "h:2", status: try varz("B", 0))
        if lost {
            page.add(key: "h:3", address: "h:3", problem: "connection refused", status: try varz("C", 7))
        } else {
            page.add(key: "h:3", address: "h:3", status: try varz("C", 7))
        }
        page.add(key: "ND", problem: "no pages at 10.0.0.9:8222", hasPages: false, id: "ND", name: "srvD")
        var recording = Recording(time: .seconds(second))
        recording.add(page.page, for: .cluster)
        return try #require(recording.pages.first).body
    }

    private static func model(columns: Int, settings: Settings = Settings()) throws -> Model {
        var model = Scenario.pressed("9", columns: columns, settings: settings)
        for (second, messages) in [(14, 100), (16, 180)] {
            var sample = Fixture.sample([(.server, Fixture.varz(second: second))])
            sample.add(try self.page(second: second, messages: messages), for: .cluster)
            model.take(sample, at: .seconds(90 + second))
        }
        return model
    }

    @Test("80 x 24: a row for each server, with what is wrong")
    func narrow() throws {
        let screen = Fixture.screen(try Self.model(columns: 80))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Servers: 4, 1 lost, 1 without pages  Cluster: C1  Sort: name up
                  NAME STATE                    CPU  MEM   CONNS SUBS SLOW IN_MSGS/S OUT_MSGS/S>
                  srvA up                       1.5% 24.3M 12    170  1    40.0      80.0
                  srvB up                       1.5% 24.3M 12    170  1    0.0       0.0
                ! srvC connection refused
                ? srvD no pages at 10.0.0.9:82…
                (10 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("wide: rates of each server by its own clock")
    func wide() throws {
        let text = Fixture.text(try Self.model(columns: 200))
        let row = try #require(text.split(separator: "\n").first { $0.contains("  srvA  ") && $0.contains(" up ") })
        let cells = row.split(separator: " ")
        #expect(
            cells == [
                "srvA", "up", "1.5%", "24.3M", "12", "170", "1", "40.0", "80.0", "40.0K", "0", "8", "2.15.1", "10m",
            ]
        )
    }

    @Test("Enter shows another server, and what was known of the one before is gone")
    func watch() throws {
        var model = try Self.model(columns: 80)
        _ = model.handle(.down)
        #expect(model.handle(.enter) == .watch("h:2"))
        #expect(model.view == .connections)
        #expect(model.rows.isEmpty)
        #expect(model.snapshot.link == .connecting)
        #expect(model.settings.target == "h:2")
        #expect(model.snapshot.servers.count == 4)
        model.take(Fixture.sample(second: 20), at: .seconds(110))
        #expect(model.notice == nil)
        #expect(model.snapshot.restarts == 0)
    }

    @Test("a recording has no other server to show")
    func watchInRecording() throws {
        var settings = Settings()
        settings.target = "rounds (recording)"
        settings.isRecording = true
        var model = try Self.model(columns: 80, settings: settings)
        _ = model.handle(.down)
        #expect(model.handle(.enter) == .none)
        #expect(model.view == .cluster)
        #expect(model.settings.target == "rounds (recording)")
        #expect(model.notice == "srvB: a recording shows what was watched")
    }

    @Test("a server that does not answer cannot be shown")
    func watchLost() throws {
        var model = try Self.model(columns: 80)
        for _ in 0..<2 { _ = model.handle(.down) }
        #expect(model.handle(.enter) == .none)
        #expect(model.view == .cluster)
        #expect(model.notice == "srvC: connection refused")
    }

    @Test("the cluster is shown although the server above it is lost")
    func lostServer() throws {
        var model = try Self.model(columns: 80)
        var sample = Sample()
        sample.addProblem("connection refused")
        sample.add(try Self.page(second: 18, lost: false), for: .cluster)
        model.take(sample, at: .seconds(108))
        #expect(model.rows.count { $0.mark == .withoutPages } == 1)
        guard case .lost = model.snapshot.link else {
            Issue.record("the server is not lost")
            return
        }
        let json = BatchFormatter(format: .json).text(model, time: "now")
        #expect(json.contains(#""state":"lost","error":"connection refused","view":"cluster""#), "\(json)")
        #expect(json.contains(#""name":"srvA""#))
        // Nothing is known of how much a server does that does not answer.
        #expect(json.split(separator: "in_msgs_per_second").count - 1 == 3, "\(json)")
        #expect(BatchFormatter(format: .log).text(model, time: "now").contains("srvB"))
    }

    @Test("a restarted server has no rates, and one that answers late keeps those it had")
    func rates() throws {
        var model = try Self.model(columns: 80)
        func rate() -> Double? { model.rows.first { $0.id == .server("h:1") }?.rates.inMessages }
        #expect(rate() == 40)
        // The same answer once more.
        var sample = Fixture.sample([(.server, Fixture.varz(second: 18))])
        sample.add(try Self.page(second: 16, messages: 180), for: .cluster)
        model.take(sample, at: .seconds(108))
        #expect(rate() == 40)
        sample.add(try Self.page(second: 20, messages: 10), for: .cluster)
        model.take(sample, at: .seconds(110))
        #expect(rate() == 0)
    }

    @Test("names, addresses and problems are found by filters")
    func filter() throws {
        for (filter, names) in [
            ("srvb", ["srvB"]), ("name:=srvA", ["srvA"]), ("refused", ["srvC"]), ("ip:h:2", ["srvB"]),
            ("!refused", ["srvA", "srvB", "srvD"]),
        ] {
            var model = try Self.model(columns: 80)
            Scenario.press(&model, "/\(filter)\n")
            #expect(model.rows.map { $0.text(.name, style: NumberStyle()) } == names, "\(filter)")
        }
    }

    @Test("logs and JSON have a line for each server")
    func batch() throws {
        let model = try Self.model(columns: 80)
        let json = BatchFormatter(format: .json).text(model, time: "T")
        #expect(json.contains(#""view":"cluster","rows":[{"id":"NA","name":"srvA","address":"h:1","state":"up","#))
        #expect(json.contains(#""address":"h:3","state":"lost","error":"connection refused","mark":"lost""#))
        let log = BatchFormatter(format: .log).text(model, time: "T").split(separator: "\n")
        #expect(log.contains { $0.hasPrefix("  srvA  up  ") })
        #expect(log.contains { $0.hasPrefix("  srvD  no pages at 10.0.0.9:8222") })
    }

    // MARK: Requests on $SYS

    @Test("pages are asked for with the options of the query")
    func requests() {
        let cases: [(Request, String, String)] = [
            (.server, "$SYS.REQ.SERVER.NX.VARZ", "{}"),
            (
                .connections(limit: 5, sort: "bytes_to", subscriptions: true, identity: true),
                "$SYS.REQ.SERVER.NX.CONNZ",
                #"{"limit":5,"sort":"bytes_to","subscriptions":true,"auth":true}"#
            ),
            (
                .connections(limit: 5, sort: nil, subscriptions: false, identity: false), "$SYS.REQ.SERVER.NX.CONNZ",
                #"{"limit":5}"#
            ),
            (
                .closed(limit: 7, sort: "stop"), "$SYS.REQ.SERVER.NX.CONNZ",
                #"{"limit":7,"sort":"stop","state":1,"auth":true}"#
            ),
            (
                .subscriptions(connection: 9), "$SYS.REQ.SERVER.NX.CONNZ",
                #"{"cid":9,"subscriptions_detail":true,"auth":true}"#
            ),
            (.routes, "$SYS.REQ.SERVER.NX.ROUTEZ", "{}"),
            (
                .accounts, "$SYS.REQ.ACCOUNT.PING.STATZ",
                #"{"include_unused":true,"server_name":"a\"b","exact_match":true}"#
            ),
            (.accountNames, "$SYS.REQ.SERVER.NX.ACCOUNTZ", "{}"),
            (.subscriptionStatistics, "$SYS.REQ.SERVER.NX.SUBSZ", "{}"),
            (.jetStream, "$SYS.REQ.SERVER.NX.JSZ", #"{"accounts":true}"#),
            (.cluster, "$SYS.REQ.SERVER.PING.VARZ", "{}"),
        ]
        for (request, subject, options) in cases {
            #expect(request.systemSubject(server: "NX") == subject)
            #expect(String(decoding: request.systemOptions(serverName: "a\"b"), as: UTF8.self) == options)
        }
    }

    @Test("answers are read, whatever comes")
    func answers() throws {
        let good = try #require(SystemAnswer(Array(#"{"server":{"id":"NX","name":"n"},"data":{"a":1}}"#.utf8)))
        #expect(good.id == "NX" && good.name == "n")
        guard case .page(let page) = good.content else {
            Issue.record("no page")
            return
        }
        #expect(page == Page(reading: Array(#"{"a":1}"#.utf8)))
        let text =
            #"{"server":{"id":"NX"},"data":null,"error":{"code":500,"description":"invalid sorting option: bad"}}"#
        let refusal = try #require(SystemAnswer(Array(text.utf8)))
        guard case .refusal(500, "invalid sorting option: bad") = refusal.content else {
            Issue.record("no refusal")
            return
        }
        for text in ["", "x", "[]", "{}", #"{"server":{}}"#] { #expect(SystemAnswer(Array(text.utf8)) == nil) }
    }
}
