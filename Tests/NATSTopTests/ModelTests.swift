import NATSTop
import Testing

@Suite("Model")
struct ModelTests {
    private func rates(_ model: Model, _ cid: UInt64) -> Rates? {
        model.rows.first { $0.id == .connection(cid) }?.rates
    }

    private func cids(_ model: Model) -> [UInt64] {
        model.rows.compactMap { row in
            guard case .connection(let connection) = row.content else { return nil }
            return connection.id
        }
    }

    // MARK: Rates

    @Test("rates are divided by the interval that the server counted")
    func realInterval() {
        let model = Fixture.model()
        #expect(model.snapshot.rates.inMessages == 50)
        #expect(self.rates(model, 19)?.inMessages == 2.5)
    }

    @Test("a slow answer does not change the interval that was counted")
    func slowAnswer() {
        var model = Model()
        model.take(Fixture.sample(second: 10), at: .seconds(100))
        model.take(
            Fixture.sample(
                second: 12,
                varz: Fixture.varz(second: 12, inMessages: 541),
                connz: Fixture.connz(second: 12, alphaMessages: 65)
            ),
            at: .milliseconds(102_700)
        )
        #expect(model.snapshot.rates.inMessages == 50)
        #expect(self.rates(model, 19)?.inMessages == 2.5)
    }

    @Test("our clock counts where the server tells no time, or its clock was set")
    func localInterval() {
        for (first, second) in [
            ("", ""), (Fixture.time(10), "2027-01-01T00:00:00Z"), (Fixture.time(10), Fixture.time(5)),
        ] {
            var model = Model()
            for (index, now) in [first, second].enumerated() {
                let text = #"{"server_id":"A","now":"\#(now)","in_msgs":\#(100 + index * 40)}"#
                model.take(Fixture.sample([(.server, text)]), at: .seconds(4 * index))
            }
            #expect(model.snapshot.rates.inMessages == 10)
        }
    }

    @Test("a server's clock that was set by less than a second is not believed at short intervals")
    func shortInterval() {
        for (second, expected) in [("2026-11-20T22:10:10.1Z", 100.0), ("2026-11-20T22:10:10.8Z", 100.0)] {
            var model = Model()
            for (index, now) in [Fixture.time(10), second].enumerated() {
                let text = #"{"server_id":"A","now":"\#(now)","in_msgs":\#(100 + index * 10)}"#
                model.take(
                    Fixture.sample([(.server, text)]),
                    at: .milliseconds(100 * index),
                    took: .milliseconds(5)
                )
            }
            #expect(abs(model.snapshot.rates.inMessages - expected) < 0.001)
        }
    }

    @Test("an answer that took long is counted by the server's clock, however short the interval")
    func slowAnswerAtShortInterval() {
        var model = Model()
        for (index, now) in [Fixture.time(10), "2026-11-20T22:10:10.2Z"].enumerated() {
            let text = #"{"server_id":"A","now":"\#(now)","in_msgs":\#(100 + index * 10)}"#
            model.take(
                Fixture.sample([(.server, text)]),
                at: .milliseconds(1700 * index),
                took: .milliseconds(5 + 1500 * index)
            )
        }
        #expect(model.snapshot.rates.inMessages == 50)
    }

    @Test("two samples of one moment have no rate")
    func noInterval() {
        var model = Fixture.model()
        model.take(Fixture.sample(second: 12, connz: Fixture.connz(second: 12, alphaMessages: 99)), at: .seconds(102))
        #expect(self.rates(model, 19)?.inMessages == 0)
    }

    @Test("a restarted server has no rates, and those after it count from its start")
    func restart() {
        var model = Scenario.restarted()
        #expect(model.snapshot.restarts == 1)
        #expect(model.notice == "the server has restarted")
        #expect(model.rows.allSatisfy { $0.rates == Rates() })
        model.take(
            Fixture.sample(
                second: 22,
                varz: Fixture.varz(second: 22, start: "2026-11-20T22:10:19Z", inMessages: 21, outMessages: 2),
                connz: Fixture.connz(second: 22, alphaMessages: 13)
            ),
            at: .seconds(112)
        )
        #expect(model.snapshot.rates.inMessages == 10)
        #expect(self.rates(model, 19)?.inMessages == 5)
    }

