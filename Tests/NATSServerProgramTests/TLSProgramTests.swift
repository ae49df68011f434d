import Foundation
import NATSTestSupport
import Testing

/// TLS by flags and by file, in both programs.
@Suite("the program with TLS", .serialized, .timeLimit(.minutes(2)))
struct TLSProgramTests {
    private struct Files {
        let directory: TemporaryDirectory
        let authority: TestAuthority
        let certificate: String
        let key: String
        let authorityFile: String

        init() throws {
            self.directory = try TemporaryDirectory()
            self.authority = try TestAuthority()
            let paths = try self.authority.server().write(to: self.directory, as: "server")
            self.certificate = paths.certificate
            self.key = paths.key
            self.authorityFile = try self.directory.write(self.authority.text, to: "ca.pem")
        }

        var block: String { "cert_file: \"\(self.certificate)\", key_file: \"\(self.key)\"" }
    }

    private func withProgram(
        _ program: Program,
        _ arguments: [String],
        _ body: (ProgramRun) async throws -> Void
    ) async throws {
        let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1"] + arguments)
        try await run.use {
            try await run.waitForLog("Server is ready")
            try await body(run)
        }
    }

    @Test("flags", arguments: Program.available)
    func flags(program: Program) async throws {
        let files = try Files()
        let tls = ["-tls", "-tlscert", files.certificate, "-tlskey", files.key]
        try await self.withProgram(program, tls) { run in
            #expect(run.errors.contains("[INF] TLS required for client connections\n"))
            let port = try #require(run.port)
            let client = try await SecureConnection.connect(port: port, .init(authority: files.authority.text))
            let answer = try await client.connect()
            #expect(answer == "PONG\r\n")
        }
        let verifying = tls + ["-tlsverify", "-tlscacert", files.authorityFile, "-ms", "-1"]
        try await self.withProgram(program, verifying) { run in
            #expect(run.errors.contains("[INF] Starting https monitor on 127.0.0.1:"))
            let port = try #require(run.port)
            let identity = try files.authority.client()
            let known = SecureConnection.Options(authority: files.authority.text, identity: identity)
            let client = try await SecureConnection.connect(port: port, known)
            let answer = try await client.connect()
            #expect(answer == "PONG\r\n")
            let nobody = try await SecureConnection.connect(port: port, .init(authority: files.authority.text))
            let rest = await nobody.readToEnd()
            #expect(rest == "")
        }
    }

    @Test(
        "the log from start to end is the official one, line by line",
        .enabled(if: Program.available.contains(.official)),
        arguments: ["", ", handshake_first: true", ", handshake_first: \"1s\"", ", verify: true"],
        ["https_port: -1", "allow_non_tls: true\ndebug: true"]
    )
    func sameLog(more: String, line: String) async throws {
        let files = try Files()
        let block = "tls { \(files.block), ca_file: \"\(files.authorityFile)\"\(more) }"
        let file = try files.directory.write("\(block)\n\(line)\n", to: "server.conf")
        var results: [[String]] = []
        for program in [Program.official, .ours] {
            let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1", "-c", file])
            try await run.waitForLog("Server is ready")
            let port = run.port
            run.signal(SIGTERM)
            #expect(await run.exitCode() == 0)
            results.append(LogComparison.lines(run.errors, pid: run.processID, port: port))
        }
        #expect(results[1] == results[0])
        #expect(results[1].contains { $0.contains("for client connections") })
    }

