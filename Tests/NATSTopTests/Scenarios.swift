import NATSTop

/// Models of which the tests expect whole screens.
enum Scenario {
    static func press(_ model: inout Model, _ text: String) {
        for character in text { _ = model.handle(character == "\n" ? .enter : .character(character)) }
    }

    static func pressed(
        _ text: String,
        columns: Int = 80,
        rows: Int = 24,
        settings: Settings = Settings()
    ) -> Model {
        var model = Fixture.model(columns: columns, rows: rows, settings: settings)
        self.press(&model, text)
        return model
    }

    static func scrolled() -> Model {
        var model = Fixture.model(columns: 60, rows: 12)
        for _ in 0..<4 { _ = model.handle(.right) }
        return model
    }

    /// Three hundred connections of which more are on the server, scrolled to the third page.
    static func many() -> Model {
        var model = Model(size: Size(columns: 80, rows: 20))
        let connections = (1...300).map { number in
            Fixture.connection(
                number,
                name: "client-\(number)",
                port: 4000 + number,
                fields: """
                    "in_msgs":\(number),"out_msgs":\(301 - number),"in_bytes":\(number * 7),"out_bytes":\(number % 9),
                    "subscriptions":\(number % 5)
                    """
            )
        }
        model.take(Fixture.sample(connz: Fixture.connz(connections, total: 5000)), at: .seconds(1))
        _ = model.handle(.pageDown)
        _ = model.handle(.pageDown)
        return model
    }

    static func lost() -> Model {
        var model = Fixture.model()
        var sample = Sample()
        sample.addProblem("connection refused\nby peer")
        model.take(sample, at: .seconds(104), nextPoll: .seconds(107))
        model.advance(to: .seconds(105))
        return model
    }

    static func restarted() -> Model {
        var model = self.lost()
        model.take(
            Fixture.sample(
                second: 20,
                varz: Fixture.varz(second: 20, start: "2026-11-20T22:10:19Z", inMessages: 1, outMessages: 2),
                connz: Fixture.connz(second: 20, alphaMessages: 3)
            ),
            at: .seconds(110)
        )
        return model
    }

    static func failedPage() -> Model {
        var model = Fixture.model()
        var sample = Fixture.sample([(.server, Fixture.varz(second: 14))])
        sample.add(status: 400, Array("invalid sorting option: foo\nmore".utf8), for: Fixture.connections)
        model.take(sample, at: .seconds(104))
        return model
    }

    /// Names that try to write elsewhere on the screen.
    static func hostile() -> Model {
        var model = Model(size: Size(columns: 100, rows: 16))
        let names = [
            #"\u001b[2J\u001b[1;1Hgone"#, #"a\nb\r\tc\u0000"#, #"\u202eabc\u2066"#, #"\u0301lead"#,
            #"zalgo\u0301\u0302\u0303\u0304"#, #"\u009b31mred"#, "漢字漢字漢字漢字漢字漢字漢字漢字", #"\ud800half"#,
        ]
        let connections = names.enumerated().map { index, name in
            Fixture.connection(
                index + 1,
                name: name,
                ip: index == 1 ? #"\u001b]0;x\u0007"# : "10.0.0.1",
                fields: #""lang":"\u001bc""#
            )
        }
        model.take(Fixture.sample(connz: Fixture.connz(connections)), at: .seconds(1))
        return model
    }

