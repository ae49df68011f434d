import NATSTop

/// Answers of a monitoring port, made for tests.
enum Fixture {
    static func varz(
        second: Int = 10,
        start: String = "2026-11-20T22:00:00Z",
        inMessages: Int = 441,
        outMessages: Int = 524,
        slow: Int = 0,
        extra: String = ""
    ) -> String {
        """
        {"server_id":"NC5YQ32X","server_name":"srvA","version":"2.15.1","go":"go1.27.2","git_commit":"b2fd3ef",
         "host":"0.0.0.0","port":4222,"max_connections":65536,"max_payload":1048576,"max_pending":67108864,
         "cluster":{"name":"C1","urls":["127.0.0.1:22212"]},"jetstream":{},"start":"\(start)","now":"\(self.time(second))",
         "uptime":"2m49s","mem":25480397,"cores":2,"cpu":1.25,"connections":4,"total_connections":9,"routes":4,"remotes":1,
         "in_msgs":\(inMessages),"in_bytes":72294,"out_msgs":\(outMessages),"out_bytes":170291,"slow_consumers":\(slow),
         "subscriptions":60,"system_account":"$SYS"\(extra)}
        """
    }

    /// The four connections that most tests show.
    static func connz(second: Int = 10, alphaMessages: Int = 60) -> String {
        self.connz(
            second: second,
            [
                self.connection(
                    19,
                    name: "alpha",
                    port: 36226,
                    fields: """
                        "in_msgs":\(alphaMessages),"out_msgs":37,"in_bytes":3055,"out_bytes":3345,"subscriptions":4,
                        "lang":"python3","version":"2.16.0","account":"APP","authorized_user":"app",
                        "subscriptions_list":["orders.*","svc.echo"]
                        """
                ),
                self.connection(
                    20,
                    name: "beta-consumer",
                    port: 36232,
                    fields: """
                        "in_msgs":50,"out_msgs":73,"in_bytes":50,"out_bytes":1229,"subscriptions":2,"lang":"python3",
                        "version":"2.16.0","pending_bytes":5000000,"subscriptions_list":["x.>"]
                        """
                ),
                self.connection(
                    22,
                    port: 36240,
                    idle: "1h0m5s",
                    fields: """
                        "in_msgs":1234567,"out_msgs":0,"in_bytes":99999999,"out_bytes":0,"subscriptions":0,"lang":"go",
                        "version":"1.47.0"
                        """
                ),
                self.connection(
                    107,
                    name: "日本 ünï",
                    ip: "2001:db8::1",
                    port: 5,
                    fields: """
                        "in_msgs":1,"out_msgs":2,"in_bytes":3,"out_bytes":4,"subscriptions":5,"lang":"swift","version":"6"
                        """
                ),
            ]
        )
    }

    static func connz(second: Int = 10, _ connections: [String], total: Int? = nil) -> String {
        """
        {"server_id":"NC5YQ32X","now":"\(self.time(second))","num_connections":\(connections.count),
         "total":\(total ?? connections.count),"offset":0,"limit":1024,"connections":[\(connections.joined(separator: ","))]}
        """
    }

    static func connection(
        _ cid: Int,
        name: String = "",
        ip: String = "127.0.0.1",
        port: Int = 4000,
        start: String = "2026-11-20T22:07:50Z",
        idle: String = "3s",
        fields: String
    ) -> String {
        """
        {"cid":\(cid),"kind":"Client","type":"nats","ip":"\(ip)","port":\(port),"start":"\(start)",
         "last_activity":"2026-11-20T22:07:50.226210868Z","rtt":"356µs","uptime":"2m46s","idle":"\(idle)",
         "name":"\(name)",\(fields)}
        """
    }

    /// `22:10` and some seconds.
    static func time(_ second: Int) -> String {
        "2026-11-20T22:10:\(second < 10 ? "0" : "")\(second)Z"
    }

    static func sample(_ pages: [(Request, String)]) -> Sample {
        var sample = Sample()
        for (request, text) in pages { sample.add(Array(text.utf8), for: request) }
        return sample
    }

    static let connections = Request.connections(limit: 1024, sort: nil, subscriptions: false, identity: false)

    /// The server with its four connections.
    static func sample(second: Int = 10, varz: String? = nil, connz: String? = nil) -> Sample {
        self.sample([
            (.server, varz ?? self.varz(second: second)), (self.connections, connz ?? self.connz(second: second)),
        ])
    }

    /// A model that has seen two samples, two seconds apart.
    static func model(columns: Int = 80, rows: Int = 24, settings: Settings = Settings()) -> Model {
        var settings = settings
        if settings.target.isEmpty { settings.target = "127.0.0.1:8222" }
        var model = Model(settings: settings, size: Size(columns: columns, rows: rows))
        model.take(self.sample(second: 10), at: .seconds(100))
        model.take(
            self.sample(
                second: 12,
                varz: self.varz(second: 12, inMessages: 541, outMessages: 1024),
                connz: self.connz(second: 12, alphaMessages: 65)
            ),
            at: .seconds(102)
        )
        return model
    }

    static func text(_ model: Model, glyphs: Glyphs = .unicode) -> String {
        Layout(glyphs: glyphs).screen(of: model, size: model.size).text.joined(separator: "\n")
    }

    /// The screen with runs of empty lines counted.
    static func screen(_ model: Model, glyphs: Glyphs = .unicode) -> String {
        var lines: [String] = []
        var empty = 0
        func close() {
            lines += empty < 3 ? Array(repeating: "", count: empty) : ["(\(empty) empty lines)"]
            empty = 0
        }
        for line in Layout(glyphs: glyphs).screen(of: model, size: model.size).text {
            if line.isEmpty {
                empty += 1
            } else {
                close()
                lines.append(line)
            }
        }
        close()
        return lines.joined(separator: "\n")
    }
}
