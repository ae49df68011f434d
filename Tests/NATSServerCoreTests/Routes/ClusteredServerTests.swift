import Logging
import NATSAuth
import NATSTestSupport
import Testing

@testable import NATSServerCore

/// What a server does otherwise because there are others.
@Suite("servers that know others")
struct ClusteredServerTests {
    private static func info(of server: ConfiguredServer) async throws -> String {
        let connection = try RawConnection.connect(port: server.port)
        defer { connection.close() }
        return try await connection.readInfo()
    }

    private static let webSocket = "websocket { listen: \"127.0.0.1:-1\", no_tls: true }\n"

    @Test("clients are told of this server and the others as soon as there was one", arguments: RoutePairTests.pairs)
    func clientURLs(pair: RoutePairTests.Pair) async throws {
        try await ConfiguredServer.with(pair.first, RoutePairTests.configuration("A") + Self.webSocket) { first in
            #expect(try await Self.info(of: first).contains("connect_urls") == false)
            let text = RoutePairTests.configuration("B", routes: [first.clusterPort]) + Self.webSocket
            try await ConfiguredServer.with(pair.second, text) { second in
                try await RoutePairTests.expectRoute(from: first, to: second)
                try await RoutePairTests.expectRoute(from: second, to: first)
                for server in [first, second] {
                    let info = try await Self.info(of: server)
                    for port in [first.port, second.port] { #expect(info.contains("127.0.0.1:\(port)\"")) }
                    #expect(!info.contains("ws_connect_urls"))
                }
            }
            let (here, there) = ("127.0.0.1:\(first.port)\"", "\"connect_urls\":[\"127.0.0.1:\(first.port)\"]")
            try await eventually("the other server to be forgotten") {
                try await Self.info(of: first).contains(there)
            }
            #expect(try await Self.info(of: first).contains(here))
        }
    }

    @Test("with no_advertise clients are told of nobody", arguments: RoutePairTests.pairs)
    func notAdvertised(pair: RoutePairTests.Pair) async throws {
        try await RoutePairTests.with(pair, ", no_advertise: true") { first, second in
            try await RoutePairTests.expectRoute(from: first, to: second)
            for server in [first, second] {
                #expect(try await Self.info(of: server).contains("connect_urls") == false)
            }
        }
    }

    @Test(
        "what an account allows is not taken back when a server comes",
        arguments: [ServerUnderTest.ours, .oursOnManyLoops]
    )
    func maxPayload(kind: ServerUnderTest) async throws {
        let accounts = "accounts { X { users: [ {user: x, password: x} ], limits { max_payload: 1000 } } }\n"
        try await ConfiguredServer.with(kind, RoutePairTests.configuration("A") + accounts) { first in
            let client = try RawConnection.connect(port: first.port)
            try await client.readInfo()
            await client.send("CONNECT {\"user\":\"x\",\"pass\":\"x\",\"protocol\":1,\"verbose\":false}\r\nPING\r\n")
            let answer = String(decoding: try await client.read(until: "\r\n"), as: UTF8.self)
            #expect(answer == "PONG\r\n")
            #expect(
                String(decoding: try await client.read(until: "\r\n"), as: UTF8.self).contains("\"max_payload\":1000,")
            )
            let text = RoutePairTests.configuration("B", routes: [first.clusterPort]) + accounts
            try await ConfiguredServer.with(.ours, text) { _ in
                let news = String(decoding: try await client.read(until: "\r\n"), as: UTF8.self)
                #expect(news.contains("\"connect_urls\"") && news.contains("\"max_payload\":1000,"))
            }
        }
    }

    @Test("an authorization service may be on another server", arguments: RoutePairTests.pairs)
    func callout(pair: RoutePairTests.Pair) async throws {
        let service = try CalloutService(isSealed: false)
        let text = """
            authorization { timeout: 60, \(service.block()) }
            accounts {
              AUTH { users: [{user: auth, password: auth}] }
              APP { users: [{user: known, password: known}] }
            }

            """
        try await ConfiguredServer.with(pair.first, RoutePairTests.configuration("A") + text) { first in
            let routes = [first.clusterPort]
            try await ConfiguredServer.with(pair.second, RoutePairTests.configuration("B", routes: routes) + text) {
                second in
                try await service.serve(port: second.port) { question in
                    [.user(CalloutService.user(question, "APP"))]
                } while: {
                    // What is told of the account comes in order.
                    let (near, far) = (try await first.connect("auth"), try await second.connect("auth"))
                    try await far.flush("SUB foo 1\r\n")
                    try await RoutePairTests.settle(near, "foo", far)
                    _ = try await first.connect("somebody")
                }
            }
        }
    }

    @Test("servers that were connected leave nothing behind", arguments: [false, true])
    func release(isKilled: Bool) async throws {
        weak var witness: Watched<[String]>?
        try await ConfiguredServer.with(.ours, RoutePairTests.configuration("A")) { first in
            let lines = Watched<[String]>([])
            witness = lines
            let routes = RoutePairTests.configuration("B", routes: [first.clusterPort])
            try await ConfiguredServer.with(
                .oursOnManyLoops,
                routes,
                change: { options in
                    options.logger = Logger(label: "test") { _ in CollectingLogHandler(lines: lines) }
                },
                { second in
                    try await RoutePairTests.expectRoute(from: first, to: second)
                    try await RoutePairTests.expectRoute(from: second, to: first)
                    if isKilled { await second.ours?.kill() }
                }
            )
        }
        try await eventually("all memory of the server is free") { witness == nil }
    }
}
