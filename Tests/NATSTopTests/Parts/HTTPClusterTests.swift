import ArgumentParser
import NATSCommandSupport
import NATSTestSupport
import NATSTop
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import nats_top

@Suite("nats-top finds the servers of a cluster")
struct HTTPClusterTests {
    private static func factory(
        timeout: Duration = .seconds(30),
        secureContexts: SecureContexts? = nil,
        foundLookUps: LookUpPool = LookUpPool(width: 4)
    ) -> MonitoringClientFactory {
        MonitoringClientFactory(
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            timeout: timeout,
            secureContexts: secureContexts,
            foundLookUps: foundLookUps
        )
    }

    private static func cluster(
        _ servers: [String],
        factory: MonitoringClientFactory = factory()
    ) throws -> HTTPCluster {
        HTTPCluster(targets: try servers.map { try Target(server: $0) }, factory: factory)
    }

    private func rows(_ cluster: HTTPCluster) async -> [String: ClusterServer] {
        var sample = Sample()
        sample.add(await cluster.page(), for: .cluster)
        return Dictionary((sample.servers ?? []).map { ($0.key, $0) }) { first, _ in first }
    }

    /// Asks again and again until the rows are as they should be: a slow machine answers a round later.
    private func rows(
        _ cluster: HTTPCluster,
        _ what: String,
        until condition: ([String: ClusterServer]) -> Bool
    ) async throws -> [String: ClusterServer] {
        var last: [String: ClusterServer] = [:]
        try await eventually(what) {
            last = await self.rows(cluster)
            return condition(last)
        }
        return last
    }

