import NATSWire
import Testing

@testable import NATSServerCore

private func read(_ text: String) throws -> RouteConnect {
    try Array(text.utf8).withUnsafeBytes { bytes in try RouteConnect(json: bytes) }
}

@Suite("CONNECT of routes")
struct RouteConnectTests {
    @Test(
        "what official servers send is read and written back byte for byte",
        arguments: [
            #"{"echo":true,"verbose":false,"pedantic":false,"tls_required":false,"headers":true,"name":"NBFY","#
                + #""cluster":"C1","lnoc":true,"ln":true}"#,
            #"{"echo":true,"verbose":false,"pedantic":false,"user":"u","pass":"p\"w","tls_required":true,"#
                + #""headers":false,"name":"N","cluster":"x","cluster_dynamic":true,"lnoc":true,"lnocu":true,"ln":true,"#
                + #""gateway":"gw"}"#,
        ]
    )
    func roundTrip(json: String) throws {
        #expect(String(decoding: try read(json).encode(), as: UTF8.self) == "CONNECT \(json)\r\n")
    }

    @Test("what we say first is what every version understands")
    func minimal() throws {
        var connect = RouteConnect()
        connect.serverID = "N1"
        connect.cluster = "C1"
        let expected =
            #"CONNECT {"echo":true,"verbose":false,"pedantic":false,"tls_required":false,"headers":true,"name":"N1","#
            + #""cluster":"C1"}"# + "\r\n"
        #expect(String(decoding: connect.encode(), as: UTF8.self) == expected)
    }

    @Test("a missing key means no, unlike in the CONNECT of a client")
    func defaults() throws {
        let connect = try read("{}")
        #expect(!connect.echo && !connect.verbose && !connect.pedantic && !connect.headers && !connect.leafOrigins)
        #expect(try read("null") == connect)
        #expect(try read(#"{"cluster":"C1","x":[{}],"VERBOSE":true}"#).verbose)
        let wrongPort = try read(#"{"lang":"go","gateway":"gw","user":"u","pass":"p"}"#)
        #expect(wrongPort.lang == "go" && wrongPort.gateway == "gw")
        #expect(wrongPort.user == "u" && wrongPort.password == "p")
    }

    @Test(
        "a wrong type is refused, in the keys of clients too",
        arguments: [
            "[]", "{bad", #"{"name":1}"#, #"{"cluster":1}"#, #"{"cluster_dynamic":"x"}"#, #"{"lnoc":1}"#,
            #"{"gateway":false}"#, #"{"headers":"x"}"#, #"{"jwt":1}"#, #"{"protocol":"1"}"#, #"{"import":[]}"#,
        ]
    )
    func wrongTypes(text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }

    @Test("texts of a hostile peer are bounded")
    func bounds() {
        let longest = String(repeating: "a", count: RouteInfo.maximumTextLength)
        for key in ["name", "cluster", "user", "pass", "gateway", "lang"] {
            #expect(throws: Never.self, "\(key)") { try read(#"{"\#(key)":"\#(longest)"}"#) }
            #expect(throws: JSONError.self, "\(key)") { try read(#"{"\#(key)":"\#(longest)a"}"#) }
        }
    }
}