    @Test("connection_rate_limit: who is refused, what is told and what is logged", arguments: Program.available)
    func rateLimit(program: Program) async throws {
        let files = try Files()
        let text = """
            tls { \(files.block), timeout: 1, connection_rate_limit: 2 }
            allow_non_tls: true
            http: "127.0.0.1:-1"
            """
        let file = try files.directory.write(text, to: "server.conf")
        try await self.withProgram(program, ["-D", "-c", file]) { run in
            let port = try #require(run.port)
            // Those that do not want TLS are not counted.
            for _ in 0..<6 {
                let plain = try RawConnection.connect(port: port)
                try await plain.readInfo()
                await plain.send("CONNECT {\"verbose\":false}\r\nPING\r\n")
                try await plain.expect("PONG\r\n")
            }
            let throttled = "-ERR 'Connection throttling is active. Please try again later.'\r\n"
            var refused = 0
            var admitted = 0
            for _ in 0..<20 where refused == 0 {
                let peers = try (0..<10).map { _ in try RawConnection.connect(port: port) }
                for peer in peers {
                    try await peer.readInfo()
                    // The beginning of a handshake, which then takes too long.
                    _ = peer.sendWhatFits([22, 3, 1, 2, 0, 1])
                }
                for peer in peers {
                    let answer = String(decoding: try await peer.readToEnd(), as: UTF8.self)
                    if answer == throttled { refused += 1 } else { admitted += 1 }
                }
            }
            #expect(refused > 0 && admitted > 0)
            let pattern = #/\[WRN\] Rejected ([0-9]+) connections due to TLS rate limiting\n/#
            try await eventually("all refused ones are logged") {
                run.errors.matches(of: pattern).reduce(0) { $0 + (Int($1.1) ?? 0) } == refused
            }
            let monitoringPort = try #require(run.monitoringPort)
            try await eventually("the reasons are shown") {
                let closed = try await fetch("/connz?state=closed", port: monitoringPort).text
                return closed.matches(of: #/"reason": "Maximum Connections Exceeded"/#).count == refused
                    && closed.matches(of: #/"reason": "TLS Handshake Failure"/#).count == admitted
            }
            try await eventually("all of them are logged") {
                run.errors.matches(of: #/TLS handshake error: /#).count == admitted
            }
        }
    }

    @Test("files that cannot be used: the official text, exit 1", arguments: Program.available)
    func unusable(program: Program) async throws {
        let files = try Files()
        let other = try files.authority.server().write(to: files.directory, as: "other")
        let pair = "error parsing X509 certificate/key pair: "
        let samples: [([String], String)] = [
            (
                ["-tls", "-tlscert", "/nowhere/x", "-tlskey", files.key],
                pair + "open /nowhere/x: no such file or directory"
            ),
            (
                ["-tlscert", files.certificate, "-tlskey", other.key],
                pair + "tls: private key does not match public key"
            ),
            (
                ["-tlscert", files.key, "-tlskey", files.key],
                pair + """
                    tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM \
                    inputs may have been switched
                    """
            ),
            (
                ["-tlscert", files.certificate, "-tlskey", files.key, "-tlscacert", files.key],
                "failed to parse root ca certificate"
            ),
        ]
        for (arguments, text) in samples {
            let run = try ProgramRun(program, ["-a", "127.0.0.1", "-p", "-1"] + arguments)
            #expect(await run.exitCode() == 1)
            #expect(run.errors == "nats-server: \(text)\n")
        }
        // In a file the place is told too, by -t as well.
        let text = "port: -1\ntls { cert_file: \"\(files.certificate)\", key_file: \"\(other.key)\" }\n"
        let file = try files.directory.write(text, to: "server.conf")
        for arguments in [["-c", file], ["-c", file, "-t"]] {
            let run = try ProgramRun(program, arguments)
            #expect(await run.exitCode() == 1)
            let message = "\(file):2:1: \(pair)tls: private key does not match public key"
            #expect(run.errors.contains(message))
        }
    }

    @Test("names that BoringSSL lacks stop a start, not -t")
    func unsupportedNames() async throws {
        let files = try Files()
        let text = "port: -1\ntls { \(files.block), curve_preferences: [SecP256r1MLKEM768] }\n"
        let file = try files.directory.write(text, to: "server.conf")
        let start = try ProgramRun(.ours, ["-c", file])
        #expect(await start.exitCode() == 1)
        #expect(
            start.errors
                == "nats-server: curve preference SecP256r1MLKEM768 is not supported: BoringSSL does not have it\n"
        )
        let test = try ProgramRun(.ours, ["-c", file, "-t"])
        #expect(await test.exitCode() == 0)
    }

    // MARK: Reload

    /// What the log says to a series of configurations, each taken over by a reload.
    private func reloads(_ program: Program) async throws -> [[String]] {
        let files = try Files()
        let plain = "listen: \"127.0.0.1:-1\"\n"
        let tls = "\(plain)tls { \(files.block), timeout: 10 }\n"
        let file = try files.directory.write(tls, to: "server.conf")
        let run = try ProgramRun(program, ["-c", file])
        try await run.waitForLog("Server is ready")
        var results: [[String]] = []
        func reload() async throws {
            let before = run.errors
            run.signal(SIGHUP)
            try await eventually("the end of a reload") {
                let new = run.errors.dropFirst(before.count)
                return new.contains("Reloaded server configuration") || new.contains("Failed to reload")
            }
            let new = String(run.errors.dropFirst(before.count))
            results.append(
                new.split(separator: "\n").compactMap { line in
                    guard let range = line.range(of: "] ", options: .backwards) else { return nil }
                    let text = line[range.upperBound...].replacing(file, with: "FILE")
                    // The digest depends on where the files are.
                    return String(text.prefix { $0 != "(" })
                }
            )
        }
        try await run.use {
            try await reload()
            let second = try files.authority.server()
            _ = try second.write(to: files.directory, as: "server")
            try await reload()
            let port = try #require(run.port)
            let client = try await SecureConnection.connect(port: port, .init(authority: files.authority.text))
            let answer = try await client.connect()
            #expect(answer == "PONG\r\n")
            let shown = try await client.serverCertificate()
            #expect(shown == second.bytes)
            try files.directory.write("garbage", to: "server.pem")
            try await reload()
            _ = try second.write(to: files.directory, as: "server")
            for text in [
                "\(plain)tls { \(files.block), timeout: 10, handshake_first: auto }\n",
                "\(plain)tls { \(files.block), timeout: 10, verify: true, ca_file: \"\(files.authorityFile)\" }\n",
                "\(plain)tls { \(files.block), verify_and_map: true }\n", plain, tls,
                "\(plain)allow_non_tls: true\ntls { \(files.block), timeout: 10 }\n",
            ] {
                try files.directory.write(text, to: "server.conf")
                try await reload()
            }
            // Who was there is still there.
            await client.send("PING\r\n")
            let pong = try await client.read(until: "\r\n")
            #expect(pong == "PONG\r\n")
        }
        return results
    }

    @Test("reloads: the official lines", .enabled(if: Program.available.contains(.official)))
    func reload() async throws {
        let official = try await self.reloads(.official)
        let ours = try await self.reloads(.ours)
        #expect(official.count == ours.count)
        for (index, lines) in official.enumerated() where index < ours.count {
            #expect(ours[index] == lines, "step \(index)")
        }
    }
}