    @Test("counters that fall are no negative rates")
    func fallingCounters() {
        var model = Fixture.model()
        model.take(
            Fixture.sample(
                second: 14,
                varz: Fixture.varz(second: 14, inMessages: 3, outMessages: 0),
                connz: Fixture.connz(second: 14, alphaMessages: 0)
            ),
            at: .seconds(104)
        )
        #expect(model.snapshot.rates.inMessages == 0)
        #expect(model.snapshot.rates.outMessages == 0)
        #expect(self.rates(model, 19) == Rates())
    }

    @Test("a reused cid is another connection")
    func reusedID() {
        var model = Model()
        for (index, start) in ["2026-11-20T22:07:50Z", "2026-11-20T22:10:11Z"].enumerated() {
            let connection = Fixture.connection(5, start: start, fields: #""in_msgs":\#(100 + index * 100)"#)
            let page = Fixture.connz(second: 10 + index, [connection])
            model.take(Fixture.sample(second: 10 + index, connz: page), at: .seconds(index))
        }
        #expect(self.rates(model, 5) == Rates())
    }

    @Test("a lost server keeps its last values and shows no rates; the rates after it use the last good sample")
    func loss() {
        var model = Scenario.lost()
        #expect(model.snapshot.link == .lost(since: .seconds(104), problem: "connection refused"))
        #expect(model.snapshot.rates == Rates())
        #expect(model.rows.count == 4)
        model.take(
            Fixture.sample(
                second: 22,
                varz: Fixture.varz(second: 22, inMessages: 641, outMessages: 1024),
                connz: Fixture.connz(second: 22, alphaMessages: 85)
            ),
            at: .seconds(112)
        )
        #expect(model.snapshot.link == .up)
        #expect(model.notice == "the server answers again")
        #expect(model.snapshot.rates.inMessages == 10)
        #expect(self.rates(model, 19)?.inMessages == 2)
        #expect(model.snapshot.history.points.map { $0 == nil } == [false, false, true, false])
    }

    @Test("the history is bounded")
    func history() {
        var model = Model()
        for second in 0..<(3 * History.capacity) { model.take(Sample(), at: .seconds(second)) }
        #expect(model.snapshot.history.points.count < 2 * History.capacity)
        #expect(model.snapshot.history.values(\.cpu, last: .max).count == History.capacity)
    }

    // MARK: Marks

    @Test("slow and idle clients are marked")
    func marks() {
        let marks = Fixture.model().rows.map(\.mark)
        #expect(marks == [nil, .slow, .idle, nil])
    }

    @Test("pending bytes that do not shrink and growing stalls mark a slow client")
    func stuck() {
        func mark(_ first: String, _ second: String) -> Row.Mark? {
            var model = Model()
            for (index, fields) in [first, second].enumerated() {
                let page = Fixture.connz(second: index, [Fixture.connection(1, fields: fields)])
                model.take(Fixture.sample(second: index, connz: page), at: .seconds(index))
            }
            return model.rows.first?.mark
        }
        #expect(mark(#""pending_bytes":10"#, #""pending_bytes":10"#) == .slow)
        #expect(mark(#""pending_bytes":10"#, #""pending_bytes":9"#) == nil)
        #expect(mark(#""stalls":1"#, #""stalls":2"#) == .slow)
    }

    // MARK: Keys

    @Test("letters of keys are text in a prompt")
    func promptLetters() {
        var model = Fixture.model()
        Scenario.press(&model, "o")
        #expect(model.handle(.character("q")) == .none)
        #expect(model.handle(.character(" ")) == .none)
        #expect(model.prompt?.text == "q ")
        _ = model.handle(.backspace)
        _ = model.handle(.deleteLine)
        #expect(model.prompt?.text == "")
        #expect(model.handle(.escape) == .none)
        #expect(model.prompt == nil)
        #expect(model.handle(.interrupt) == .quit)
        #expect(model.handle(.character("q")) == .quit)
    }

    @Test("an unknown order is told for one second")
    func invalidOrder() {
        for order in ["xyz", "stop", "subject", "-"] {
            var model = Scenario.pressed("o\(order)\n")
            #expect(model.notice == "invalid order: \(order)")
            #expect(model.state.sort == .cid)
            model.advance(to: .seconds(103))
            #expect(model.notice == nil)
        }
    }

    @Test(
        "orders",
        arguments: [
            ("obytes_to\n", [19, 20, 107, 22]), ("o+bytes_to\n", [22, 107, 20, 19]), ("o-cid\n", [107, 22, 20, 19]),
            ("oidle\n", [22, 19, 20, 107]), ("P", [20, 19, 22, 107]), ("Pr", [19, 22, 107, 20]),
            ("N", [22, 19, 20, 107]),
            (" F", [19, 20, 22, 107]), ("<>", [19, 20, 22, 107]),
            ("olast\n", [19, 20, 22, 107]),
        ] as [(String, [UInt64])]
    )
    func orders(keys: String, expected: [UInt64]) {
        #expect(self.cids(Scenario.pressed(keys)) == expected)
    }

    @Test("the order moves to the columns beside, and around the ends")
    func neighbouringColumns() {
        #expect(Scenario.pressed(">>").state.sort == .subs)
        #expect(Scenario.pressed("<").state.sort == .host)
        #expect(Scenario.pressed("<<").state.sort == .lastActivity)
        #expect(Scenario.pressed("cname,cid\n>").state.sort == .name)
    }

    @Test("every column of a view sorts")
    func everyColumn() {
        for view in View.allCases where view.isTable {
            var model = Fixture.model()
            model.open(view)
            for column in view.columns {
                Scenario.press(&model, "o\(column.rawValue)\n")
                #expect(model.state.sort == column)
            }
            let keys = view.columns.compactMap(\.key)
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test(
        "filters",
        arguments: [
            ("alpha", [19]), ("ALPHA", [19]), ("name:a", [19, 20]), ("subject:orders.new", [19]), ("sub:x.y.z", [20]),
            ("account:app", [19]), ("user:app", [19]), ("ip:2001:db8", [107]), ("2001:db8::1", [107]), ("cid:2", []),
            ("cid:22", [22]), ("!lang:python", [22, 107]), ("python !beta", [19]), ("日本", [107]),
            ("", [19, 20, 22, 107]),
        ] as [(String, [UInt64])]
    )
    func filters(text: String, expected: [UInt64]) {
        #expect(self.cids(Scenario.pressed("/\(text)\n")) == expected)
    }

    @Test("Esc ends a filter")
    func endOfFilter() {
        var model = Scenario.pressed("/alpha\n")
        _ = model.handle(.escape)
        #expect(model.rows.count == 4)
    }

    @Test("a pause keeps the screen, and what comes is not lost")
    func pause() {
        var model = Scenario.pressed("p")
        let before = Fixture.text(model)
        model.take(Fixture.sample(second: 14, connz: Fixture.connz(second: 14, [])), at: .seconds(104))
        #expect(Fixture.text(model) == before)
        Scenario.press(&model, "p")
        #expect(model.rows.isEmpty)
        #expect(model.snapshot.history.points.count == 3)
    }

    @Test("pages that a pause had not seen are shown once they come")
    func pauseAndOpen() {
        var model = Scenario.pressed("p")
        _ = model.handle(.enter)
        let detail = #""subscriptions_list_detail":[{"subject":"a","sid":"1"}]"#
        for page in [[Fixture.connection(19, fields: detail)], []] {
            var sample = Fixture.sample([(.server, Fixture.varz(second: 14, inMessages: 9999))])
            sample.add(Array(Fixture.connz(page).utf8), for: .subscriptions(connection: 19))
            model.take(sample, at: .seconds(104))
            #expect(model.rows.count == 1)
        }
        #expect(model.snapshot.server.counters.inMessages == 541)
    }

    @Test("the selection stays with its row once it was moved, and at the top before")
    func selection() {
        var model = Fixture.model()
        Scenario.press(&model, "B")
        #expect(model.selectedRow?.id == .connection(19))
        _ = model.handle(.down)
        #expect(model.selectedRow?.id == .connection(20))
        let fields = #""out_bytes":99999"#
        let page = Fixture.connz([
            Fixture.connection(20, fields: #""out_bytes":1"#), Fixture.connection(30, fields: fields),
            Fixture.connection(31, fields: fields),
        ])
        model.take(Fixture.sample(connz: page), at: .seconds(105))
        #expect(self.cids(model) == [30, 31, 20])
        #expect(model.selectedRow?.id == .connection(20))
        model.take(Fixture.sample(connz: Fixture.connz([])), at: .seconds(106))
        #expect(model.selectedRow == nil)
    }

    @Test("columns are chosen, added and taken away; an unknown one is refused")
    func columns() {
        var model = Scenario.pressed("c-lang,-version,+account\n")
        #expect(model.columns.last == .account)
        #expect(!model.columns.contains(.lang))
        Scenario.press(&model, "ccid host\n")
        #expect(model.columns == [.cid, .host])
        Scenario.press(&model, "cnope\n")
        #expect(model.notice == "invalid column: nope")
        Scenario.press(&model, "c\n")
        #expect(model.columns == View.connections.defaultColumns)
    }

    @Test("Enter on an account shows its connections, and those of none whose name only contains it")
    func exactAccount() {
        for name in ["APP", #"my "app" \ x"#] {
            var model = Fixture.model()
            Scenario.press(&model, "4")
            let quoted = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            var sample = Fixture.sample([(.server, Fixture.varz(second: 14))])
            sample.add(Array(#"{"account_statz":[{"acc":"\#(quoted)"}]}"#.utf8), for: .accounts)
            model.take(sample, at: .seconds(104))
            _ = model.handle(.enter)
            #expect(model.view == .connections)
            let connections = [quoted, "\(quoted)2", "X\(quoted)", "app"].enumerated().map { index, account in
                Fixture.connection(index + 1, fields: #""account":"\#(account)""#)
            }
            model.take(Fixture.sample(second: 16, connz: Fixture.connz(connections)), at: .seconds(106))
            #expect(self.cids(model) == [1], "\(model.settings.filter.text)")
        }
    }

    @Test("ten thousand connections are sorted, filtered and drawn")
    func manyConnections() {
        let connections = (1...10_000).map { number in
            Fixture.connection(
                number,
                name: "client-\(number)",
                fields: #""in_msgs":\#(number),"subscriptions":\#(number % 7),"account":"A\#(number % 10)""#
            )
        }
        var settings = Settings()
        settings.limit = 10_000
        var model = Fixture.model(columns: 200, rows: 50, settings: settings)
        model.take(Fixture.sample(second: 14, connz: Fixture.connz(connections)), at: .seconds(104))
        #expect(model.rows.count == 10_000)
        Scenario.press(&model, "omsgs_from\n")
        #expect(self.cids(model).first == 10_000)
        _ = model.handle(.end)
        #expect(Fixture.text(model).contains("Row: 10000"))
        Scenario.press(&model, "/account:=A3\n")
        #expect(model.rows.count == 1000)
    }

    // MARK: Requests

    @Test("the pages that a view needs are asked for")
    func requests() {
        var model = Fixture.model()
        #expect(model.requests.map(\.path) == ["/varz", "/connz?limit=1024&sort=cid"])
        #expect(model.handle(.character("s")) == .poll)
        Scenario.press(&model, "obytes_to\nn5\n")
        #expect(model.requests.last?.path == "/connz?limit=5&sort=bytes_to&subs=1")
        Scenario.press(&model, "s/user:x\n")
        #expect(model.requests.last?.path == "/connz?limit=5&sort=bytes_to&auth=1")
        Scenario.press(&model, "2")
        #expect(model.requests.last?.path == "/connz?limit=5&sort=stop&state=closed&auth=1")
        Scenario.press(&model, "8")
        #expect(model.requests == [.server])
        Scenario.press(&model, "9")
        #expect(model.requests == [.cluster, .server])
        _ = model.handle(.tab)
        #expect(model.view == .connections)
        _ = model.handle(.backTab)
        #expect(model.view == .cluster)
    }

    @Test("orders of closed connections are never asked of open ones")
    func closedOrders() {
        var settings = Settings()
        settings.sort = .stop
        let model = Model(settings: settings)
        #expect(model.requests.last?.path == "/connz?limit=1024")
    }

    @Test("Enter shows the subscriptions of a connection, Esc goes back")
    func subscriptions() {
        var model = Fixture.model()
        _ = model.handle(.down)
        #expect(model.handle(.enter) == .poll)
        #expect(model.requests == [.server, .subscriptions(connection: 20)])
        _ = model.handle(.escape)
        #expect(model.view == .connections)
    }

    @Test(
        "limits are bounded",
        arguments: [("n0\n", 1024), ("n-3\n", 1024), ("nx\n", 1024), ("n\n", 1024), ("n999999999\n", 65_536)]
    )
    func limits(keys: String, expected: Int) {
        #expect(Scenario.pressed(keys).settings.limit == expected)
    }

    @Test("names of hosts are shown when they are known, and asked for once")
    func hostNames() {
        var model = Fixture.model()
        #expect(model.unknownAddresses.isEmpty)
        Scenario.press(&model, "d")
        #expect(model.unknownAddresses == ["127.0.0.1", "2001:db8::1"])
        model.take(hostNames: [("127.0.0.1", "local\u{1B}host"), ("2001:db8::1", nil)])
        #expect(model.unknownAddresses.isEmpty)
        #expect(model.rows.first?.text(.host, style: model.numberStyle) == "local\u{FFFD}host:36226")
    }
}
