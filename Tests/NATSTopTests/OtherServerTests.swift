import NATSTop
import Testing

@Suite("Another server in the place of the one before")
struct OtherServerTests {
    private static func varz(_ id: String, name: String, second: Int) -> String {
        Fixture.varz(second: second)
            .replacing("NC5YQ32X", with: id)
            .replacing("\"server_name\":\"srvA\"", with: "\"server_name\":\"\(name)\"")
    }

    private static func model(_ answers: [(id: String, name: String, target: String)]) -> Model {
        var model = Fixture.model()
        for (index, answer) in answers.enumerated() {
            let second = 14 + index
            let text = self.varz(answer.id, name: answer.name, second: second)
            model.take(Fixture.sample(second: second, varz: text), at: .seconds(104 + index), from: answer.target)
        }
        return model
    }

    /// How many points of the past are known.
    private static func points(_ model: Model) -> Int { model.snapshot.history.points.count }

    @Test("restarts and history are one server's")
    func history() {
        let same = "127.0.0.1:8222"
        let restarted = Self.model([("NX", "srvA", same), ("NY", "srvA", same)])
        #expect(restarted.snapshot.restarts == 2)
        #expect(Self.points(restarted) == 4)
        #expect(restarted.notice == "the server has restarted")
        let other = Self.model([("NX", "srvA", same), ("NB", "srvB", same)])
        #expect(other.snapshot.restarts == 0)
        #expect(Self.points(other) == 1)
        #expect(other.notice == "another server answers: srvB")
    }

    @Test("of servers without names, the address tells whether one is another or has restarted")
    func nameless() {
        let restarted = Self.model([("NX", "NX", "a:1"), ("NY", "NY", "a:1")])
        #expect(restarted.snapshot.restarts >= 1)
        #expect(restarted.notice == "the server has restarted")
        let other = Self.model([("NX", "NX", "a:1"), ("NY", "NY", "b:1")])
        #expect(other.snapshot.restarts == 0)
        #expect(Self.points(other) == 1)
        #expect(other.notice == "another server answers: NY")
    }

    @Test("subscriptions are not shown of the connection that has the same number after a restart")
    func subscriptions() {
        var model = Fixture.model()
        _ = model.handle(.down)
        #expect(model.handle(.enter) == .poll)
        #expect(model.title.hasPrefix("Subscriptions of "))
        model.take(
            Fixture.sample(second: 20, varz: self.restarted, connz: Fixture.connz(second: 20, alphaMessages: 3)),
            at: .seconds(110)
        )
        #expect(model.notice == "the server has restarted")
        #expect(model.title == "Subscriptions: no connection is selected")
        #expect(!model.requests.contains { if case .subscriptions = $0 { true } else { false } })
    }

    @Test("a pause keeps what is selected and shown of the server before, whose numbers are not asked for any more")
    func pause() {
        var model = Fixture.model()
        _ = model.handle(.down)
        Scenario.press(&model, "p")
        let (selected, screen) = (model.selectedRow?.id, Fixture.text(model))
        model.take(
            Fixture.sample(second: 20, varz: self.restarted, connz: Fixture.connz(second: 20, alphaMessages: 3)),
            at: .seconds(110)
        )
        model.advance(to: .seconds(130))
        #expect(model.selectedRow?.id == selected)
        #expect(Fixture.text(model) == screen)
        _ = model.handle(.enter)
        #expect(model.title.hasPrefix("Subscriptions of "))
        #expect(!model.requests.contains { if case .subscriptions = $0 { true } else { false } })
        Scenario.press(&model, "p")
        #expect(model.title == "Subscriptions: no connection is selected")
        _ = model.handle(.escape)
        #expect(model.selectedRow?.id != selected)
    }

    @Test("a page that a pause had not seen is not taken from another life of the server")
    func pauseAndRestart() {
        for varz in [nil, self.restarted] {
            var model = Fixture.model()
            Scenario.press(&model, "p")
            var sample = Fixture.sample(second: 20, varz: varz)
            let route = #"{"rid":1,"remote_id":"NB","ip":"127.0.0.1"}"#
            sample.add(Array(#"{"num_routes":1,"routes":[\#(route)]}"#.utf8), for: .routes)
            model.take(sample, at: .seconds(110))
            #expect(model.snapshot.routes.count == (varz == nil ? 1 : 0))
            Scenario.press(&model, "p")
            #expect(model.snapshot.routes.count == 1)
        }
    }

    private var restarted: String {
        Fixture.varz(second: 20, start: "2026-11-20T22:10:19Z", inMessages: 1, outMessages: 2)
    }

    @Test("the selection does not stay with the number of a connection that is another's")
    func selection() {
        var model = Fixture.model()
        for _ in 0..<2 { _ = model.handle(.down) }
        #expect(model.selectedRow?.id == .connection(22))
        model.watch("127.0.0.1:9999")
        model.take(
            Fixture.sample(second: 20, varz: Self.varz("NB", name: "srvB", second: 20)),
            at: .seconds(120)
        )
        #expect(model.selectedRow?.id == .connection(19))
        #expect(!model.state.followsRow)
        for _ in 0..<2 { _ = model.handle(.down) }
        model.take(
            Fixture.sample(second: 22, varz: Self.varz("NC", name: "srvC", second: 22)),
            at: .seconds(122)
        )
        #expect(model.selectedRow?.id == .connection(19))
    }

    @Test("rows of servers that answer are not faint when the one above them is lost")
    func roles() throws {
        var model = Fixture.model(columns: 120)
        _ = model.handle(.character("9"))
        var page = ClusterPage()
        let text = Array(Self.varz("NB", name: "srvB", second: 14).utf8)
        page.add(key: "a", problem: "connection refused", id: "NA", name: "srvA")
        page.add(key: "b", status: Page(reading: text))
        page.add(key: "c", problem: "no pages at c:1", hasPages: false, id: "NC", name: "srvC")
        page.add(key: "d", status: Page(reading: Array(Self.varz("ND", name: "srvD", second: 14).utf8)))
        var sample = Sample()
        sample.addProblem("connection refused")
        sample.add(page.page, for: .cluster)
        model.take(sample, at: .seconds(104))
        let lines = Layout().screen(of: model, size: model.size).lines
        func role(_ name: String) -> Role? {
            lines.first { $0.contains { $0.text.contains(name) } && $0.first?.role != .label }?.last?.role
        }
        #expect(role("srvB") == .plain)
        #expect(role("srvC") == .plain)
        #expect(role("srvD") == .plain)
        let title = Fixture.text(model)
        #expect(title.contains("Servers: 4, 1 lost, 1 without pages"), "\(title)")
        #expect(title.contains("? srvC no pages at c:1"), "\(title)")
        let json = BatchFormatter(format: .json).text(model, time: "T")
        #expect(json.contains(#""name":"srvC","state":"no pages","error":"no pages at c:1"}"#), "\(json)")
    }

    @Test(
        "fields with a delimiter say what the rows are",
        arguments: [("9", "Servers:;1"), ("1", "Connections Polled:;4")]
    )
    func delimited(key: String, heading: String) throws {
        var model = Fixture.model()
        _ = model.handle(.character(Character(key)))
        var page = ClusterPage()
        page.add(key: "b", status: Page(reading: Array(Fixture.varz().utf8)))
        var sample = Fixture.sample(second: 14)
        sample.add(page.page, for: .cluster)
        model.take(sample, at: .seconds(104))
        let lines = BatchFormatter(format: .delimited(";")).text(model, time: "").split(separator: "\n")
        #expect(lines.contains(Substring(heading)), "\(lines)")
    }
}
