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

/// The clusters of the old documents, made by configuration files, of our servers, of official ones, and of both.
@Suite(.timeLimit(.minutes(5))) struct OldDocumentsClusterFileTests {
    private static func file(_ place: ClusterPlace, _ cluster: String) -> String {
        "listen: \"127.0.0.1:\(place.clientPort)\"\n\ncluster {\n\(cluster)\n}\n"
    }

    /// Starts a server for each file, all in one directory, and ends them.
    private func run(
        _ cast: ClusterCast,
        _ files: [String],
        arguments: [[String]] = [],
        prepare: (TemporaryDirectory) throws -> Void = { _ in },
        _ body: ([ProgramRun]) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        try prepare(directory)
        let flags = try files.enumerated().map { number, text in
            ["-c", try directory.write(text, to: "\(number).conf")] + (arguments.isEmpty ? [] : arguments[number])
        }
        try await cast.run(flags, body)
    }

    @Test(
        "§5: three servers that name each other in their files, all at once or one by one",
        arguments: ClusterCast.available,
        [true, false]
    )
    func threeByFiles(cast: ClusterCast, atOnce: Bool) async throws {
        let places = [try ClusterPlace(), try ClusterPlace(), try ClusterPlace()]
        let files = places.map { place in
            let others = places.filter { $0 !== place }.map { "    nats-route://127.0.0.1:\($0.routePort)" }
            return Self.file(
                place,
                "  host: '0.0.0.0'\n  port: \(place.routePort)\n\n  routes = [\n\(others.joined(separator: "\n"))\n  ]"
            )
        }
        if atOnce {
            let directory = try TemporaryDirectory()
            let runs = try files.enumerated().map { number, text in
                try ProgramRun(cast.programs[number], ["-c", try directory.write(text, to: "\(number).conf")])
            }
            for place in places { try await place.expectReady() }
            try await self.expectMesh(places)
            for run in runs { run.signal(SIGTERM) }
            for run in runs { #expect(await run.exitCode() == 0) }
        } else {
            try await self.run(cast, files) { _ in try await self.expectMesh(places) }
        }
    }

    private func expectMesh(_ places: [ClusterPlace]) async throws {
        for (index, place) in places.enumerated() {
            for other in places[(index + 1)...] { try await place.expectRoute(to: other) }
        }
    }

    @Test("§5: a cluster that listens, and says where", arguments: Program.available)
    func listen(program: Program) async throws {
        let place = try ClusterPlace()
        let directory = try TemporaryDirectory()
        let text = Self.file(place, "  listen: 127.0.0.1:\(place.routePort)")
        let run = try ProgramRun(program, ["-c", try directory.write(text, to: "c")])
        try await run.use {
            try await run.waitForLog("[INF] Listening for route connections on 127.0.0.1:\(place.routePort)\n")
        }
    }

    @Test(
        "§5: routes with user and password: who has the right ones comes in",
        arguments: ClusterCast.available,
        ["pass1", "wrong"]
    )
    func credentials(cast: ClusterCast, password: String) async throws {
        let (a, b) = (try ClusterPlace(), try ClusterPlace())
        // The documents' time-out of 0.75 s is for machines that have nothing else to do.
        let authorization = "  authorization {\n    user: user1\n    password: pass1\n    timeout: 30\n  }"
        let files = [
            Self.file(a, "  listen: 127.0.0.1:\(a.routePort)\n\(authorization)"),
            Self.file(
                b,
                """
                  listen: 127.0.0.1:\(b.routePort)
                \(authorization)

                  routes = [
                    nats-route://user1:\(password)@127.0.0.1:\(a.routePort)
                  ]
                """
            ),
        ]
        try await self.run(cast, files) { runs in
            if password == "pass1" {
                try await a.expectRoute(to: b)
            } else {
                try await runs[0].waitForLog("Router connection closed: Authentication Failure\n")
                #expect(!runs.contains { $0.errors.contains("wrong") })
            }
        }
    }

    @Test("§5: routes by TLS, each side verified", arguments: ClusterCast.available)
    func tls(cast: ClusterCast) async throws {
        let authority = try TestAuthority()
        let stranger = try TestAuthority()
        let places = [try ClusterPlace(), try ClusterPlace(), try ClusterPlace()]
        let files = places.enumerated().map { number, place in
            Self.file(
                place,
                """
                  listen: 127.0.0.1:\(place.routePort)
                  tls {
                    cert_file: "\(number).pem"
                    key_file:  "\(number).key"
                    ca_file:   "\(number == 2 ? "strange" : "ca").pem"
                    timeout: 30
                  }
                  routes = [ nats-route://127.0.0.1:\(places[0].routePort) ]
                """
            )
        }
        let directory = try TemporaryDirectory()
        for number in 0..<3 {
            _ = try (number == 2 ? stranger : authority).peer().write(to: directory, as: "\(number)")
            try directory.write(files[number], to: "\(number).conf")
        }
        try directory.write(authority.text, to: "ca.pem")
        try directory.write(stranger.text, to: "strange.pem")
        let runs = try (0..<3).map { number in
            try ProgramRun(cast.programs[number], ["-c", "\(number).conf"], before: "cd '\(directory.path)'")
        }
        for place in places { try await place.expectReady() }
        try await places[0].expectRoute(to: places[1])
        // Whose authority is another one stays outside.
        for run in [runs[0], runs[2]] { try await run.waitForLog("TLS route handshake error: ") }
        for run in runs { run.signal(SIGTERM) }
        for run in runs { #expect(await run.exitCode() == 0) }
    }

    @Test("§5: the file of the container, joined by --routes with its user", arguments: ClusterCast.available)
    func container(cast: ClusterCast) async throws {
        let (a, b) = (try ClusterPlace(), try ClusterPlace())
        let file = """
            # Client port of 4222 on all interfaces
            port: \(a.clientPort)
            net: 127.0.0.1

            # HTTP monitoring port
            monitor_port: -1

            # This is for clustering multiple servers together.
            cluster {
              # It is recommended to set a cluster name
              name: "my_cluster"

              # Route connections to be received on any interface on port 6222
              port: \(a.routePort)

              # Routes are protected, so need to use them with --routes flag
              # e.g. --routes=nats-route://ruser:T0pS3cr3t@otherdockerhost:6222
              authorization {
                user: ruser
                password: T0pS3cr3t
                timeout: 30
              }

              # Routes are actively solicited and connected to from this server.
              # This Docker image has none by default, but you can pass a
              # flag to the nats-server docker image to create one to an existing server.
              routes = []
            }

            """
        let second = file.replacing("port: \(a.clientPort)", with: "port: \(b.clientPort)")
            .replacing("port: \(a.routePort)", with: "port: \(b.routePort)")
        let join = "--routes=nats-route://ruser:T0pS3cr3t@127.0.0.1:\(a.routePort)"
        try await self.run(cast, [file, second], arguments: [[], [join]]) { runs in
            try await a.expectRoute(to: b)
            for run in runs {
                #expect(run.errors.contains("[INF] Cluster name is my_cluster\n"))
                #expect(run.errors.contains("[INF] Starting http monitor on "))
                #expect(!run.errors.contains("T0pS3cr3t"))
            }
        }
    }
}
