import NATSTestServer
import NATSTestSupport
import Testing

@Suite("nats-pub, input", .timeLimit(.minutes(3)))
struct PublishInputTests {
    private func withServer(
        maxPayload: Int = 1_048_576,
        _ body: (NATSTestServer, WireTap) async throws -> Void
    ) async throws {
        var options = NATSTestServer.Options()
        options.maxPayload = maxPayload
        try await NATSTestServer.withServer(options) { server in
            try await body(server, try await WireTap(port: server.port))
        }
    }

    @Test(
        "files and the ways to cut input",
        arguments: [
            ("nats-pub $U -f one t", ["1\n\n2\n"]),
            ("nats-pub $U --file one -f two t", ["1\n\n2\n", "3"]),
            ("echo in | nats-pub $U -f one -f - -f two -l t", ["1", "", "2", "in", "3"]),
            ("nats-pub $U -f one -n 2 t", ["1\n\n2\n", "1\n\n2\n"]),
            ("nats-pub $U -f one -l --skip-empty t", ["1", "2"]),
            (": | nats-pub $U --skip-empty t", []),
            ("nats-pub $U -f one -l -n 2 t", ["1", ""]),
            ("printf 'a--b---c--' | nats-pub $U -D -- t", ["a", "b", "-c"]),
            ("printf 'a,b,' | nats-pub $U --delimiter=, t", ["a", "b"]),
            (#"printf 'a\001\377b' | nats-pub $U -D '\x01\xff' t"#, ["a", "b"]),
            (#"printf 'a\r\n\r\nb\r' | nats-pub $U -l --crlf t"#, ["a", "", "b\r"]),
            (#"printf 'a\r\n' | nats-pub $U -l t"#, ["a\r"]),
            ("nats-pub $U -f two t <&-", ["3"]),
            ("seq 1 5 | nats-pub $U -l --flush-every 2 t", ["1", "2", "3", "4", "5"]),
            ("seq 1 5 | nats-pub $U -l --rate 100000 t", ["1", "2", "3", "4", "5"]),
        ]
    )
    func input(script: String, payloads: [String]) async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                script,
                url: server.clientURL,
                files: ["one": "1\n\n2\n", "two": "3"]
            )
            #expect(result.status == 0)
            #expect(result.output == "")
            #expect(result.errors == "")
            #expect(try await tap.payloads(atLeast: payloads.count) == payloads)
        }
    }

