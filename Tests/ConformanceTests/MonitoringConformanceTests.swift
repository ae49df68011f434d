import NATSTestSupport
import NATSWire
import Testing

/// Every monitoring page with every parameter, from the official server and ours in the same situation.
@Suite("monitoring")
struct MonitoringConformanceTests {
    private static let sortKeys = [
        "cid", "start", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "idle", "uptime",
        "rtt", "stop", "reason",
    ]

    static let targets: [String] =
        [
            "/", "/varz", "/varz?callback=", "/varz?unknown=1", "/nope", "/varz/", "//varz", "/a/../varz?x=1",
            "/%76arz", "/debug", "/expvarz",
            // Connections.
            "/connz", "/connz?auth=1", "/connz?auth=true", "/connz?auth=x", "/connz?subs=1", "/connz?subs=detail",
            "/connz?subs=DETAIL&auth=t", "/connz?subs=0", "/connz?subs=x", "/connz?subs=%22%00%C3%A9%ff",
            "/connz?offset=1", "/connz?offset=-1", "/connz?offset=99", "/connz?offset=x", "/connz?limit=1",
            "/connz?limit=0", "/connz?limit=-5", "/connz?limit=abc", "/connz?limit=99999999999999999999",
            "/connz?limit=%2B2&offset=1", "/connz?limit=+2", "/connz?limit=1_0", "/connz?state=open",
            "/connz?state=CLOSED", "/connz?state=any", "/connz?state=all", "/connz?state=foo",
            "/connz?state=closed&subs=detail&auth=1", "/connz?state=closed&subs=1", "/connz?state=all&limit=2&offset=3",
            "/connz?cid={alpha}", "/connz?cid={alpha}&limit=5&subs=1&auth=1", "/connz?cid=99999", "/connz?cid=-1",
            "/connz?cid=99999999999999999999", "/connz?cid={left}", "/connz?cid={left}&state=closed",
            "/connz?cid={left}&state=all", "/connz?cid={alpha}&state=closed", "/connz?user=app", "/connz?user=nobody",
            "/connz?user=app&state=all&auth=1", "/connz?user=[REDACTED]&state=closed&auth=1", "/connz?acc=$G",
            "/connz?acc=$G&state=all", "/connz?acc=$G&state=closed", "/connz?acc=NOPE", "/connz?mqtt_client=x",
            "/connz?filter_subject=foo", "/connz?sort=foo", "/connz?limit=2;offset=1", "/connz?limit=%zz",
            "/connz?limit=2&limit=x",
            // Subscriptions.
            "/subsz", "/subscriptionsz", "/subsz?subs=1", "/subsz?subs=x", "/subsz?subs=1&offset=1&limit=2",
            "/subsz?subs=1&limit=0&offset=-1", "/subsz?subs=1&offset=99", "/subsz?test=foo",
            "/subsz?subs=1&test=orders.new", "/subsz?subs=1&test=none", "/subsz?test=foo.*", "/subsz?test=foo..bar",
            "/subsz?acc=$G&subs=1", "/subsz?acc=NOPE&subs=1", "/subsz?limit=x", "/subsz?offset=x",
            // The rest.
            "/routez", "/routez?subs=1", "/routez?subs=detail", "/routez?subs=x", "/leafz", "/leafz?subs=1",
            "/leafz?acc=NOPE", "/leafz?subs=x", "/gatewayz", "/gatewayz?accs=1&subs=detail", "/gatewayz?accs=x",
            "/gatewayz?gw_name=X", "/gatewayz?acc_name=$G", "/gatewayz?subs=x", "/accountz", "/accountz?acc=$G",
            "/accountz?acc=NOPE", "/accountz?acc=", "/accstatz", "/accstatz?unused=1", "/accstatz?unused=x", "/jsz",
            "/jsz?acc=$G&accounts=1&streams=1&consumers=1&direct-consumers=1&config=1&raft=1&offset=1&limit=1",
            "/jsz?accounts=x", "/jsz?streams=x", "/jsz?consumers=x", "/jsz?direct-consumers=x", "/jsz?config=x",
            "/jsz?raft=x", "/jsz?offset=x", "/jsz?limit=x", "/jsz?leader-only=1", "/jsz?leader-only=x",
            "/jsz?stream-leader-only=1", "/jsz?stream-leader-only=x", "/healthz", "/healthz?js-enabled-only=1",
            "/healthz?js-enabled=1", "/healthz?js-enabled=x", "/healthz?js-server-only=1", "/healthz?js-meta-only=1",
            "/healthz?js-enabled-only=x", "/healthz?js-server-only=x", "/healthz?js-meta-only=x",
            "/healthz?details=1", "/healthz?details=x", "/healthz?stream=S", "/healthz?stream=S&details=1",
            "/healthz?account=$G&consumer=C", "/healthz?account=$G&consumer=C&details=true",
            "/healthz?account=$G&stream=S&consumer=C", "/raftz", "/raftz?acc=$G&group=x", "/ipqueuesz",
            "/ipqueuesz?all=1", "/ipqueuesz?all=x", "/ipqueuesz?queues=x", "/stacksz", "/debug/vars", "/debug/vars/",
        ]
        + Self.sortKeys.flatMap {
            ["/connz?sort=\($0)", "/connz?sort=\($0)&state=closed", "/connz?sort=\($0)&state=all"]
        }

