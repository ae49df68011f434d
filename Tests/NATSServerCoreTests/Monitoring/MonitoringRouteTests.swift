import Testing

@testable import NATSServerCore

@Suite struct MonitoringRouteTests {
    private func decide(_ target: String, basePath: String = "/") throws -> MonitoringRoute.Decision {
        MonitoringRoute.decide(try #require(MonitoringRequest(target)), basePath: basePath)
    }

    private func failure(_ target: String) throws -> String? {
        guard case .invalid(let text) = try self.decide(target).route else { return nil }
        return text
    }

    private func query(_ target: String) throws -> ConnectionQuery {
        guard case .connz(let query) = try self.decide(target).route else { throw NotConnz() }
        return query
    }

    private struct NotConnz: Error {}

    @Test("the parameters of /connz")
    func connectionParameters() throws {
        let plain = try self.query("/connz")
        #expect(plain.sort == .cid && plain.limit == 1024 && plain.offset == 0 && plain.state == .open && !plain.auth)
        let full = try self.query(
            "/connz?sort=msgs_to&auth=T&subs=Detail&offset=3&limit=7&state=Closed&user=a+b&acc=%24G"
        )
        #expect(full.sort == .outgoingMessages && full.auth && full.subscriptions == .detail)
        #expect(full.offset == 3 && full.limit == 7 && full.state == .closed)
        #expect(full.user == "a b" && full.account == "$G")
        #expect(try self.query("/connz?cid=18446744073709551615&limit=9").id == .max)
        #expect(try self.query("/connz?cid=5&limit=9").limit == 1)
        #expect(try self.query("/connz?offset=-4").offset == 0)
    }

    @Test("a parameter that is not read does no harm")
    func ignoredParameters() throws {
        #expect(try self.query("/connz?limit=2&limit=x").limit == 2)
        #expect(try self.query("/connz?limit=%zz&offset=1").offset == 1)
        #expect(try self.query("/connz?limit=2;offset=1&&=&x").limit == 1024)
        #expect(try self.query("/connz?limit").limit == 1024)
    }

    @Test(
        "wrong parameters are named as Go names them",
        arguments: [
            ("/connz?auth=x", #"Error decoding boolean for 'auth': strconv.ParseBool: parsing "x": invalid syntax"#),
            ("/connz?limit=+1", #"Error decoding int for 'limit': strconv.Atoi: parsing " 1": invalid syntax"#),
            ("/connz?limit=-", #"Error decoding int for 'limit': strconv.Atoi: parsing "-": invalid syntax"#),
            (
                "/connz?offset=9223372036854775808",
                #"Error decoding int for 'offset': strconv.Atoi: parsing "9223372036854775808": value out of range"#
            ),
            ("/connz?cid=%2B1", #"Error decoding uint64 for 'cid': strconv.ParseUint: parsing "+1": invalid syntax"#),
            ("/connz?state=up", "Error decoding state for up"), ("/connz?sort=x", "invalid sorting option: x"),
            ("/connz?sort=stop&state=any", "sort by stop only valid on closed connections"),
            ("/subsz?test=a.*", "invalid test subject, must be valid publish subject: a.*"),
            ("/jsz?leader-only=1", "filtered response: not leader"),
            ("/varz?callback=a-b", "invalid callback name"), ("/varz?callback=a..b", "invalid callback name"),
            ("/varz?callback=1a", "invalid callback name"), ("/varz?callback=a(1)", "invalid callback name"),
        ]
    )
    func failures(target: String, text: String) throws {
        #expect(try self.failure(target) == text)
    }

    @Test("a callback is an identifier, or several joined by dots")
    func callbacks() throws {
        #expect(try self.decide("/varz?callback=cb").callback == "cb")
        #expect(try self.decide("/varz?callback=$a._b.c9").callback == "$a._b.c9")
        #expect(try self.decide("/varz?callback=").callback == nil)
        let long = String(repeating: "a", count: 129)
        #expect(try self.failure("/varz?callback=\(long)") != nil)
    }

    @Test("a base path moves every page")
    func basePath() throws {
        #expect(MonitoringPath.base("") == "/")
        #expect(MonitoringPath.base("mon") == "/mon")
        #expect(MonitoringPath.base("/mon/") == "/mon")
        #expect(MonitoringPath.base("a//b/../c/") == "/a/c")
        guard case .varz = try self.decide("/mon/varz", basePath: "/mon").route else {
            Issue.record("no /varz")
            return
        }
        guard case .index = try self.decide("/mon", basePath: "/mon").route else {
            Issue.record("no index")
            return
        }
        for target in ["/", "/mon/", "/varz", "/monvarz", "/mon/varz/"] {
            guard case .notFound = try self.decide(target, basePath: "/mon").route else {
                Issue.record("found \(target)")
                return
            }
        }
    }

    @Test("paths that are not clean lead to those that are")
    func redirections() throws {
        let cases = [
            ("//varz", "/varz"), ("/./varz?a=b", "/varz?a=b"), ("/a/../../varz", "/varz"), ("/varz//", "/varz/"),
            ("/..", "/"),
        ]
        for (target, location) in cases {
            guard case .redirect(let to) = try self.decide(target).route else {
                Issue.record("no redirection for \(target)")
                continue
            }
            #expect(to == location)
        }
    }

    @Test("which requests are counted, and as what")
    func counted() throws {
        #expect(try self.decide("/").counted == "/")
        #expect(try self.decide("/subscriptionsz").counted == "/subsz")
        #expect(try self.decide("/subsz?subs=x").counted == "/subsz")
        #expect(try self.decide("/connz?subs=x").counted == nil)
        #expect(try self.decide("/stacksz").counted == nil)
        #expect(try self.decide("/nope").counted == nil)
    }

    @Test("targets that are no paths are none")
    func targets() throws {
        #expect(MonitoringRequest("varz") == nil)
        #expect(MonitoringRequest("/%zz") == nil)
        #expect(MonitoringRequest("/%4") == nil)
        #expect(MonitoringRequest("*") == nil)
        #expect(try #require(MonitoringRequest("http://example.com")).path == "/")
        #expect(try #require(MonitoringRequest("HTTP://h:1/varz?x=1")).path == "/varz")
        #expect(try #require(MonitoringRequest("/a%2fb?c?d")).rawQuery == "c?d")
    }
}

@Suite struct MonitoringResponseTests {
    private func head(
        _ response: MonitoringResponse,
        _ change: (inout MonitoringRequest) -> Void = { _ in }
    ) throws
        -> String
    {
        var request = try #require(MonitoringRequest("/"))
        change(&request)
        return String(decoding: response.framing(for: request, date: "D", mustClose: false).head, as: UTF8.self)
    }

    @Test("a short body carries its length, a long one comes in chunks")
    func framing() throws {
        let short = MonitoringResponse.json([0x7b, 0x7d])
        #expect(
            try self.head(short)
                == "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\nDate: D\r\n"
                + "Content-Length: 2\r\n\r\n"
        )
        let long = MonitoringResponse.json([UInt8](repeating: 0x20, count: 2049))
        #expect(try self.head(long).hasSuffix("Date: D\r\nTransfer-Encoding: chunked\r\n\r\n801\r\n"))
        #expect(try self.head(long) { $0.isHead = true }.hasSuffix("Date: D\r\n\r\n"))
        let request = try #require(MonitoringRequest("/"))
        #expect(long.framing(for: request, date: "D", mustClose: false).tail == Array("\r\n0\r\n\r\n".utf8))
    }

    @Test("HTTP/1.0 gets no chunks and keeps the connection only if asked to")
    func oldProtocol() throws {
        var request = try #require(MonitoringRequest("/"))
        request.isHTTP10 = true
        request.isKeepAlive = true
        let short = MonitoringResponse.json([0x7b, 0x7d]).framing(for: request, date: "D", mustClose: false)
        #expect(!short.closes && String(decoding: short.head, as: UTF8.self).contains("Connection: keep-alive\r\n"))
        let body = [UInt8](repeating: 0x20, count: 5000)
        let long = MonitoringResponse.json(body).framing(for: request, date: "D", mustClose: false)
        #expect(long.closes && long.tail.isEmpty && !String(decoding: long.head, as: UTF8.self).contains("chunked"))
    }

    @Test("a callback makes a script of the document")
    func script() {
        let response = MonitoringResponse.json([0x7b, 0x7d], callback: "a.b")
        #expect(String(decoding: response.body, as: UTF8.self) == "a.b({})")
        #expect(response.headers.map(\.value) == ["application/javascript"])
    }
}
