import NATSTestSupport
import NATSWire
import Testing

@testable import NATSServerCore

/// Subject mappings, on the official server and ours.
@Suite("subject mappings")
struct MappingTests {
    /// A mapping and a subject that it covers; each case has a first token of its own.
    private struct Case: CustomStringConvertible {
        let source: String
        let destination: String
        let subject: String

        var description: String { "\(self.subject) by \(self.source) → \(self.destination)" }
    }

    private static let cases: [Case] = [
        ("a", "b", "a"), ("a.b", "b.a.x", "a.b"), ("*", "one.$1", "w"), ("*.*", "two.$2.$1", "x.y"),
        ("*.*", "two.{{wildcard(2)}}.{{Wildcard(1)}}", "x.y"), ("*.*", "drop.$2", "x.y"),
        ("*.*", "twice.$1.$1.$2", "x.y"),
        ("*", "zero.$0", "x"), ("*", "text.$a.x$1", "x"), ("t.*.u", "{{ wildcard ( 1 ) }}.z", "t.v.u"),
        (">", "all.>", "x.y.z"), ("r.>", "s.>", "r.x.y"), ("r.*.>", "s.$1.k.>", "r.x.y.z"),
        ("*", "p.{{partition(3,1)}}.$1", "foo"), ("*", "p.{{partition(10,1)}}", "bar"),
        ("*.*", "p.{{partition(1000,1,2)}}", "foo.bar"), ("*.*", "p.{{partition(1000,2,1)}}", "foo.bar"),
        ("*.*", "p.{{partition(1000)}}", "foo.bar"), (">", "p.{{partition(1000)}}.>", "foo.bar.baz"),
        ("*", "p.{{partition(0,1)}}", "foo"), ("*", "p.{{Partition(100 , 1)}}", "foo"),
        ("*", "l.{{SplitFromLeft(1,3)}}", "12345"), ("*", "l.{{splitfromleft(1,5)}}", "12345"),
        ("*", "l.{{splitFromLeft(1,0)}}", "12345"), ("*", "r.{{SplitFromRight(1,2)}}", "12345"),
        ("*", "r.{{splitfromright(1,9)}}", "12345"), ("*", "s.{{SliceFromLeft(1,2)}}", "12345"),
        ("*", "s.{{slicefromleft(1,2)}}", "123456"), ("*", "s.{{sliceFromLeft(1,6)}}", "123456"),
        ("*", "s.{{SliceFromRight(1,2)}}", "12345"), ("*", "s.{{slicefromright(1,3)}}", "123456"),
        ("*", "s.{{split(1,-)}}", "a-b-c"), ("*", "s.{{split(1,-)}}", "-a--b-"), ("*", "s.{{Split(1,ab)}}", "xabyabz"),
        ("*", "s.{{split(1,x)}}", "none"), ("*", "s.{{left(1,2)}}", "12345"), ("*", "s.{{Left(1,9)}}", "12345"),
        ("*", "s.{{right(1,2)}}", "12345"), ("*", "s.{{Right(1,5)}}", "12345"), ("*.*", "s.{{right(2,1)}}.$1", "ab.cd"),
        ("*", "rnd.{{random(1)}}", "x"), ("*", "rnd.{{random(0)}}", "x"),
    ].enumerated().map { index, item in
        let first = "c\(index)"
        return Case(source: "\(first).\(item.0)", destination: "d\(index).\(item.1)", subject: "\(first).\(item.2)")
    }