    @Test("a server that only routes know lives, and its row names the place where it was looked for")
    func withoutPages() async throws {
        let first = try await PageServer(pages: [
            "/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.1"), ("NC", "::1")]),
        ])
        let dead = try ReservedPort()
        // What was looked for is the port of the server that answers, not of the one that was named first.
        let cluster = try Self.cluster(["127.0.0.1:\(dead.port)", "127.0.0.1:\(first.port)"])
        let rows = try await self.rows(cluster, "four servers") {
            $0.count == 4 && $0["127.0.0.1:\(first.port)"]?.state == .up
        }
        #expect(rows["127.0.0.1:\(dead.port)"]?.state == .lost)
        #expect(rows["NB"]?.state == .withoutPages)
        #expect(rows["NB"]?.name == "name of NB")
        #expect(rows["NB"]?.problem == "no pages at 127.0.0.1:\(first.port)")
        #expect(rows["NC"]?.problem == "no pages at [::1]:\(first.port)")
    }

    @Test("a server whose pages are refused, and to which others have routes, lives; it is lost when they have none")
    func refused() async throws {
        let first = try await PageServer(pages: [
            "/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.1")]),
        ])
        let second = try await PageServer(pages: ["/varz": PageServer.varz("NB", name: "two")])
        let key = "127.0.0.1:\(second.port)"
        let cluster = try Self.cluster(["127.0.0.1:\(first.port)", key])
        _ = try await self.rows(cluster, "two servers") { $0.values.count { $0.isUp } == 2 }
        second.state.update { $0.pages = [:] }
        let refused = try await self.rows(cluster, "a server without pages") { $0[key]?.state == .withoutPages }
        #expect(refused[key]?.problem == "no pages: status 404")
        #expect(refused[key]?.name == "two")
        first.state.update { $0.pages["/routez"] = PageServer.routez([]) }
        let lost = try await self.rows(cluster, "a server that is lost") { $0[key]?.state == .lost }
        #expect(lost[key]?.problem == "status 404")
    }

    @Test("what has no id is nobody's peer")
    func withoutID() async throws {
        let first = try await PageServer(pages: [
            "/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.2"), ("", "127.0.0.2")]),
        ])
        let other = try await PageServer(host: "127.0.0.2", port: first.port, pages: ["/varz": #"{"status":"ok"}"#])
        let cluster = try Self.cluster(["127.0.0.1:\(first.port)"])
        _ = try await self.rows(cluster, "a look at the other place") { _ in !other.state.value.requests.isEmpty }
        let rows = try await self.rows(cluster, "the peer") { $0["NB"] != nil }
        #expect(rows.keys.sorted() == ["127.0.0.1:\(first.port)", "NB"])
        #expect(rows["NB"]?.state == .withoutPages)
    }

    @Test("a page far larger than a server's is refused, before all of a cluster's fill the memory")
    func largePage() async throws {
        let first = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let padding = String(repeating: "x", count: ClusterPage.maximumServerBytes)
        let second = try await PageServer(pages: [
            "/varz": PageServer.varz("NB", extra: #","padding":"\#(padding)""#), "/routez": PageServer.routez([]),
        ])
        let key = "127.0.0.1:\(second.port)"
        let cluster = try Self.cluster(["127.0.0.1:\(first.port)", key])
        let rows = try await self.rows(cluster, "an answer of both") {
            $0["127.0.0.1:\(first.port)"]?.isUp == true && $0[key]?.problem.isEmpty == false
        }
        #expect(rows[key]?.isUp == false)
        #expect(rows[key]?.problem == "a page too large")
    }

    @Test("a server with two addresses is shown where it answers")
    func alias() async throws {
        let one = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let two = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let cluster = try Self.cluster(["127.0.0.1:\(one.port)", "127.0.0.1:\(two.port)"])
        _ = try await self.rows(cluster, "one server") { $0.count == 1 && $0["127.0.0.1:\(one.port)"]?.isUp == true }
        one.state.update { $0.pages = [:] }
        _ = try await self.rows(cluster, "the other address") { rows in
            rows.count == 1 && rows["127.0.0.1:\(two.port)"]?.isUp == true
        }
    }

    @Test("a server that hangs is not up until its time is over")
    func hung() async throws {
        let first = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let second = try await PageServer(pages: ["/varz": PageServer.varz("NB"), "/routez": PageServer.routez([])])
        let key = "127.0.0.1:\(second.port)"
        let cluster = try Self.cluster(["127.0.0.1:\(first.port)", key], factory: Self.factory(timeout: .seconds(600)))
        _ = try await self.rows(cluster, "two servers") { $0.values.count { $0.isUp } == 2 }
        second.state.update { $0.isSilent = true }
        // Its time is ten minutes.
        let hung = try await self.rows(cluster, "a loss") { $0[key]?.state == .lost }
        #expect(hung[key]?.problem == "no answer yet")
        #expect(hung["127.0.0.1:\(first.port)"]?.state == .up)
        second.state.update { $0.isSilent = false }
        try await eventually("the answer") { await self.rows(cluster)[key]?.state == .up }
    }

    #if os(Linux)
    @Test("a place that was named, and where nobody is, has the name that routes tell of who should be there")
    func named() async throws {
        let first = try await PageServer(pages: [
            "/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.3")]),
        ])
        let key = "127.0.0.3:\(first.port)"
        let cluster = try Self.cluster(["127.0.0.1:\(first.port)", key])
        let rows = try await self.rows(cluster, "a server without pages") { $0[key]?.state == .withoutPages }
        #expect(rows.count == 2)
        #expect(rows[key]?.name == "name of NB")
        #expect(rows[key]?.problem == "no pages: connection refused")
    }

    @Test("a host is found by its name while the names of others are looked up without end")
    func names() async throws {
        let urls = ((0..<3).map { "\"silent\($0):4222\"" } + ["\"good:4222\""]).joined(separator: ",")
        let first = try await PageServer(pages: [
            "/varz": PageServer.varz("NA", extra: #","connect_urls":[\#(urls)]"#),
            "/routez": PageServer.routez([("NB", "127.0.0.9")]),
        ])
        let second = try await PageServer(
            host: "127.0.0.2",
            port: first.port,
            pages: ["/varz": PageServer.varz("NB"), "/routez": PageServer.routez([])]
        )
        let slow = SlowLookUps(["good": "127.0.0.2"])
        defer { slow.open() }
        let cluster = try Self.cluster(
            ["127.0.0.1:\(first.port)"],
            factory: Self.factory(foundLookUps: LookUpPool(width: 4) { slow.lookUp($0, $1) })
        )
        try await eventually("the second server") { await self.rows(cluster)["good:\(first.port)"]?.state == .up }
        #expect(slow.state.value.running.count == 3)
        try await second.close()
    }

    @Test("a client certificate is shown to a host that was found only where the user's own authority vouches for it")
    func certificates() async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority()
        try directory.write(authority.text, to: "ca.pem")
        let client = try authority.client().write(to: directory, as: "client")
        let identity = try authority.server(addresses: [[127, 0, 0, 1], [127, 0, 0, 2]])
        let tls = try Self.serverContext(identity, authority)
        let first = try await PageServer(
            tls: tls,
            pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.2")])]
        )
        let second = try await PageServer(
            host: "127.0.0.2",
            port: first.port,
            tls: tls,
            pages: ["/varz": PageServer.varz("NB"), "/routez": PageServer.routez([])]
        )
        for (flags, isShown) in [
            (["--cacert", directory.path + "/ca.pem"], true), (["-k"], false),
            (["-k", "--cacert", directory.path + "/ca.pem"], false),
        ] {
            for server in [first, second] { server.state.update { $0.certificates = 0 } }
            let arguments = ["--https-port", "1", "--cert", client.certificate, "--key", client.key] + flags
            let options = try TopOptions.parse(arguments)
            let factory = Self.factory(secureContexts: try SecureContexts(options))
            let cluster = try Self.cluster(["https://127.0.0.1:\(first.port)"], factory: factory)
            let key = "https://127.0.0.2:\(first.port)"
            try await eventually("the second server") { await self.rows(cluster)[key]?.state == .up }
            #expect(first.state.value.certificates > 0)
            #expect((second.state.value.certificates > 0) == isShown, "\(flags)")
            // Who is asked on the screen afterwards is known from the cluster.
            #expect(cluster.place(of: key)?.isNamed == false)
        }
        try await second.close()
    }

    private static func serverContext(_ identity: TestCertificate, _ authority: TestAuthority) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificateText.utf8))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.keyText.utf8), format: .pem))
        )
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.text.utf8)))
        configuration.certificateVerification = .optionalVerification
        return try NIOSSLContext(configuration: configuration)
    }
    #endif

    @Test("a server that was found and is gone is lost for some minutes, and then forgotten")
    func forgotten() async throws {
        let server = try await PageServer(pages: ["/varz": PageServer.varz("NB"), "/routez": PageServer.routez([])])
        let target = try Target(server: "127.0.0.1:\(server.port)")
        let client = Self.factory().client(target, isNamed: false)
        var lane = ClusterLane(client: client, isNamed: false)
        func count() -> Int {
            var sample = Sample()
            sample.add(ClusterLane.page(of: [lane], now: .now(), patience: .seconds(1)).page, for: .cluster)
            return sample.servers?.count ?? 0
        }
        lane.take(await ClusterLane.Answer(asking: client), wanted: ["NB"], now: .now())
        #expect(lane.isUp && count() == 1)
        server.state.update { $0.pages = [:] }
        for failure in 1...ClusterLane.keptFailures {
            #expect(count() == 1)
            let now = NIODeadline.now()
            lane.take(await ClusterLane.Answer(asking: client), wanted: [], now: now)
            #expect(lane.retry == now + ClusterLane.delay(afterFailures: failure))
        }
        #expect(count() == 0)
        // It may come again, as long as others have routes to it.
        server.state.update { $0.pages["/varz"] = PageServer.varz("NB") }
        lane.take(await ClusterLane.Answer(asking: client), wanted: ["NB"], now: .now())
        #expect(lane.isUp && count() == 1)
    }

    @Test("a place where nobody is, and of which nobody tells any more, makes room for others")
    func placesEnd() async throws {
        let server = try await PageServer(pages: [
            "/varz": PageServer.varz("NA"), "/routez": PageServer.routez([("NB", "127.0.0.2")]),
        ])
        let factory = Self.factory()
        let target = try Target(server: "127.0.0.1:\(server.port)")
        var named = ClusterLane(client: factory.client(target, isNamed: true), isNamed: true)
        named.take(await ClusterLane.Answer(asking: named.client), wanted: [], now: .now())
        var lanes = [named]
        let places = ClusterLane.newPlaces(&lanes)
        #expect(places.map(\.host) == ["127.0.0.2"])
        var found = ClusterLane(client: factory.client(try #require(places.first), isNamed: false), isNamed: false)
        found.take(await ClusterLane.Answer(asking: found.client), wanted: ["NB"], now: .now())
        lanes.append(found)
        #expect(!found.isUp)
        #expect(ClusterLane.newPlaces(&lanes).isEmpty)
        #expect(lanes.count == 2)
        server.state.update { $0.pages["/routez"] = PageServer.routez([("NC", "127.0.0.3")]) }
        lanes[0].take(await ClusterLane.Answer(asking: named.client), wanted: [], now: .now())
        #expect(ClusterLane.newPlaces(&lanes).map(\.host) == ["127.0.0.3"])
        #expect(lanes.map(\.isNamed) == [true])
    }

    @Test("a connection ends with the client that nobody holds any longer")
    func clientGoes() async throws {
        let server = try await PageServer(pages: ["/varz": PageServer.varz("NA")])
        let target = try Target(server: "127.0.0.1:\(server.port)")
        var client: MonitoringClient? = Self.factory().client(target, isNamed: true)
        #expect(try await client?.fetch(.server).status == 200)
        #expect(server.state.value.connections == 1)
        client = nil
        #expect(await server.state.wait { $0.connections == 0 })
    }

    /// One that waits long, and has had an answer for the cluster.
    private static func sourceWithCluster(of server: PageServer) async throws -> HTTPSource {
        let source = HTTPSource(
            target: try Target(server: "127.0.0.1:\(server.port)"),
            others: [],
            factory: Self.factory(timeout: .seconds(600))
        )
        try await eventually("an answer for the cluster") {
            source.begin()
            guard case .page(let page) = try await source.fetch(.cluster) else { return false }
            var sample = Sample()
            sample.add(page, for: .cluster)
            return sample.servers?.first?.isUp == true
        }
        return source
    }

    @Test("a server that is shown and hangs holds the view of the cluster up no longer than others do")
    func shownHangs() async throws {
        let one = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let source = try await Self.sourceWithCluster(of: one)
        _ = try await source.fetch(.server)
        one.state.update { $0.isSilent = true }
        source.begin()
        _ = try await source.fetch(.cluster)
        await #expect(throws: FetchError.other("no answer yet")) { try await source.fetch(.server) }
        one.state.update { $0.isSilent = false }
        try await eventually("the server") {
            source.begin()
            _ = try await source.fetch(.cluster)
            return (try? await source.fetch(.server)) != nil
        }
    }

    @Test("a view of the cluster that comes after its round was given up says nothing about the next one")
    func lateCluster() async throws {
        let one = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": PageServer.routez([])])
        let source = try await Self.sourceWithCluster(of: one)
        let before = one.state.update { state in
            state.isSilent = true
            return state.requests.count
        }
        source.begin()
        let late = Task { try await source.fetch(.cluster) }
        #expect(await one.state.wait { $0.requests.count > before })
        source.begin()
        _ = try await late.value
        let asked = Task { try await source.fetch(.server) }
        #expect(await one.state.wait { $0.requests.count > before + 1 })
        one.state.update { $0.isSilent = false }
        _ = try await asked.value
    }

    @Test("all pages of a round are of one server")
    func oneServer() async throws {
        let one = try await PageServer(pages: ["/varz": PageServer.varz("NA"), "/routez": "{}"])
        let two = try await PageServer(pages: ["/varz": PageServer.varz("NB"), "/routez": "{}"])
        let targets = try [one, two].map { try Target(server: "127.0.0.1:\($0.port)") }
        let source = HTTPSource(target: targets[0], others: [targets[1]], factory: Self.factory())
        source.begin()
        _ = try await source.fetch(.cluster)
        _ = try await source.fetch(.server)
        source.watch("127.0.0.1:\(two.port)")
        _ = try await source.fetch(.routes)
        #expect(source.title == "127.0.0.1:\(one.port)")
        #expect(one.state.value.requests.suffix(2) == ["/varz", "/routez"])
        source.begin()
        #expect(source.title == "127.0.0.1:\(two.port)")
        let before = two.state.value.requests.count
        _ = try await source.fetch(.server)
        #expect(two.state.value.requests.count == before + 1)
    }
}