    @Test("a rate is kept")
    func rate() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run("nats-pub $U -q -n 5 --rate 10 t x", url: server.clientURL)
            #expect(result.status == 0)
            #expect(result.duration >= .milliseconds(400))
            #expect(try await tap.payloads(atLeast: 5).count == 5)
        }
    }

    @Test("a file that is not there is a failure, after what came before was sent")
    func missingFile() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                "echo a >one; nats-pub $U -l -f one -f missing t",
                url: server.clientURL
            )
            #expect(result.status == 1)
            #expect(result.errors == "nats: missing: No such file or directory\n")
            #expect(try await tap.payloads(atLeast: 1) == ["a"])
        }
    }

    @Test("records that are too large are named by file and line, or passed over")
    func tooLarge() async throws {
        try await self.withServer(maxPayload: 1024) { server, tap in
            let script = """
                big=$(head -c 1025 /dev/zero | tr '\\0' x); { echo a; echo "$big"; echo b; printf "$big"; } >lines; echo c >more
                """
            let fails = try await ToolShell.run(
                "\(script)\nnats-pub $U -l -f more -f lines t",
                url: server.clientURL
            )
            #expect(fails.status == 1)
            #expect(fails.errors == "nats: lines: line 2: message of 1025 bytes exceeds max_payload 1024\n")
            #expect(try await tap.payloads(atLeast: 2) == ["c", "a"])
            let skips = try await ToolShell.run(
                "\(script)\nnats-pub $U -l --skip-large -f lines -f more t",
                url: server.clientURL
            )
            #expect(skips.status == 0)
            #expect(
                skips.errors == """
                    nats: lines: line 2: message of 1025 bytes exceeds max_payload 1024, skipped
                    nats: lines: line 4: message of 1025 bytes exceeds max_payload 1024, skipped

                    """
            )
            #expect(try await tap.payloads(atLeast: 5) == ["c", "a", "a", "b", "c"])
            let whole = try await ToolShell.run(
                "\(script)\nnats-pub $U --skip-large -f lines -f more t",
                url: server.clientURL
            )
            #expect(whole.status == 0)
            #expect(try await tap.payloads(atLeast: 6).last == "c\n")
            let headers = try await ToolShell.run(
                "printf '%01020d\\nd\\n' 0 | nats-pub $U -l -H K:V --skip-large t",
                url: server.clientURL
            )
            #expect(headers.status == 0)
            #expect(headers.errors == "nats: line 1: message of 1038 bytes exceeds max_payload 1024, skipped\n")
            #expect(try await tap.payloads(atLeast: 7).last == "d")
        }
    }

    @Test("--tee copies the input to standard output unchanged, and ends with its reader")
    func tee() async throws {
        try await self.withServer { server, tap in
            for (input, flags) in [
                ("a\\n\\nb", "-l"), ("a\\n", ""), ("a\\0b\\0", "-0"), ("x,y,", "-D ,"), ("", "-l"),
                ("{\"data\": \"x\"}\\n", "--json"),
            ] {
                let result = try await ToolShell.run(
                    "printf '\(input)' >in; nats-pub $U --tee \(flags) t <in >out && cmp in out",
                    url: server.clientURL
                )
                #expect(result.status == 0, "\(input) \(flags): \(result.errors)")
            }
            let many = try await ToolShell.run(
                "seq 1 100000 | nats-pub $U --tee -l t | cksum; seq 1 100000 | cksum",
                url: server.clientURL
            )
            let lines = many.output.split(separator: "\n")
            #expect(lines.count == 2 && lines.first == lines.last)
            // Its reader goes away while the input is silent.
            let gone = try await ToolShell.run(
                "mkfifo in; exec 3<>in; echo a >&3; (nats-pub $U --tee -l t <in 3>&-; echo $? >status) | head -1; cat status",
                url: server.clientURL
            )
            #expect(gone.output == "a\n141\n")
            #expect(gone.errors == "")
        }
    }

    @Test("JSON lines say subject, reply, headers and payload; operand and flags are what they do not say")
    func json() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                "nats-pub $U --json -H A:b -reply r1 t <lines",
                url: server.clientURL,
                files: [
                    "lines": """
                    {"subject":"a.b","reply":"r2","headers":{"K":["v1","v2"]},"data":"text","seq":1}
                    {"data_base64":"/wA="}
                    {"payload":{"x": [1, 2]}}
                    """
                ]
            )
            #expect(result.status == 0)
            #expect(result.errors == "")
            let messages = try await tap.messages(atLeast: 3)
            #expect(messages.map(\.subject) == ["a.b", "t", "t"])
            #expect(messages.map(\.reply) == ["r2", "r1", "r1"])
            #expect(messages.first?.headers == "NATS/1.0\r\nA: b\r\nK: v1\r\nK: v2\r\n\r\n")
            #expect(messages.map(\.bytes) == [Array("text".utf8), [0xFF, 0], Array("{\"x\":[1,2]}".utf8)])
        }
    }

    @Test(
        "a bad line of JSON is named, after those before were sent",
        arguments: [
            ("{}x", "unexpected bytes after the document at offset 2"), ("[]", "not a JSON object"),
            (#"{"data":1}"#, "data is not a string"), (#"{"subject":"a b"}"#, "a b"), (#"{"subject":""}"#, ""),
            (#"{"headers":{"a b":"c"}}"#, ""), ("", "unexpected end of JSON input"),
        ]
    )
    func badJSON(line: String, reason: String) async throws {
        try await self.withServer { server, tap in
            for operand in ["", "t"] {
                let result = try await ToolShell.run(
                    "nats-pub $U --json \(operand) <lines",
                    url: server.clientURL,
                    files: ["lines": "{\"subject\":\"t\",\"data\":\"1\"}\n\(line)\n{\"subject\":\"t\"}\n"]
                )
                #expect(result.status == 1)
                #expect(result.errors.hasPrefix("nats: line 2: "))
                #expect(result.errors.contains(reason) || operand.isEmpty)
                #expect(result.errors.filter { $0 == "\n" }.count == 1)
            }
            #expect(try await tap.payloads(atLeast: 2) == ["1", "1"])
        }
    }

    @Test("templates in message, subject and headers; in input only if asked for")
    func templates() async throws {
        try await self.withServer { server, tap in
            let result = try await ToolShell.run(
                """
                nats-pub $U -n 2 -H 'N: {{Cnt}}' 't.{{Count}}' 'n {{Count}} {{other}} {{.Count}}'
                echo '{{Count}}' | nats-pub $U -l t
                printf '{{Count}}\\n{{Count}}' | nats-pub $U -l --templates t
                nats-pub $U --no-templates -H 'N: {{Cnt}}' t.{} '{{Count}}'
                nats-pub $U '{{Random 1 1}}' '{{ID}} {{Random 3 5}} {{Unix}}'
                """,
                url: server.clientURL
            )
            #expect(result.status == 0)
            #expect(result.errors.hasPrefix("Published [t.1] : 'n 1 {{other}} {{.Count}}'\nPublished [t.2] : 'n 2 "))
            let messages = try await tap.messages(atLeast: 7)
            #expect(messages.prefix(6).map(\.subject) == ["t.1", "t.2", "t", "t", "t", "t.{}"])
            #expect(
                messages.prefix(6).map(\.payload) == [
                    "n 1 {{other}} {{.Count}}", "n 2 {{other}} {{.Count}}", "{{Count}}", "1", "2", "{{Count}}",
                ]
            )
            #expect(messages[1].headers == "NATS/1.0\r\nN: 2\r\n\r\n")
            #expect(messages[5].headers == "NATS/1.0\r\nN: {{Cnt}}\r\n\r\n")
            #expect(messages[6].payload.wholeMatch(of: #/[0-9A-Za-z]{22} [0-9A-Za-z]{3,5} \d{10}/#) != nil)
        }
    }
}
