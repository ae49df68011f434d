import NATSWire
import Testing

@Suite struct ServerInfoTests {
    @Test("the INFO line of a plain server is written byte for byte like the official server's")
    func encodePlain() {
        var info = ServerInfo()
        info.serverID = "NCE4"
        info.serverName = "S1"
        info.version = "2.15.1"
        info.proto = 1
        info.gitCommit = "b2fd3ef"
        info.goVersion = "go1.27.2"
        info.host = "0.0.0.0"
        info.port = 4222
        info.headers = true
        info.maxPayload = 1_048_576
        info.clientID = 5
        info.clientIP = "127.0.0.1"
        info.apiLevel = 5
        info.xkey = "XCNA"
        let expected =
            #"INFO {"server_id":"NCE4","server_name":"S1","version":"2.15.1","proto":1,"git_commit":"b2fd3ef","#
            + #""go":"go1.27.2","host":"0.0.0.0","port":4222,"headers":true,"max_payload":1048576,"client_id":5,"#
            + #""client_ip":"127.0.0.1","api_lvl":5,"xkey":"XCNA"} "# + "\r\n"
        #expect(String(decoding: info.encode(), as: UTF8.self) == expected)
    }

    @Test("encoding and decoding keep every field")
    func roundTrip() throws {
        var info = ServerInfo()
        info.serverID = "N<1>"
        info.serverName = "é"
        info.version = "2.15.1"
        info.proto = 1
        info.host = "h"
        info.port = 1
        info.headers = true
        info.authRequired = true
        info.tlsRequired = true
        info.tlsVerify = true
        info.tlsAvailable = true
        info.maxPayload = 12
        info.jetStream = true
        info.ip = "nats-route://x"
        info.clientID = .max
        info.clientIP = "::1"
        info.nonce = "abc_-"
        info.cluster = "C"
        info.domain = "D"
        info.connectURLs = ["a:1", "[::1]:2"]
        info.webSocketConnectURLs = ["w:3"]
        info.lameDuckMode = true
        info.connectInfo = true
        info.remoteAccount = "$G"
        info.isSystemAccount = true
        info.apiLevel = 5
        info.xkey = "X"
        let line = info.encode()
        let decoded = try ServerInfo(json: Array(line.dropFirst(5).dropLast(3)))
        #expect(decoded == info)
    }

    @Test("unknown keys are ignored and wrong types refused")
    func tolerance() throws {
        let info = try ServerInfo(json: Array(#"{"PORT":7,"future":{"x":[1]},"connect_urls":null}"#.utf8))
        #expect(info.port == 7)
        #expect(throws: JSONError.self) { try ServerInfo(json: Array(#"{"port":"7"}"#.utf8)) }
        #expect(throws: JSONError.self) { try ServerInfo(json: Array(#"{"port":7.5}"#.utf8)) }
        #expect(throws: JSONError.self) { try ServerInfo(json: Array("[]".utf8)) }
    }
}