    @Test("every page and every parameter answer as the official server's do", .enabled(if: Self.canCompare))
    func everything() async throws {
        try await ServerUnderTest.official.withServer(MonitoringScene.configuration) { official in
            let official = try await MonitoringScene(official)
            for kind in [ServerUnderTest.ours, .oursOnManyLoops] {
                try await kind.withServer(MonitoringScene.configuration) { ours in
                    let ours = try await MonitoringScene(ours)
                    for target in Self.targets {
                        let theirs = try await official.answer(target)
                        let answer = try await ours.answer(target)
                        Self.compare(theirs, answer, target: target)
                    }
                    // What all these requests were counted as.
                    let counts = try JSONValue.parse(try await official.answer("/varz").body)["http_req_stats"]
                    let ownCounts = try JSONValue.parse(try await ours.answer("/varz").body)["http_req_stats"]
                    #expect(counts.keys == ownCounts.keys)
                }
            }
        }
    }

    @Test("HEAD, POST and other methods are answered as the official server does it", .enabled(if: Self.canCompare))
    func methods() async throws {
        try await ServerUnderTest.official.withServer(MonitoringScene.configuration) { official in
            let official = try await MonitoringScene(official)
            try await ServerUnderTest.ours.withServer(MonitoringScene.configuration) { ours in
                let ours = try await MonitoringScene(ours)
                for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                    for target in ["/healthz", "/accstatz", "/nope", "/connz?subs=x", "/stacksz"] {
                        let theirs = try await official.answer(target, method: method)
                        let answer = try await ours.answer(target, method: method)
                        Self.compare(theirs, answer, target: target, what: "\(method) \(target)")
                    }
                }
            }
        }
    }

    static var canCompare: Bool { ServerUnderTest.available.contains(.official) }

    // MARK: Comparison

    private static func compare(_ theirs: HTTPAnswer, _ ours: HTTPAnswer, target: String, what: String? = nil) {
        let what = what ?? target
        #expect(theirs.statusLine == ours.statusLine, "\(what)")
        // A length says nothing while times differ in theirs.
        let lengths = ["Content-Length", "Transfer-Encoding"]
        let comparesLength = theirs.body == ours.body && !theirs.body.isEmpty
        func headers(_ answer: HTTPAnswer) -> [String] {
            answer.headers.filter { comparesLength || !lengths.contains($0.name) }
                .map { $0.name == "Date" ? "Date" : "\($0.name): \($0.value)" }
        }
        #expect(headers(theirs) == headers(ours), "\(what)")
        guard MonitoringDifferences.bodies[target] == nil else { return }
        guard let expected = try? JSONValue.parse(theirs.body), let actual = try? JSONValue.parse(ours.body) else {
            #expect(theirs.text == ours.text, "\(what)")
            return
        }
        let problems = MonitoringComparison.problems(expected, actual, target: target)
        #expect(problems.isEmpty, "\(what): \(problems.joined(separator: "; "))\n\(theirs.text)\n\(ours.text)")
        #expect(Self.layout(theirs.text) == Self.layout(ours.text), "\(what): line breaks and blanks")
    }

    /// Everything of a JSON text but its values: indentation, and the blanks around the punctuation.
    private static func layout(_ text: String) -> Set<String> {
        Set(
            text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("git_commit") }.map {
                line in
                let indentation = line.prefix { $0 == " " }
                let rest = line.dropFirst(indentation.count)
                let key =
                    rest.hasPrefix("\"") && rest.contains("\":") ? "key\(rest.contains("\": ") ? ": " : ":")" : "value"
                return indentation + key
            }
        )
    }
}