    static func closed() -> Model {
        var model = self.pressed("2")
        var sample = Fixture.sample([(.server, Fixture.varz(second: 14))])
        let connections = [
            Fixture.connection(
                7,
                name: "late",
                fields: #""stop":"2026-11-20T22:09:00Z","reason":"Slow Consumer (Pending Bytes)","in_msgs":5"#
            ),
            Fixture.connection(8, fields: #""stop":"2026-11-20T22:09:30Z","reason":"Client Closed","account":"APP""#),
        ]
        sample.add(Array(Fixture.connz(connections, total: 12).utf8), for: .closed(limit: 1024, sort: nil))
        model.take(sample, at: .seconds(104))
        return model
    }

    static func routes() -> Model {
        var model = self.pressed("3", columns: 120)
        var sample = Fixture.sample([(.server, Fixture.varz(second: 14))])
        let routes = """
            {"now":"\(Fixture.time(14))","num_routes":2,"routes":[
             {"rid":5,"remote_id":"NB","remote_name":"srvB","did_solicit":true,"is_configured":true,"ip":"10.0.0.2",
              "port":6222,"start":"2026-11-20T22:00:00Z","rtt":"221µs","uptime":"10m","idle":"0s","pending_size":0,
              "in_msgs":10,"out_msgs":20,"in_bytes":30,"out_bytes":40,"subscriptions":12,"compression":"s2_fast"},
             {"rid":6,"remote_id":"NC","ip":"10.0.0.3","port":6222,"account":"APP","subscriptions":1}]}
            """
        sample.add(Array(routes.utf8), for: .routes)
        model.take(sample, at: .seconds(104))
        return model
    }

    static func accounts() -> Model {
        var model = self.pressed("4")
        for (second, messages) in [(14, 100), (18, 180)] {
            var sample = Fixture.sample([(.server, Fixture.varz(second: second))])
            let accounts = """
                {"now":"\(Fixture.time(second))","account_statz":[
                 {"acc":"APP","conns":3,"leafnodes":1,"total_conns":4,"num_subscriptions":9,"slow_consumers":2,
                  "sent":{"msgs":\(messages),"bytes":2048},"received":{"msgs":5,"bytes":6}},
                 {"acc":"$SYS"}]}
                """
            sample.add(Array(accounts.utf8), for: .accounts)
            model.take(sample, at: .seconds(90 + second))
        }
        self.press(&model, " ")
        return model
    }

    static func subscriptions() -> Model {
        var model = Fixture.model()
        _ = model.handle(.enter)
        for (second, messages) in [(14, 28), (16, 48)] {
            var sample = Fixture.sample([(.server, Fixture.varz(second: second))])
            let page = Fixture.connz(
                second: second,
                [
                    Fixture.connection(
                        19,
                        name: "alpha",
                        fields: """
                            "subscriptions_list_detail":[{"subject":"svc.echo","sid":"1","msgs":0,"cid":19},
                            {"subject":"orders.*","qgroup":"wk","sid":"2","msgs":\(messages),"max":100,"cid":19}]
                            """
                    )
                ]
            )
            sample.add(Array(page.utf8), for: .subscriptions(connection: 19))
            model.take(sample, at: .seconds(90 + second))
        }
        return model
    }

    static func jetStream() -> Model {
        var model = self.pressed("7", rows: 22)
        var sample = Fixture.sample([(.server, Fixture.varz(second: 14))])
        let page = """
            {"memory":1024,"storage":73400320,"reserved_memory":0,"accounts":2,"ha_assets":0,
             "api":{"level":1,"total":4711,"errors":3},"config":{"max_memory":1073741824,"max_storage":18446744073709551615,
             "store_dir":"/data"},"streams":4,"consumers":5,"messages":123456,"bytes":987654,
             "meta_cluster":{"name":"C1","leader":"srvB","cluster_size":3},
             "account_details":[{"name":"APP","memory":0,"storage":2048,"api":{"total":12,"errors":0}}]}
            """
        sample.add(Array(page.utf8), for: .jetStream)
        model.take(sample, at: .seconds(104))
        return model
    }

    /// A minute of a sawtooth with a gap in it.
    static func graphs() -> Model {
        var model = Model(size: Size(columns: 100, rows: 34))
        var messages = 0
        for second in 0..<50 {
            messages += second % 10 * 100
            let text = Fixture.varz(second: second, inMessages: messages, slow: second / 20)
            model.take(
                (30..<34).contains(second) ? Sample() : Fixture.sample(second: second, varz: text),
                at: .seconds(second)
            )
        }
        self.press(&model, "g")
        return model
    }
}