    @Test("what a subject becomes", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func table(server: ServerUnderTest) async throws {
        let lines = Self.cases.map { "    \"\($0.source)\": \"\($0.destination)\"" }
        let text = "mappings = {\n\(lines.joined(separator: "\n"))\n}\n"
        let received = try await ConfiguredServer.with(server, text) { server in
            let subscriber = try await server.connect("")
            try await subscriber.flush("SUB > 1\r\n")
            let publisher = try await server.connect("")
            var received: [String] = []
            for item in Self.cases {
                await publisher.send("PUB \(item.subject) 1\r\nx\r\n")
                received.append(try await subscriber.readLine())
                _ = try await subscriber.readLine()
            }
            return received
        }
        for (item, line) in zip(Self.cases, received) {
            let transform = try #require(SubjectTransform(item.source, item.destination), "\(item)")
            let subject = String(decoding: transform(Array(item.subject.utf8)), as: UTF8.self)
            #expect(line == "MSG \(subject) 1 1", "\(item)")
        }
    }

    @Test("known results")
    func known() throws {
        func result(_ source: String, _ destination: String, _ subject: String) throws -> String {
            let transform = try #require(SubjectTransform(source, destination))
            return String(decoding: transform(Array(subject.utf8)), as: UTF8.self)
        }
        #expect(try result("*", "{{partition(10,1)}}", "foo") == "3")
        #expect(try result("*", "{{partition(10,1)}}", "baz") == "0")
        #expect(try result("foo.*.*", "bar.$2.$1", "foo.a.b") == "bar.b.a")
        #expect(try result("*", "{{split(1,-)}}", "-a--b-") == "a.b")
        #expect(try result(">", "x.>", "a.b") == "x.a.b")
        #expect(SubjectTransform("foo.*", "bar") != nil)
        #expect(SubjectTransform("foo.*", "bar", isStrict: true) == nil)
        #expect(SubjectTransform("foo.*", "bar.*") == nil)
        #expect(SubjectTransform("foo.*", "bar.$2") == nil)
    }

    // MARK: Messages

    private static let rules = """
        mappings = { g: h }
        accounts {
          A {
            users: [{user: a, password: a}]
            mappings = {
              foo: bar
              bar: baz
              "req.*": "svc.$1"
              "$JS.x": "y"
              "to.gone": "nobody.here"
              loss: [{destination: loss, weight: 0}]
            }
          }
          B { users: [{user: b, password: b, permissions: {publish: [bar, "svc.>"], subscribe: ">"}}], mappings = { foo: bar, b2: other } }
        }

        """

    @Test("messages under a mapped subject", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func messages(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.rules) { server in
            let peer = try await server.connect("a", ",\"headers\":true,\"no_responders\":true")
            // Subscriptions are not mapped, and what is mapped is not mapped again.
            await peer.send("SUB foo 1\r\nSUB bar 2\r\nSUB baz 3\r\nSUB svc.* 4\r\nSUB svc.* q 5\r\nSUB r 6\r\n")
            await peer.send("PUB foo 3\r\nfoo\r\nPUB bar 3\r\nbar\r\nPUB baz 3\r\nbaz\r\n")
            try await peer.expect("MSG bar 2 3\r\nfoo\r\nMSG baz 3 3\r\nbar\r\nMSG baz 3 3\r\nbaz\r\n")
            await peer.send("HPUB req.x r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
            for _ in 0..<2 {
                let line = try await peer.readLine()
                #expect(line == "HMSG svc.x 4 r 12 14" || line == "HMSG svc.x 5 r 12 14", "\(line)")
                _ = try await peer.read(until: "hi\r\n")
            }
            // Odd spacing.
            await peer.send("PUB   foo   01\r\nx\r\n")
            try await peer.expect("MSG bar 2 01\r\nx\r\n")
            await peer.send("PUB to.gone r 1\r\nx\r\n")
            try await peer.expect("HMSG r 6 43 43\r\nNATS/1.0 503\r\nNats-Subject: nobody.here\r\n\r\n\r\n")
            await peer.send("SUB loss 7\r\nPUB loss 1\r\nx\r\n")
            try await peer.expectNothing()
        }
    }

    @Test(
        "permissions are those for the mapped subject; accounts have mappings of their own",
        .timeLimit(.minutes(1)),
        arguments: ServerUnderTest.available
    )
    func permissions(server: ServerUnderTest) async throws {
        try await ConfiguredServer.with(server, Self.rules) { server in
            let peer = try await server.connect("b")
            await peer.send("SUB > 1\r\nPUB foo 1\r\nx\r\nPUB b2 1\r\ny\r\nPUB g 1\r\nz\r\nPUB req.x 1\r\nz\r\n")
            try await peer.expect(
                "MSG bar 1 1\r\nx\r\n-ERR 'Permissions Violation for Publish to \"other\"'\r\n"
                    + "-ERR 'Permissions Violation for Publish to \"g\"'\r\n"
                    + "-ERR 'Permissions Violation for Publish to \"req.x\"'\r\n"
            )
        }
    }

    private static func mapped(_ name: String, _ mappings: String, _ script: [String]) -> TranscriptCase {
        TranscriptCase(
            name: name,
            configuration: "accounts { A { users: [{user: a, password: a}], mappings = { \(mappings) } } }\n",
            script: ["a> SUB > 1"] + script
        )
    }

    private static let scripts: [TranscriptCase] = [
        mapped(
            "destinations for another cluster, and one for all",
            "foo: [{destination: bar, weight: 100, cluster: x}, {destination: baz, weight: 100}]",
            ["a> PUB foo 1|x", "a?"]
        ),
        mapped(
            "a destination for another cluster only",
            "foo: [{destination: bar, weight: 100, cluster: x}]",
            ["a> PUB foo 1|x", "a?"]
        ),
        mapped("a weight of nothing", "foo: [{destination: bar, weight: 0}]", ["a> PUB foo 1|x", "a?"]),
        mapped(
            "everything",
            "\">\": \"all.>\"",
            ["a> PUB foo r 1|x", "a> PUB _INBOX.x 1|y", "a> PUB $SYS.x 1|z", "a?"]
        ),
        mapped(
            "wildcards in what is published are text",
            "\"foo.*\": \"bar.$1\", \"x.>\": \"y.>\"",
            ["a> PUB foo.* 1|x", "a> PUB foo.> 1|y", "a> PUB x.*.> 1|z", "a?"]
        ),
        mapped(
            "empty tokens and blanks are not mapped, long subjects are",
            "\"foo.*.c\": \"bar.$1\"",
            [
                "a> PUB foo..c 1|x", "a> PUB foo.b.c. 1|y", "a> PUB foo.\(String(repeating: "b", count: 300)).c 1|z",
                "a?",
            ]
        ),
        mapped(
            "an answer to a request is mapped as any message",
            "\"r.*\": \"got.$1\"",
            ["a> PUB svc r.1 1|x", "a> PUB r.1 1|y", "a?"]
        ),
        mapped(
            "a destination that clients may not publish to",
            "foo: \"$NRG.x\", bar: \"_GR_.x\", baz: \"$SYS.x\"",
            ["a> PUB foo 1|x", "a> PUB bar 1|y", "a> PUB baz 1|z", "a?"]
        ),
        mapped(
            "a source that clients may not publish to",
            "\"$NRG.>\": \"foo.>\", \"_GR_.>\": \"bar.>\"",
            ["a> PUB $NRG.x 1|x", "a> PUB _GR_.x 1|y", "a?"]
        ),
        mapped(
            "one destination for all that is covered, several functions at once",
            "\"foo.*\": \"bar\", \"a.*.*\": \"{{partition(5,1,2)}}.{{left(1,1)}}.{{right(2,1)}}.$2.{{right(1,2)}}\"",
            ["a> PUB foo.a 1|x", "a> PUB a.hello.world 1|y", "a?"]
        ),
    ]

    @Test("scripts of mappings run as on the official server", .timeLimit(.minutes(1)), arguments: scripts)
    func runs(item: TranscriptCase) async throws { try await item.compare() }

    @Test("weights", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func weights(server: ServerUnderTest) async throws {
        let text = """
            mappings = {
              "w.*": [{destination: "v1.$1", weight: 30}, {destination: "v2.$1", weight: "50%"}]
              "r.*": "rr.{{random(4)}}.$1"
              l: [{destination: l, weight: 20}, {destination: m, weight: 30}]
            }

            """
        let counts = try await ConfiguredServer.with(server, text) { server in
            let subscriber = try await server.connect("")
            try await subscriber.flush("SUB > 1\r\n")
            let publisher = try await server.connect("")
            let messages = "PUB w.x 0\r\n\r\nPUB r.x 0\r\n\r\nPUB l 0\r\n\r\n"
            try await publisher.flush(String(repeating: messages, count: 1000) + "PUB end 0\r\n\r\n")
            let bytes = try await subscriber.read(until: "MSG end 1 0\r\n")
            var counts: [String: Int] = [:]
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\r\n") where line.hasPrefix("MSG") {
                counts[String(line.split(separator: " ")[1]), default: 0] += 1
            }
            return counts
        }
        func expect(_ subject: String, _ share: Double) {
            let count = Double(counts[subject] ?? 0) / 1000
            #expect(abs(count - share) < 0.08, "\(subject): \(count) instead of \(share)")
        }
        expect("v1.x", 0.3)
        expect("v2.x", 0.5)
        expect("w.x", 0.2)
        for number in 0..<4 { expect("rr.\(number).x", 0.25) }
        expect("l", 0.2)
        expect("m", 0.3)
    }

    @Test("a reload changes mappings at once", .timeLimit(.minutes(1)), arguments: ServerUnderTest.available)
    func reload(server: ServerUnderTest) async throws {
        func text(_ mapping: String) -> String {
            "mappings = { \(mapping) }\naccounts { A { users: [{user: a, password: a}], mappings = { \(mapping) } } }\n"
        }
        try await ConfiguredServer.with(server, text("foo: bar")) { server in
            let peer = try await server.connect("a")
            await peer.send("SUB > 1\r\nPUB foo 1\r\n1\r\n")
            try await peer.expect("MSG bar 1 1\r\n1\r\n")
            try await server.reload(text("foo: baz, x: y"))
            await peer.send("PUB foo 1\r\n2\r\nPUB x 1\r\n3\r\n")
            try await peer.expect("MSG baz 1 1\r\n2\r\nMSG y 1 1\r\n3\r\n")
        }
    }
}
