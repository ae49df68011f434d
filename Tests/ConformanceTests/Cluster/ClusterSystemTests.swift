import Foundation
import NATSTestSupport
import NATSWire
import Testing

/// What the system account tells of the servers of a cluster, official ones and ours in one.
@Suite("system account of a cluster", .enabled(if: ServerUnderTest.available.contains(.official)))
struct ClusterSystemTests {
    static let mixed: [[ClusterNode.Kind]] = [[.official, .ours, .ours], [.ours, .official, .official]]
    static let pairs: [[ClusterNode.Kind]] = [
        [.official, .official], [.ours, .ours], [.official, .ours], [.ours, .official],
    ]

    static let forms = [
        "", ".IDZ", ".STATSZ", ".VARZ", ".SUBSZ", ".CONNZ", ".ROUTEZ", ".GATEWAYZ", ".LEAFZ", ".ACCOUNTZ", ".JSZ",
        ".HEALTHZ", ".EXPVARZ", ".IPQUEUESZ", ".RAFTZ",
    ]

    @Test("PING in all its forms lists every server, through each", arguments: Self.mixed)
    func ping(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            for node in scene.nodes {
                let client = try await node.client("sys")
                for form in Self.forms {
                    let names = try await client.names("$SYS.REQ.SERVER.PING\(form)", servers: 3)
                    #expect(names == ["one", "three", "two"], "\(kinds) \(form) at \(node.name)")
                }
                client.connection.close()
            }
        }
    }

    @Test("filters choose servers as the official ones do", arguments: Self.mixed)
    func filters(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let client = try await scene.nodes[1].client("sys")
            let filters: [(String, [String])] = [
                (#"{"server_name":"o"}"#, ["one", "two"]), (#"{"server_name":"one","exact_match":true}"#, ["one"]),
                (#"{"server_name":"on","exact_match":true}"#, []), (#"{"cluster":"C"}"#, ["one", "three", "two"]),
                (#"{"cluster":"C1","exact_match":true}"#, ["one", "three", "two"]), (#"{"cluster":"C2"}"#, []),
                (#"{"host":"127.0"}"#, ["one", "three", "two"]), (#"{"host":"127.0","exact_match":true}"#, []),
                (#"{"tags":["az:2"]}"#, ["three"]), (#"{"tags":["all","AZ:0"]}"#, ["one"]),
                (#"{"tags":["all"],"server_name":"t"}"#, ["three", "two"]), (#"{"domain":"d"}"#, []),
            ]
            for form in ["", ".STATSZ", ".VARZ", ".CONNZ", ".HEALTHZ"] {
                for (filter, expected) in filters {
                    let names = try await client.names("$SYS.REQ.SERVER.PING\(form)", filter, servers: 3)
                    #expect(names == expected, "\(kinds) \(form) \(filter)")
                }
            }
            client.connection.close()
        }
    }

    @Test("a server is asked, and told what to do, through another one", arguments: Self.pairs)
    func direct(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let client = try await scene.nodes[1].client("sys")
            let id = try await scene.id(of: 0)
            for form in Self.forms.dropFirst() {
                let answers = try await client.answers(
                    "$SYS.REQ.SERVER.\(id)\(form)",
                    fence: "$SYS.REQ.SERVER.\(id)\(form)"
                )
                #expect(answers.map(\.server) == ["one"], "\(form)")
            }
            let victim = try await scene.nodes[0].client("a", name: "victim", more: #","protocol":1"#)
            let connz = try await scene.page("/connz", of: 0)["connections"].elements
            let cid = try #require(connz.first { $0["name"].text == "victim" })["cid"].text
            for command in ["LDM", "KICK"] {
                let subject = "$SYS.REQ.SERVER.\(id).\(command)"
                let answers = try await client.answers(subject, #"{"cid":\#(cid)}"#, fence: "$SYS.REQ.SERVER.\(id).IDZ")
                #expect(answers.map(\.server) == ["one"], "\(command)")
            }
            let rest = String(decoding: try await victim.connection.readToEnd(), as: UTF8.self)
            #expect(rest.contains(#""ldm":true"#), "\(rest)")
            client.connection.close()
        }
    }

    @Test("accounts are asked about on every server, and may ask about themselves", arguments: Self.pairs)
    func accounts(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let clients = try await scene.exchange()
            let system = try await scene.nodes[1].client("sys")
            for page in ["CONNZ", "SUBSZ", "INFO", "STATZ", "CONNS", "LEAFZ", "JSZ"] {
                let names = try await system.names("$SYS.REQ.ACCOUNT.A.\(page)", servers: 2)
                #expect(names == ["one", "two"], "\(page)")
            }
            let all = try await system.names("$SYS.REQ.ACCOUNT.PING.STATZ", servers: 2)
            #expect(all == ["one", "two"])
            for subject in ["$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ"]
            {
                let names = try await clients[1].names(subject, servers: 2)
                #expect(names == ["one", "two"], "\(subject)")
            }
            // Only the client's own server knows who it is.
            let own = try await clients[1].names("$SYS.REQ.USER.INFO", servers: 1)
            #expect(own == ["two"])
            for client in clients + [system] { client.connection.close() }
        }
    }

    @Test("servers tell how they are, who comes and goes, and that they end, across routes", arguments: Self.pairs)
    func events(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let watcher = try await scene.nodes[1].client("sys")
            let id = try await scene.id(of: 0)
            try await watcher.connection.flush("SUB $SYS.SERVER.\(id).> 1\r\nSUB $SYS.ACCOUNT.A.> 2\r\n")
            try await eventually("interest") {
                let routes = try await scene.page("/routez?subs=1", of: 0)["routes"].elements
                return routes.contains { $0["subscriptions_list"].elements.contains { $0.text == "$SYS.ACCOUNT.A.>" } }
            }
            let client = try await scene.nodes[0].client("a", name: "guest")
            client.connection.close()
            var seen: [String] = []
            while !seen.contains("$SYS.ACCOUNT.A.DISCONNECT") || !seen.contains("$SYS.SERVER.\(id).STATSZ") {
                let message = try await watcher.next()
                seen.append(message.subject)
                guard message.subject.hasSuffix("STATSZ") else { continue }
                let statistics = try JSONValue.parse(message.payload)["statsz"]
                // It has heard of the other one before that told it what it wants.
                #expect(["1", "2"].contains(statistics["active_servers"].text))
                let routes = statistics["routes"].elements
                #expect(routes.count == 4)
                for route in routes {
                    #expect(route.keys == ["rid", "name", "sent", "received", "pending"])
                    #expect(route["name"].text == "two" && route["sent"].keys == ["msgs", "bytes"])
                }
                let all = ["sent", "sent_to_clients", "received", "received_from_clients"]
                #expect(all.allSatisfy { statistics[$0].keys == ["msgs", "bytes"] })
                #expect(statistics["received_from_clients"]["msgs"].text == "0")
            }
            #expect(seen.contains("$SYS.ACCOUNT.A.CONNECT") && seen.contains("$SYS.ACCOUNT.A.SERVER.CONNS"), "\(seen)")
            try await eventually("what went to the other server is counted") {
                let answers = try await watcher.answers("$SYS.REQ.SERVER.\(id).STATSZ", until: 1)
                let statistics = answers.compactMap { try? JSONValue.parse($0.payload)["statsz"] }.first
                return ClusterScene.number(statistics?["routes"].elements.last?["sent"]["msgs"] ?? .null) > 0
            }
            await scene.nodes[0].stop()
            while !seen.contains("$SYS.SERVER.\(id).SHUTDOWN") { seen.append(try await watcher.next().subject) }
            try await eventually("the other server is not counted any more") {
                let answers = try await watcher.answers("$SYS.REQ.SERVER.PING", until: 1)
                let statistics = answers.compactMap { try? JSONValue.parse($0.payload)["statsz"] }
                return statistics.first?["active_servers"].text == "1" && statistics.first?["routes"] == .null
            }
            watcher.connection.close()
        }
    }

    @Test("a server that sends its clients away says so on the others", arguments: Self.pairs)
    func lameDuck(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let watcher = try await scene.nodes[1].client("sys")
            let id = try await scene.id(of: 0)
            try await watcher.connection.flush("SUB $SYS.SERVER.*.LAMEDUCK 1\r\n")
            scene.nodes[0].signal(SIGUSR2)
            let message = try await watcher.next()
            #expect(message.subject == "$SYS.SERVER.\(id).LAMEDUCK")
            #expect(try JSONValue.parse(message.payload)["name"].text == "one")
            watcher.connection.close()
        }
    }

    @Test("connections on all servers count for the limit of an account", arguments: Self.pairs)
    func limits(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            var watchers: [SystemClient] = []
            for node in scene.nodes {
                let watcher = try await node.client("sys")
                try await watcher.connection.flush("SUB $SYS.SERVER.ACCOUNT.L.CONNS 1\r\n")
                watchers.append(watcher)
            }
            // What one server tells of its connections has been counted by the other.
            func wait(until count: String, on index: Int) async throws {
                while true {
                    let message = try await watchers[1 - index].next()
                    let isIt = message.server == scene.nodes[index].name
                    if isIt, try JSONValue.parse(message.payload)["conns"].text == count { break }
                }
                let id = try await scene.id(of: 1 - index)
                let fence = try await watchers[1 - index].answers("$SYS.REQ.SERVER.\(id).IDZ", until: 1)
                #expect(fence.map(\.server) == [scene.nodes[1 - index].name])
            }
            let first = try await scene.nodes[0].client("l")
            try await wait(until: "1", on: 0)
            let second = try await scene.nodes[1].client("l")
            try await wait(until: "1", on: 1)
            for node in scene.nodes {
                let third = try RawConnection.connect(port: node.port)
                try await third.readInfo()
                await third.send("CONNECT {\"user\":\"l\",\"pass\":\"pw\",\"verbose\":false}\r\nPING\r\n")
                let answer = try await third.readLine()
                #expect(answer == "-ERR 'maximum account active connections exceeded'", "\(node.name)")
                third.close()
            }
            #expect(!first.connection.hasEnded && !second.connection.hasEnded)
            first.connection.close()
            try await wait(until: "0", on: 0)
            let third = try await scene.nodes[1].client("l")
            for client in watchers + [second, third] { client.connection.close() }
        }
    }

    @Test("subscribers are counted on all servers", arguments: Self.pairs)
    func subscribers(kinds: [ClusterNode.Kind]) async throws {
        try await ClusterScene.with(kinds) { scene in
            let asking = try await scene.nodes[1].client("sys")
            let other = try await scene.nodes[0].client("sys")
            try await other.connection.flush("SUB here.a 1\r\nSUB here.* grp 2\r\n")
            try await asking.connection.flush("SUB here.a 1\r\n")
            for (question, expected) in [("here.a", "3"), ("here.*", "3"), ("here.a grp", "1"), ("nowhere", "0")] {
                var last = ""
                try await eventually("\(expected) subscribers of \(question), in \(last)") {
                    let answers = try await asking.answers("$SYS.DEBUG.SUBSCRIBERS", question, until: 1)
                    last = answers.first?.text ?? ""
                    return last == expected
                }
            }
            for client in [asking, other] { client.connection.close() }
        }
    }
}

extension SystemClient {
    /// The names of the servers that answer a question, sorted; what every server says to the same question without a
    /// filter comes last from each.
    func names(_ subject: String, _ payload: String = "", servers: Int) async throws -> [String] {
        try await self.answers(subject, payload, until: servers, fence: subject).map(\.server).sorted()
    }

    /// The answers to a question, until there are so many, or so many to another question that is asked after it.
    func answers(
        _ subject: String,
        _ payload: String = "",
        until count: Int,
        fence: String? = nil
    ) async throws -> [Message] {
        await self.connection.send("SUB _INBOX.answers 92\r\nSUB _INBOX.end 93\r\n")
        await self.send(subject, payload, reply: "_INBOX.answers")
        if let fence { await self.send(fence, "", reply: "_INBOX.end") }
        var answers: [Message] = []
        var ends = 0
        while fence == nil ? answers.count < count : ends < count {
            let message = try await self.next()
            switch message.subject {
            case "_INBOX.answers": answers.append(message)
            case "_INBOX.end": ends += 1
            default: break
            }
        }
        await self.connection.send("UNSUB 92\r\nUNSUB 93\r\n")
        return answers
    }
}

extension SystemClient.Message {
    /// The name of the server that has sent it.
    var server: String {
        guard let document = try? JSONValue.parse(self.payload) else { return "no JSON: \(self.text)" }
        return document["server"].type == "object" ? document["server"]["name"].text : document["name"].text
    }
}
