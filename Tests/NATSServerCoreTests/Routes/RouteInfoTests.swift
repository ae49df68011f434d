import NATSWire
import Testing

@testable import NATSServerCore

private func read(_ text: String) throws -> RouteInfo {
    try Array(text.utf8).withUnsafeBytes { bytes in try RouteInfo(json: bytes) }
}

@Suite("INFO of routes")
struct RouteInfoTests {
    /// What official servers sent, ids shortened.
    private static let observed = [
        #"{"server_id":"NAOQ","server_name":"A","version":"2.15.1","proto":3,"go":"go1.27.2","host":"127.0.0.1","#
            + #""port":6222,"headers":true,"max_payload":1048576,"nonce":"g8OH0WGDD4Hheuk","cluster":"C1","#
            + #""connect_urls":["192.0.2.2:4222","[fd00::2]:4222"],"compression":"accept","lnoc":true,"lnocu":true,"#
            + #""ln":true,"route_pool_size":3}"#,
        #"{"server_id":"NBD6","server_name":"B","version":"2.9.10","proto":2,"go":"go1.19.8","host":"127.0.0.1","#
            + #""port":6223,"headers":true,"max_payload":1048576,"nonce":"x","cluster":"C1","#
            + #""connect_urls":["127.0.0.1:4222"],"lnoc":true}"#,
        // Gossip, a connection of an account, a change of permissions, and lame duck mode.
        #"{"server_id":"NDBJ","server_name":"B","version":"2.15.1","proto":3,"go":"go1.27.2","host":"127.0.0.1","#
            + #""port":21102,"headers":true,"max_payload":1048576,"ip":"nats-route://127.0.0.1:21102/","cluster":"C1","#
            + #""lnoc":true,"lnocu":true,"route_pool_size":3,"gossip_mode":1}"#,
        #"{"server_id":"N","server_name":"B","version":"2.15.1","proto":3,"go":"","host":"h","port":1,"headers":true,"#
            + #""max_payload":-1,"cluster":"C1","cluster_dynamic":true,"compression":"off","route_pool_size":3,"#
            + #""route_pool_idx":2,"route_account":"$SYS","route_acc_add_reqid":"r1"}"#,
        #"{"server_id":"N","server_name":"B","version":"2.15.1","proto":3,"git_commit":"b2fd3ef","go":"","host":"h","#
            + #""port":1,"headers":false,"auth_required":true,"tls_required":true,"tls_verify":true,"max_payload":1,"#
            + #""jetstream":true,"domain":"D","connect_urls":["a:1"],"ws_connect_urls":["b:2"],"ldm":true,"#
            + #""import":{"allow":["foo.*"],"deny":["bar"]},"export":{"deny":["baz.\u003e"]},"leafnode_urls":["c:3"]}"#,
    ]

    @Test("what official servers send is read and written back byte for byte", arguments: observed)
    func roundTrip(json: String) throws {
        let line = try read(json).encode()
        #expect(String(decoding: line, as: UTF8.self) == "INFO \(json) \r\n")
    }

    @Test("the fields mean what they say")
    func fields() throws {
        let first = try read(Self.observed[0])
        #expect(first.serverID == "NAOQ" && first.serverName == "A" && first.proto == 3 && first.port == 6222)
        #expect(first.headers && first.leafOrigins && first.leafOriginsInNoInterest && first.poolSize == 3)
        #expect(first.connectURLs == ["192.0.2.2:4222", "[fd00::2]:4222"] && first.compression == "accept")
        #expect(first.importPermissions == nil && first.account.isEmpty && !first.lameDuckMode)
        let gossip = try read(Self.observed[2])
        #expect(gossip.ip == "nats-route://127.0.0.1:21102/" && gossip.gossipMode == RouteInfo.GossipMode.disabled)
        let dedicated = try read(Self.observed[3])
        #expect(dedicated.account == "$SYS" && dedicated.poolIndex == 2 && dedicated.accountRequestID == "r1")
        #expect(dedicated.isClusterDynamic && dedicated.maxPayload == -1)
        let last = try read(Self.observed[4])
        #expect(last.importPermissions == PermissionOptions.Subjects(allow: ["foo.*"], deny: ["bar"]))
        #expect(last.exportPermissions == PermissionOptions.Subjects(deny: ["baz.>"]))
        #expect(last.lameDuckMode && last.authRequired && last.leafNodeURLs == ["c:3"])
    }

    @Test("missing keys and null leave the defaults, unknown keys are ignored, keys match in any case")
    func lenient() throws {
        #expect(try read("{}") == RouteInfo())
        #expect(try read("null") == RouteInfo())
        #expect(try read(#"{"server_id":null,"import":null,"connect_urls":null,"x":[{}],"LDM":false}"#) == RouteInfo())
        #expect(try read(#"{"SERVER_ID":"a","server_id":"b"}"#).serverID == "b")
        // Nothing allowed is not the same as nothing said.
        #expect(try read(#"{"export":{"allow":[]}}"#).exportPermissions?.allow == [])
        #expect(try read(#"{"export":{}}"#).exportPermissions == PermissionOptions.Subjects())
    }

    @Test(
        "a wrong type is refused, in keys of other kinds of connection too",
        arguments: [
            "[]", "5", "{bad", #"{"server_id":1}"#, #"{"port":"x"}"#, #"{"port":1.5}"#, #"{"headers":1}"#,
            #"{"max_payload":2147483648}"#, #"{"connect_urls":"a"}"#, #"{"connect_urls":[1]}"#, #"{"import":[]}"#,
            #"{"import":{"allow":"a"}}"#, #"{"export":{"deny":[1]}}"#, #"{"gossip_mode":256}"#, #"{"gossip_mode":-1}"#,
            #"{"route_pool_size":"3"}"#, #"{"ldm":"x"}"#, #"{"client_id":-1}"#, #"{"gateway_urls":5}"#,
            #"{"tls_available":0}"#, #"{"gateway":true}"#, #"{"gateway_cmd":"x"}"#, #"{"api_lvl":"1"}"#,
        ]
    )
    func wrongTypes(text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }

    @Test("texts and lists of a hostile peer are bounded")
    func bounds() throws {
        let longest = String(repeating: "a", count: RouteInfo.maximumTextLength)
        for key in [
            "server_id", "server_name", "version", "git_commit", "go", "host", "ip", "nonce", "cluster", "domain",
            "compression", "route_account", "route_acc_add_reqid",
        ] {
            #expect(throws: Never.self, "\(key)") { try read(#"{"\#(key)":"\#(longest)"}"#) }
            #expect(throws: JSONError.self, "\(key)") { try read(#"{"\#(key)":"\#(longest)a"}"#) }
        }
        let many = (0..<2_000).map { "\"h\($0):1\"" }.joined(separator: ",")
        for (key, urls) in [
            ("connect_urls", \RouteInfo.connectURLs), ("ws_connect_urls", \.webSocketConnectURLs),
            ("leafnode_urls", \.leafNodeURLs),
        ] {
            #expect(try read(#"{"\#(key)":[\#(many)]}"#)[keyPath: urls].count == RouteInfo.maximumListCount)
            #expect(try read(#"{"\#(key)":["","\#(longest)a",null,"x:1"]}"#)[keyPath: urls] == ["x:1"])
        }
        for key in ["import", "export"] {
            for list in ["allow", "deny"] {
                let info = try read(#"{"\#(key)":{"\#(list)":[\#(many)]}}"#)
                #expect(info.importPermissions == nil && info.exportPermissions == nil)
            }
        }
    }
}
