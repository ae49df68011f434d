import NATSWire
import Testing

@Suite struct ConnectPayloadTests {
    @Test("an empty object leaves the server's defaults")
    func defaults() throws {
        let payload = try ConnectPayload(json: Array("{}".utf8))
        #expect(payload.verbose && payload.pedantic && payload.echo)
        #expect(!payload.headers && !payload.noResponders && payload.proto == 0)
    }

    @Test("keys match in any case, null leaves a value unchanged, the last of equal keys wins")
    func goRules() throws {
        let text = #"{"VERBOSE":false,"echo":null,"Pass":"a","pass":"b","unknown":[{}],"protocol":1}"#
        let payload = try ConnectPayload(json: Array(text.utf8))
        #expect(!payload.verbose && payload.echo && payload.password == "b" && payload.proto == 1)
    }

    @Test(
        "a wrong type is refused",
        arguments: [
            #"{"verbose":"x"}"#, #"{"protocol":"1"}"#, #"{"protocol":1.5}"#, #"{"user":5}"#, "[]", "5", "{bad",
            #"{"echo":1}"#,
        ]
    )
    func wrongTypes(text: String) {
        #expect(throws: JSONError.self) { try ConnectPayload(json: Array(text.utf8)) }
    }

    @Test("a client's CONNECT has the keys of nats.go in its order")
    func encode() throws {
        var payload = ConnectPayload()
        payload.verbose = false
        payload.pedantic = false
        payload.user = "u"
        payload.password = "p\"w"
        payload.lang = "swift"
        payload.version = "1"
        payload.proto = 1
        payload.headers = true
        payload.noResponders = true
        let expected =
            #"CONNECT {"verbose":false,"pedantic":false,"user":"u","pass":"p\"w","tls_required":false,"name":"","#
            + #""lang":"swift","version":"1","protocol":1,"echo":true,"headers":true,"no_responders":true}"# + "\r\n"
        let line = payload.encode()
        #expect(String(decoding: line, as: UTF8.self) == expected)
        #expect(try ConnectPayload(json: Array(line.dropFirst(8).dropLast(2))) == payload)
    }
}
