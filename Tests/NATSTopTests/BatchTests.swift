import NATSTop
import NATSWire
import Testing

@Suite("Batch output")
struct BatchTests {
    private func text(_ format: BatchFormatter.Format, _ model: Model) -> String {
        BatchFormatter(format: format).text(model, time: "2026-11-20T22:10:12Z")
    }

    @Test("the grid has the widths of the original")
    func grid() {
        let lines = self.text(.grid, Fixture.model()).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "NATS server version 2.15.1 (uptime: 2m49s) ")
        #expect(lines[3] == "  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0")
        #expect(lines[7] == "Connections Polled: 4")
        let columns = lines[8]
        #expect(
            columns.hasPrefix(
                "  HOST             CID    NAME            SUBS    PENDING     MSGS_TO     MSGS_FROM   BYTES_TO    BYTES_FROM  "
                    + "LANG     VERSION  UPTIME   LAST_ACTIVITY"
            )
        )
        #expect(
            lines[9].hasPrefix(
                "  127.0.0.1:36226  19     alpha           4       0           37          65          3.3K        3.0K        "
                    + "python3  2.16.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC"
            )
        )
        #expect(lines.count == 14)
    }

    @Test("without names there is no column of names, and a line is 161 columns wide")
    func gridWithoutNames() {
        var model = Model()
        let connection = Fixture.connection(5, fields: #""in_msgs":1"#)
        model.take(Fixture.sample(connz: Fixture.connz([connection])), at: .zero)
        let lines = self.text(.grid, model).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[8].utf8.count == 161)
        #expect(lines[9].utf8.count == 161)
    }

    @Test("delimited output always has names, and quotes nothing")
    func delimited() {
        let text = self.text(.delimited(";"), Scenario.pressed("s/cid:19\n"))
        #expect(
            text == """
                NATS server version;2.15.1;(uptime: 2m49s);
                Server:
                Load:;CPU:;1.2%;Memory:;24.3M;Slow Consumers:;0
                In:;Msgs:;541;Bytes:;70.6K;Msgs/Sec:;50.0;Bytes/Sec:;0
                Out:;Msgs:;1.0K;Bytes:;166.3K;Msgs/Sec:;250.0;Bytes/Sec:;0

                Connections Polled:;4
                HOST;CID;NAME;SUBS;PENDING;MSGS_TO;MSGS_FROM;BYTES_TO;BYTES_FROM;LANG;VERSION;UPTIME;LAST_ACTIVITY;\
                SUBSCRIPTIONS
                127.0.0.1:36226;19;alpha;4;0;37;65;3.3K;3.0K;python3;2.16.0;2m46s;\
                2026-11-20 22:07:50.226210868 +0000 UTC;orders.*  svc.echo

                """
        )
    }

    @Test("a log begins with the time, and a lost server is one line")
    func log() {
        #expect(self.text(.log, Fixture.model()).hasPrefix("2026-11-20T22:10:12Z up\nNATS server version"))
        #expect(self.text(.log, Fixture.model()).hasSuffix("UTC\n\n"))
        #expect(self.text(.log, Scenario.lost()) == "2026-11-20T22:10:12Z lost: connection refused\n")
    }

    @Test("JSON is one line with the figures and the rates")
    func json() throws {
        let text = self.text(.json, Scenario.pressed("/cid:19\n"))
        #expect(text.filter { $0 == "\n" }.count == 1)
        #expect(text.hasPrefix(#"{"time":"2026-11-20T22:10:12Z","state":"up","server":{"id":"NC5YQ32X","name":"srvA""#))
        #expect(text.contains(#""view":"connections","rows":[{"cid":19,"kind":"Client","ip":"127.0.0.1","port":36226"#))
        #expect(text.contains(#""in_msgs_per_second":2.5"#))
        #expect(throws: Never.self) { try JSONValue.parse(Array(text.utf8)) }
        #expect(
            self.text(.json, Scenario.lost())
                == #"{"time":"2026-11-20T22:10:12Z","state":"lost","error":"connection refused"}"# + "\n"
        )
    }

    @Test("no output holds what a terminal obeys")
    func harmless() {
        for format in [BatchFormatter.Format.grid, .delimited(";"), .log, .json] {
            for scalar in self.text(format, Scenario.hostile()).unicodeScalars where scalar != "\n" {
                #expect(scalar.properties.generalCategory != .control)
            }
        }
    }

    // MARK: Recordings

    @Test("a recording gives the same samples again")
    func recording() throws {
        var recording = Recording(time: .milliseconds(1500))
        recording.pages = [
            (.server, Array(Fixture.varz().utf8)), (Fixture.connections, Array(Fixture.connz().utf8)),
            (.subscriptions(connection: 19), Array(#"{"connections":[{"cid":19,"subscriptions_list":["a"]}]}"#.utf8)),
            (.routes, Array("no JSON".utf8)),
        ]
        recording.problems = ["x"]
        let line = recording.line
        #expect(line.last == 0x0A)
        #expect(line.dropLast().contains(0x0A) == false)
        let again = try #require(Recording(line: line.dropLast()))
        #expect(again.time == .milliseconds(1500))
        #expect(again.sample.server == recording.sample.server)
        #expect(again.sample.connections == recording.sample.connections)
        #expect(again.sample.subscriptions == recording.sample.subscriptions)
        #expect(again.problems == ["x"])
        #expect(again.line == line)
    }

    @Test("a recording keeps what could not be read, and says so again")
    func unreadable() throws {
        var recording = Recording(time: .seconds(1))
        recording.took = .milliseconds(7)
        recording.add(Array("garbage\n\u{1B}".utf8), for: .server)
        var sample = Sample()
        sample.add(Array("garbage\n\u{1B}".utf8), for: .server)
        recording.problems = sample.problems
        let again = try #require(Recording(line: recording.line.dropLast()))
        #expect(again == recording)
        #expect(again.took == .milliseconds(7))
        #expect(again.sample.server == nil)
        #expect(again.sample.problems == sample.problems)
        #expect(sample.problems.count == 1)
    }

    @Test(
        "what is no recording is refused",
        arguments: ["", "{}", "[]", #"{"t":1}"#, #"{"pages":[]}"#, #"{"t":1,"pages":{}}"#]
    )
    func noRecording(line: String) {
        #expect(Recording(line: Array(line.utf8)) == nil)
    }
}
