import NATSTop
import Testing

@Suite("Hostile input")
struct HostileTests {
    /// xorshift64*: the same bytes on each platform.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state ^= self.state >> 12
            self.state ^= self.state << 25
            self.state ^= self.state >> 27
            return self.state &* 2_685_821_657_736_338_717
        }
    }

    private static let requests: [Request] = [
        .server, Fixture.connections, .closed(limit: 5, sort: nil), .routes, .accounts, .accountNames,
        .subscriptions(connection: 19), .subscriptionStatistics, .jetStream, .cluster,
    ]

    private static let seeds = [
        Fixture.varz(
            extra: #","tags":["a"],"connect_urls":["x:1"],"jetstream":{"config":{"max_memory":5},"stats":{}}"#
        ),
        Fixture.connz(),
        #"{"routes":[{"rid":5,"remote_name":"b","ip":"::1","port":6222,"pending_size":3}],"num_routes":1}"#,
        #"{"account_statz":[{"acc":"A","conns":1,"sent":{"msgs":1,"bytes":2},"received":{"msgs":3}}],"accounts":["A"]}"#,
        #"{"connections":[{"cid":19,"subscriptions_list_detail":[{"subject":"a.*","sid":"1","msgs":4}]}]}"#,
        #"{"memory":1,"api":{"total":5},"account_details":[{"name":"A","api":{}}],"meta_cluster":{"leader":"x"}}"#,
        """
        {"servers":[{"key":"a:1","address":"a:1","varz":{"server_id":"A","server_name":"a","cpu":1,"mem":5,"in_msgs":9}},
         {"key":"b","name":"b","problem":"no answer"},{"key":"a:1"}]}
        """,
    ]

    private static let insertions = [
        "null", "-1", "1e999", "[]", "{}", #""\u001b[2J""#, #""\ud800""#, "999999999999999999999", "\u{202E}", "\"",
        ",",
        #""x":"#, "true",
    ]

    private func damaged(_ text: String, _ random: inout Generator) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.removeSubrange(place...)
            case 3: bytes.insert(contentsOf: Self.insertions.randomElement(using: &random)?.utf8 ?? "".utf8, at: place)
            case 4:
                // A value in place of another one: the document stays whole.
                guard let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")),
                    let end = bytes[(colon + 1)...].firstIndex(where: { ",}]".utf8.contains($0) })
                else { continue }
                bytes.replaceSubrange(
                    (colon + 1)..<end,
                    with: Self.insertions.randomElement(using: &random)?.utf8 ?? "".utf8
                )
            default:
                let end = Int.random(in: place..<bytes.count, using: &random)
                bytes.insert(contentsOf: bytes[place...end], at: place)
            }
        }
        return bytes
    }

    @Test("damaged pages never trap, and each screen stays in its bounds", arguments: 1...8)
    func damage(seed: Int) {
        var random = Generator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var model = Model(size: Size(columns: 80, rows: 24))
        for round in 0..<150 {
            var sample = Sample()
            for request in Self.requests where Bool.random(using: &random) {
                guard let text = Self.seeds.randomElement(using: &random) else { continue }
                let body = Bool.random(using: &random) ? self.damaged(text, &random) : Array(text.utf8)
                if Int.random(in: 0..<10, using: &random) == 0 {
                    sample.add(status: 500, body, for: request)
                } else {
                    sample.add(body, for: request)
                }
            }
            let jump = Int.random(in: -1...3, using: &random)
            model.take(sample, at: .seconds(round + jump))
            self.pressKeys(&model, &random)
            self.check(model)
        }
    }

    private func pressKeys(_ model: inout Model, _ random: inout Generator) {
        let others: [Key] = [
            .enter, .escape, .backspace, .deleteLine, .tab, .backTab, .up, .down, .left, .right, .pageUp, .pageDown,
            .home,
            .end,
        ]
        let characters = Array("onfcsdb prg<>jk?hq123456789HCNSPMFBYGVTLAURIKXEJQ:-+,*é日\u{1B}\u{301}")
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            if Bool.random(using: &random), let key = others.randomElement(using: &random) {
                _ = model.handle(key)
            } else if let character = characters.randomElement(using: &random) {
                _ = model.handle(.character(character))
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                model.resize(
                    Size(
                        columns: Int.random(in: 1...130, using: &random),
                        rows: Int.random(in: 1...40, using: &random)
                    )
                )
            }
        }
    }

    private func check(_ model: Model) {
        let screen = Layout().screen(of: model, size: model.size)
        #expect(screen.lines.count == model.size.rows)
        for line in screen.lines {
            let text = line.map(\.text).joined()
            #expect(DisplayWidth.of(text) <= model.size.columns)
            #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
        let rates = model.snapshot.rates
        #expect(rates.inMessages >= 0 && rates.outMessages >= 0 && rates.inBytes >= 0 && rates.outBytes >= 0)
        for row in model.rows { #expect(row.rates.inMessages >= 0 && row.rates.outBytes >= 0) }
        for format in [BatchFormatter.Format.log, .delimited(","), .json] {
            #expect(!BatchFormatter(format: format).text(model, time: "").isEmpty)
        }
    }

    @Test("damaged answers to requests are refused or read, and never trap")
    func answers() {
        var random = Generator(state: 78)
        let text = #"{"server":{"id":"A","name":"a"},"data":\#(Fixture.varz()),"error":{"code":500,"description":"x"}}"#
        for _ in 0..<500 {
            guard let answer = SystemAnswer(self.damaged(text, &random)), case .page(let page) = answer.content else {
                continue
            }
            var sample = Sample()
            sample.add(page, for: .server)
            #expect(sample.problems.count <= 16)
        }
    }

    @Test("damaged recordings are refused or read, and never trap")
    func recordings() {
        var random = Generator(state: 77)
        var recording = Recording(time: .seconds(1))
        recording.pages = [(.server, Array(Fixture.varz().utf8)), (.routes, Array(Self.seeds[2].utf8))]
        let line = String(decoding: recording.line, as: UTF8.self)
        for _ in 0..<500 {
            guard let read = Recording(line: self.damaged(line, &random)) else { continue }
            #expect(read.sample.problems.count <= 16)
        }
    }
}
