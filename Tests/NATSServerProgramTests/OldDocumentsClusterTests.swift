import NATSClient
import NATSTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The clusters of the old documents, made by flags, of our servers, of official ones, and of both.
@Suite(.timeLimit(.minutes(5))) struct OldDocumentsClusterTests {
    @Test(
        "§5: the first of two servers says that it cannot reach the other one, leaves itself out, and both connect",
        arguments: ClusterCast.available
    )
    func twoByFlags(cast: ClusterCast) async throws {
        let (a, b) = (try ClusterPlace(), try ClusterPlace())
        let routes = a.routeURL + "," + b.routeURL
        let first = try ProgramRun(cast.programs[0], ["-D"] + a.flags("-routes", routes))
        try await first.use {
            try await first.waitForLog(
                "[ERR] Error trying to connect to route (attempt 1): dial tcp 127.0.0.1:\(b.routePort): "
                    + "connect: connection refused\n"
            )
            let second = try ProgramRun(cast.programs[1], ["-D"] + b.flags("-routes", routes))
            try await second.use {
                try await b.expectReady()
                try await a.expectRoute(to: b)
                for (run, place, other) in [(first, a, b), (second, b, a)] {
                    #expect(
                        run.errors.contains("[INF] Listening for route connections on localhost:\(place.routePort)\n")
                    )
                    #expect(!run.errors.contains("route on localhost:\(place.routePort)"))
                    #expect(run.errors.contains("[DBG] Trying to connect to route on localhost:\(other.routePort)"))
                    try await run.waitForLog(" - Route connection created\n")
                }
            }
        }
    }

    @Test(
        "§5: the rolling upgrade: nats-sub goes from server to server, and is told of those that come",
        arguments: ClusterCast.available
    )
    func rollingUpgrade(cast: ClusterCast) async throws {
        let places = [try ClusterPlace(), try ClusterPlace(), try ClusterPlace()]
        let script = try ChildProcess(
            TestDependencies.packageRoot + "/Scripts/check-rolling-upgrade",
            try cast.programs.map { try $0.path() },
            environment: [
                "TOOLS": try BuiltProgram.directory("nats-sub"),
                "PORTS": places.map { "\($0.clientPort) \($0.routePort)" }.joined(separator: " "),
            ]
        )
        let exit = await script.waitForExit(timeout: .seconds(240))
        #expect(exit == .exited(0), "\(script.output)")
        #expect(script.output.hasSuffix("rolling upgrade: nats-sub was with every server and missed nothing\n"))
    }

    @Test("§5: clients are spread at random, unless that is switched off", arguments: ClusterCast.available)
    func spread(cast: ClusterCast) async throws {
        let places = [try ClusterPlace(), try ClusterPlace(), try ClusterPlace()]
        let routes = places.map(\.routeURL).joined(separator: ",")
        try await cast.run(places.map { $0.flags("-routes", routes) }) { _ in
            func servers(randomize: Bool, clients: Int) async throws -> Set<Int> {
                var ports: Set<Int> = []
                for _ in 0..<clients {
                    var configuration = NATSClientConfiguration(servers: places.map(\.clientURL))
                    configuration.randomizeServers = randomize
                    configuration.connectTimeout = .seconds(30)
                    let url = try await NATSClient.withClient(configuration) { $0.serverInfo?.url ?? "" }
                    if let port = places.map(\.clientPort).first(where: { url.hasSuffix(":\($0)") }) {
                        ports.insert(port)
                    }
                }
                return ports
            }
            // That one of three is missed by chance happens once in three million runs.
            let spread = try await servers(randomize: true, clients: 40)
            #expect(spread == Set(places.map(\.clientPort)))
            let gathered = try await servers(randomize: false, clients: 5)
            #expect(gathered == [places[0].clientPort])
        }
    }

    @Test("§5: a seed server and two that know only it become a full mesh", arguments: ClusterCast.available)
    func seed(cast: ClusterCast) async throws {
        let (seed, b, c) = (try ClusterPlace(), try ClusterPlace(), try ClusterPlace())
        let flags = [seed.flags(), b.flags("-routes", seed.routeURL), c.flags("-routes", seed.routeURL)]
        try await cast.run(flags) { _ in
            try await b.expectRoute(to: c)
            try await seed.expectRoute(to: b)
            try await seed.expectRoute(to: c)
            // One hop: everybody gets each message once, whoever else has it.
            try await seed.withClient { onSeed in
                try await b.withClient { onB in
                    try await c.withClient { onC in
                        let everywhere = [
                            try await onSeed.subscribe("numbers", confirm: true),
                            try await onB.subscribe("numbers", confirm: true),
                            try await onC.subscribe("numbers", confirm: true),
                        ]
                        for subscription in everywhere {
                            try await eventually {
                                try await onC.publish("ready", to: "numbers")
                                return (try? await subscription.next(timeout: .milliseconds(20))) != nil
                            }
                        }
                        for number in 0..<100 { try await onC.publish("\(number)", to: "numbers") }
                        for subscription in everywhere {
                            var texts: [String] = []
                            while texts.last != "99" {
                                let text = try await subscription.next(timeout: .seconds(60))?.string
                                if text != "ready" { texts.append(text ?? "99") }
                            }
                            #expect(texts == (0..<100).map { "\($0)" })
                        }
                    }
                }
            }
        }
    }

    @Test("§5: what comes from a route goes to local clients only", arguments: ClusterCast.available)
    func oneHop(cast: ClusterCast) async throws {
        let (seed, b, c) = (try ClusterPlace(), try ClusterPlace(), try ClusterPlace())
        // Nobody can follow the gossip about B and C.
        let away = ["-cluster_advertise", "127.0.0.1:1", "-routes", seed.routeURL]
        try await cast.run([seed.flags(), b.flags() + away, c.flags() + away]) { _ in
            try await seed.expectRoute(to: b)
            try await seed.expectRoute(to: c)
            try await b.withClient { onB in
                let atB = try await onB.subscribe("far", confirm: true)
                try await seed.withClient { onSeed in
                    let atSeed = try await onSeed.subscribe("far", confirm: true)
                    try await c.withClient { onC in
                        try await eventually {
                            try await onC.publish("near", to: "far")
                            return (try? await atSeed.next(timeout: .milliseconds(20))) != nil
                        }
                        await #expect(throws: NATSError.self) { try await onC.request("", to: "nobody.here") }
                    }
                    // Behind everything that could have come from C by way of the seed server.
                    try await onSeed.publish("seed", to: "far")
                }
                #expect(try await atB.next(timeout: .seconds(60))?.string == "seed")
            }
        }
    }

    @Test(
        "§5: nats-sub on A gets what nats-pub says on C; A's log has it from a route, C's from the client",
        arguments: ClusterCast.available
    )
    func acrossServers(cast: ClusterCast) async throws {
        let (a, b, c) = (try ClusterPlace(), try ClusterPlace(), try ClusterPlace())
        let flags = [a.flags("-DV"), b.flags("-routes", a.routeURL), c.flags("-DV", "-routes", a.routeURL)]
        try await cast.run(flags) { runs in
            try await a.expectRoute(to: c)
            let subscriber = try ChildProcess(
                try BuiltProgram.path("nats-sub"),
                ["-s", a.clientURL, "hello", "-n", "1"]
            )
            try await runs[2].waitForLog("<<- [RS+ $G hello]\n")
            let publisher = try ChildProcess(try BuiltProgram.path("nats-pub"), ["-s", c.clientURL, "hello", "world"])
            #expect(await publisher.waitForExit() == .exited(0))
            #expect(await subscriber.waitForExit() == .exited(0))
            // The old documents have a blank before the colon.
            #expect(subscriber.output.contains("[#1] Received on [hello]: 'world'\n"), "\(subscriber.output)")
            #expect(publisher.output == "Published [hello] : 'world'\n")
            try await runs[0].waitForLog(" <<- [RMSG $G hello 5]\n")
            #expect(runs[0].errors.contains(#/ - rid:\d+ - <<- \[RMSG \$G hello 5\]\n/#))
            #expect(runs[2].errors.contains(#/ - cid:\d+ - .*<<- \[PUB hello 5\]\n/#))
        }
    }

    @Test(
        "§5: a client stays connected as long as one server is left, whichever it began with",
        arguments: ClusterCast.available
    )
    func lastServer(cast: ClusterCast) async throws {
        let places = [try ClusterPlace(), try ClusterPlace(), try ClusterPlace()]
        let seed = places[0].routeURL
        // The last one to run is the first that was started, which two others know from gossip.
        try await cast.run([places[0].flags()]) { _ in
            let later = try (1...2).map { try ProgramRun(cast.programs[$0], places[$0].flags("-routes", seed)) }
            for place in places { try await place.expectReady() }
            try await places[1].expectRoute(to: places[2])
            try await places[0].withClient { first in
                try await places[1].withClient { second in
                    try await places[2].withClient { third in
                        let clients = [first, second, third]
                        for client in clients {
                            try await eventually("a client knows all servers") {
                                Set(client.serverInfo?.connectURLs ?? []).count == 3
                            }
                        }
                        for run in later {
                            run.signal(SIGINT)
                            #expect(await run.exitCode() == 0)
                        }
                        for client in clients {
                            try await eventually("a client is at the server that is left") {
                                client.isConnected
                                    && client.serverInfo?.url.hasSuffix(":\(places[0].clientPort)") == true
                            }
                            let answers = try await client.subscribe("still", confirm: true)
                            try await client.publish("here", to: "still")
                            #expect(try await answers.next(timeout: .seconds(60))?.string == "here")
                            answers.unsubscribe()
                            try await client.flush(timeout: .seconds(60))
                        }
                    }
                }
            }
        }
    }
}
