import NATSTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the monitoring pages show of a configuration file, on the official server and on ours.
@Suite(.enabled(if: Program.available.contains(.official)), .timeLimit(.minutes(2)))
struct MonitoredProgramTests {
    /// Fields whose values are of one run, or of Go; that they are there is compared.
    private static let free: Set<String> = [
        "server_id", "server_name", "start", "now", "uptime", "mem", "cpu", "config_load_time", "port", "http_port",
        "go", "gomaxprocs", "tls_cert_not_after",
    ]

    @Test(
        "/varz shows what the file says",
        arguments: [
            "", "server_tags: [A, \" b \", a]\nserver_metadata: {k: v, \"<x>\": y}", "server_name: \"n\"",
            "max_connections: 9\nmax_subscriptions: 7\nmax_control_line: 512\nmax_payload: 65536\nmax_pending: 100000",
            "max_connections: 0", "max_payload: -1\nmax_subscriptions: -1", "ping_interval: \"30s\"\nping_max: 5",
            "write_deadline: \"1500ms\"\nno_header_support: true\nmax_traced_msg_len: 5",
            "authorization { user: a, password: b, timeout: 7.5 }", "authorization { token: t, timeout: \"1500ms\" }",
            "authorization { users: [ {user: a, password: b} ] }", "max_sub_tokens: 3\nmax_closed_clients: 2",
            "tls { cert_file: server.pem, key_file: server.key }",
            "tls { cert_file: server.pem, key_file: server.key, timeout: 0.5, verify: true, ca_file: ca.pem }",
            "tls { cert_file: server.pem, key_file: server.key, verify_and_map: true, ca_file: ca.pem }",
            "tls { cert_file: server.pem, key_file: server.key }\nallow_non_tls: true",
            "authorization { user: a, password: b }\ntls { cert_file: server.pem, key_file: server.key, timeout: 3 }",
        ]
    )
    func varz(text: String) async throws {
        let authority = try TestAuthority()
        let server = try authority.server()
        var pages: [[String]] = []
        for program in [Program.official, .ours] {
            let directory = try TemporaryDirectory()
            _ = try server.write(to: directory, as: "server")
            try directory.write(authority.text, to: "ca.pem")
            try await self.withServer(program, text, directory) { port in
                let page = try await fetch("/varz", port: port)
                #expect(page.status == 200)
                pages.append(
                    page.text.split(separator: "\n").compactMap { line in
                        let name = line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
                        if name == "git_commit" { return nil }
                        return Self.free.contains(name) ? name : String(line)
                    }
                )
            }
        }
        #expect(pages[1] == pages[0])
        #expect(pages[1].contains { $0.contains("\"config_digest\": \"sha256:") })
    }

    @Test("http_base_path moves the pages alike", arguments: ["/mon", "/mon/", "mon", "/a/b", "/"])
    func basePath(path: String) async throws {
        var answers: [[String]] = []
        for program in [Program.official, .ours] {
            let directory = try TemporaryDirectory()
            try await self.withServer(program, "http_base_path: \"\(path)\"", directory) { port in
                var lines: [String] = []
                for target in [
                    "/", "/varz", "/healthz", "/mon", "/mon/", "/mon/varz", "/mon//varz", "/mon/healthz", "/a/b",
                    "/a/b/varz", "/a/b/", "/mon/debug/vars", "/debug/vars",
                ] {
                    let answer = try await fetch(target, port: port)
                    lines.append("\(target) \(answer.statusLine) \(answer.header("Content-Type") ?? "")")
                    lines += answer.text.matches(of: #/href="?(\./?[^ ">]*)/#).map { String($0.1) }
                    let shown = answer.text.split(separator: "\n").filter { $0.contains("http_base_path") }
                    lines += shown.map(String.init)
                }
                answers.append(lines)
            }
        }
        #expect(answers[1] == answers[0])
    }

    private func withServer(
        _ program: Program,
        _ text: String,
        _ directory: TemporaryDirectory,
        _ body: (Int) async throws -> Void
    ) async throws {
        try directory.write(
            "host: 127.0.0.1\nport: -1\nhttp: \"127.0.0.1:-1\"\nno_sys_acc: true\n\(text)\n",
            to: "server.conf"
        )
        // Names without a directory: the same text, and so the same digest, for both.
        let run = try ProgramRun(program, ["-c", "server.conf"], before: "cd '\(directory.path)'")
        try await run.use {
            try await run.waitForLog("Server is ready")
            try await body(try #require(run.monitoringPort))
        }
    }
}
