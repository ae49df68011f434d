import NATSClient
import Testing

@testable import NATSServices

@Suite struct ServiceDocumentTests {
    private let identity = NATSServiceIdentity(
        name: "sums",
        id: "ID1",
        version: "1.2.3",
        metadata: ["zone": "a", "rack": "\"7\""]
    )

    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    @Test("a ping is answered with the identity in the order of Go's fields")
    func ping() {
        let bytes = ServiceDocuments.ping(self.identity)
        let expected = #"""
            {"name":"sums","id":"ID1","version":"1.2.3","metadata":{"rack":"\"7\"","zone":"a"},\#
            "type":"io.nats.micro.v1.ping_response"}
            """#
        #expect(self.text(bytes) == expected)
        #expect(bytes.withUnsafeBytes { ServiceDocuments.readIdentity($0) } == self.identity)
        // Another question has another answer.
        #expect(bytes.withUnsafeBytes { ServiceDocuments.readInfo($0) } == nil)
    }

    @Test("infos are read as they were written")
    func info() {
        let info = NATSServiceInfo(
            identity: self.identity,
            description: "adds up",
            endpoints: [
                .init(name: "add", subject: "sums.add", queueGroup: "q", metadata: ["unit": "€"]),
                .init(name: "all", subject: "sums.*", queueGroup: ""),
            ]
        )
        let bytes = ServiceDocuments.info(info)
        let expected = #"""
            "type":"io.nats.micro.v1.info_response","description":"adds up","endpoints":[\#
            {"name":"add","subject":"sums.add","queue_group":"q","metadata":{"unit":"€"}},\#
            {"name":"all","subject":"sums.*","queue_group":"","metadata":{}}]}
            """#
        #expect(self.text(bytes).hasSuffix(expected))
        #expect(bytes.withUnsafeBytes { ServiceDocuments.readInfo($0) } == info)
    }

    @Test("statistics are read as they were written, added data included")
    func statistics() {
        var one = NATSServiceStatistics.Endpoint(name: "add", subject: "sums.add", queueGroup: "q")
        one.requests = 3
        one.errors = 1
        one.lastError = "400:bad"
        one.processingTime = .microseconds(3)
        one.averageProcessingTime = .microseconds(1)
        one.data = #"{"queue":[1,2.5,null,true]}"#
        let two = NATSServiceStatistics.Endpoint(name: "b", subject: "b", queueGroup: "")
        let statistics = NATSServiceStatistics(
            identity: self.identity,
            started: "2026-11-21T20:00:00.000000Z",
            endpoints: [one, two]
        )
        let bytes = ServiceDocuments.statistics(statistics)
        let expected = #"""
            "type":"io.nats.micro.v1.stats_response","started":"2026-11-21T20:00:00.000000Z","endpoints":[\#
            {"name":"add","subject":"sums.add","queue_group":"q","num_requests":3,"num_errors":1,\#
            "last_error":"400:bad","processing_time":3000,"average_processing_time":1000,\#
            "data":{"queue":[1,2.5,null,true]}},\#
            {"name":"b","subject":"b","queue_group":"","num_requests":0,"num_errors":0,"last_error":"",\#
            "processing_time":0,"average_processing_time":0,"data":null}]}
            """#
        #expect(self.text(bytes).hasSuffix(expected))
        #expect(bytes.withUnsafeBytes { ServiceDocuments.readStatistics($0) } == statistics)
    }

    @Test("added data that is no JSON is sent as a text")
    func textData() {
        var one = NATSServiceStatistics.Endpoint(name: "add", subject: "add", queueGroup: "q")
        one.data = "{ not JSON"
        let bytes = ServiceDocuments.statistics(.init(identity: self.identity, started: "", endpoints: [one]))
        #expect(self.text(bytes).hasSuffix(#""data":"{ not JSON"}]}"#))
    }

    @Test("what Go's services answer is read: no data, fractions of nine digits, metadata that is null")
    func answersOfGo() throws {
        let text = """
            {"name":"CoolAddService","id":"pvELm3B5wIfDYRt7qSyVW8","version":"0.0.1","metadata":{},\
            "type":"io.nats.micro.v1.stats_response","started":"2024-01-01T00:00:00.123456789Z",\
            "endpoints":[{"name":"add","subject":"svc.add","queue_group":"q","num_requests":4,"num_errors":1,\
            "last_error":"400:no","processing_time":123456789012,"average_processing_time":1.5e3}]}
            """
        let statistics = try #require(Array(text.utf8).withUnsafeBytes { ServiceDocuments.readStatistics($0) })
        #expect(statistics.started == "2024-01-01T00:00:00.123456789Z")
        #expect(statistics.endpoints.map(\.requests) == [4])
        #expect(statistics.endpoints.first?.processingTime == .nanoseconds(123_456_789_012))
        #expect(statistics.endpoints.first?.averageProcessingTime == .nanoseconds(1500))
        #expect(statistics.endpoints.first?.data == nil)
        let info = """
            {"name":"a","id":"b","version":"0.0.1","metadata":null,"type":"io.nats.micro.v1.info_response",\
            "description":null,"endpoints":[{"name":"x","subject":"x","queue_group":"q","metadata":null}]}
            """
        #expect(Array(info.utf8).withUnsafeBytes { ServiceDocuments.readInfo($0) }?.endpoints.count == 1)
    }

    @Test("endpoints without a subject are none: much of them fits into an answer")
    func noEndpoints() throws {
        let zeros = Array(repeating: "0", count: 100_000).joined(separator: ",")
        func answer(_ verb: ControlVerb) -> [UInt8] {
            let text = """
                {"name":"a","id":"b","version":"0.0.1","type":"\(verb.responseType)",\
                "endpoints":[\(zeros),{},{"name":"x"},{"name":"x","subject":"y"}]}
                """
            return Array(text.utf8)
        }
        let info = try #require(answer(.info).withUnsafeBytes { ServiceDocuments.readInfo($0) })
        #expect(info.endpoints.map(\.subject) == ["y"])
        let statistics = try #require(answer(.statistics).withUnsafeBytes { ServiceDocuments.readStatistics($0) })
        #expect(statistics.endpoints.map(\.subject) == ["y"])
    }

    @Test("added data of any depth leaves the answer readable", arguments: [100, 125, 126, 127, 128, 129, 200])
    func deepData(depth: Int) throws {
        var one = NATSServiceStatistics.Endpoint(name: "add", subject: "add", queueGroup: "q")
        one.data = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let bytes = ServiceDocuments.statistics(.init(identity: self.identity, started: "", endpoints: [one]))
        let read = try #require(bytes.withUnsafeBytes { ServiceDocuments.readStatistics($0) })
        #expect(read.endpoints.count == 1)
        #expect(read.endpoints.first?.data?.contains("[[[") == true)
    }

    @Test("times of more than 32 bits of nanoseconds are kept")
    func longTimes() throws {
        var one = NATSServiceStatistics.Endpoint(name: "add", subject: "add", queueGroup: "q")
        one.processingTime = .seconds(100_000)
        one.averageProcessingTime = .seconds(Int64.max)
        let bytes = ServiceDocuments.statistics(.init(identity: self.identity, started: "", endpoints: [one]))
        let read = try #require(bytes.withUnsafeBytes { ServiceDocuments.readStatistics($0) }?.endpoints.first)
        #expect(read.processingTime == .seconds(100_000))
        #expect(read.averageProcessingTime == .nanoseconds(Int64.max))
    }

    @Test("an error's headers are before all others, and none of another case is taken for them")
    func foreignErrorHeaders() {
        let error = NATSServiceError(code: 400, "mine")
        let headers = error.headers(
            adding: ["nats-service-error": "theirs", "A": "b", "NATS-SERVICE-ERROR-CODE": "7", "A": "c"]
        )
        #expect(headers.map(\.name) == ["Nats-Service-Error", "Nats-Service-Error-Code", "A", "A"])
        #expect(NATSMessage(subject: "a", headers: headers, payload: "").serviceError == error)
        let others: NATSHeaders = [
            "nats-service-error": "theirs", "nats-service-error-code": "7", "Nats-Service-Error": "mine",
            "Nats-Service-Error-Code": "400",
        ]
        #expect(NATSMessage(subject: "a", headers: others, payload: "").serviceError == error)
    }

    @Test("no more of an error's text is sent than 1024 bytes, whole scalars")
    func longErrors() {
        let text = String(repeating: "€", count: 1000)
        let shortened = NATSServiceError(code: 1, text).shortened
        #expect(shortened == NATSServiceError(code: 1, String(repeating: "€", count: 341)))
        #expect(NATSServiceError(code: 1, text).headers(adding: [:]).first("Nats-Service-Error") == shortened.message)
        let short = NATSServiceError(code: 1, String(repeating: "x", count: 1024))
        #expect(short.shortened == short)
    }

    @Test(
        "what is no answer is none",
        arguments: [
            "", "{", "[]", "null", "7", #"{"type":"io.nats.micro.v1.ping_response"}"#,
            #"{"name":"a","id":"b","version":"1.0.0"}"#,
            #"{"name":1,"id":"b","version":"1.0.0","type":"io.nats.micro.v1.ping_response"}"#,
            #"{"name":"a","id":"","version":"1.0.0","type":"io.nats.micro.v1.ping_response"}"#,
            String(repeating: "[", count: 100_000),
        ]
    )
    func noAnswers(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { ServiceDocuments.readIdentity($0) } == nil)
    }

    @Test("errors are told in two headers, on one line each")
    func errorHeaders() {
        let error = NATSServiceError(code: 418, "I am\r\na teapot")
        let headers = error.headers(adding: ["Color": "blue", "Nats-Service-Error": "other"])
        #expect(headers.first("Nats-Service-Error") == "I am  a teapot")
        #expect(headers.first("Nats-Service-Error-Code") == "418")
        #expect(headers.first("Color") == "blue")
        #expect(headers.count == 3)
        #expect(NATSServiceError(code: 1, " ").headers(adding: [:]).first("Nats-Service-Error") == "error")
        let message = NATSMessage(subject: "a", headers: headers, payload: "")
        #expect(message.serviceError == NATSServiceError(code: 418, "I am  a teapot"))
        #expect(NATSMessage(subject: "a", headers: ["Color": "blue"], payload: "").serviceError == nil)
        #expect(NATSMessage(subject: "a", payload: "").serviceError == nil)
        let odd = NATSMessage(subject: "a", headers: ["nats-service-error-code": "many"], payload: "")
        #expect(odd.serviceError == NATSServiceError(code: 0, ""))
    }
}
