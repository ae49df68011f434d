import Foundation
import NATSServerCore
import NATSTestSupport
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Whether each key of a configuration can change while the server runs, on the official server and on ours.
///
/// One server of each kind is given a file with the key changed, and then the file without it, key by key; what the logs
/// say to both has to be the same, and has to be what the table says.
@Suite(.timeLimit(.minutes(3))) struct ReloadTableTests {
    enum Outcome {
        /// Taken over.
        case changes
        /// Refused, and nothing has changed.
        case needsRestart
        /// As ``needsRestart`` on the way there, or wrong; whatever the official server says.
        case asOfficial
        /// Of a feature that ours does not have yet: it says so.
        case notYet
        /// As ``needsRestart``, but the official server may do without, or says it otherwise.
        case needsRestartHere
    }

    struct Row {
        let key: String
        let outcome: Outcome
        let line: String

        init(_ key: String, _ outcome: Outcome, _ value: String) {
            (self.key, self.outcome, self.line) = (key, outcome, "\(key): \(value)")
        }
    }

    private static let nkey = "UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN"

    static let plain: [Row] = [
        // Server and limits.
        Row("host", .needsRestart, "\"0.0.0.0\""), Row("net", .asOfficial, "127.0.0.1"),
        Row("port", .needsRestart, "4444"), Row("client_advertise", .changes, "\"a:1\""),
        Row("server_name", .needsRestart, "n"), Row("server_tags", .changes, "[a, b]"),
        Row("server_metadata", .changes, "{a: b}"), Row("max_connections", .changes, "10"),
        Row("max_control_line", .changes, "1024"), Row("max_payload", .changes, "2000"),
        Row("max_pending", .needsRestart, "67108863"), Row("max_subscriptions", .needsRestart, "3"),
        Row("max_sub_tokens", .needsRestart, "3"), Row("max_closed_clients", .needsRestart, "3"),
        Row("max_traced_msg_len", .changes, "10"), Row("ping_interval", .changes, "\"1m\""),
        Row("ping_max", .changes, "3"), Row("write_deadline", .changes, "\"3s\""),
        Row("write_timeout", .needsRestart, "close"), Row("no_fast_producer_stall", .changes, "true"),
        Row("lame_duck_duration", .needsRestart, "\"40s\""), Row("lame_duck_grace_period", .needsRestart, "\"5s\""),
        Row("disable_sublist_cache", .needsRestart, "true"), Row("no_header_support", .needsRestart, "true"),
        Row("pid_file", .changes, "pid"), Row("ports_file_dir", .changes, "folder"),
        Row("connect_error_reports", .changes, "5"), Row("reconnect_error_reports", .changes, "5"),
        Row("allow_non_tls", .needsRestart, "true"), Row("proxy_protocol", .needsRestart, "true"),
        Row("feature_flags", .needsRestart, "{js_ack_fc_v2: true}"), Row("prof_port", .needsRestart, "7"),
        // Monitoring.
        Row("http", .needsRestart, "8999"), Row("http_port", .needsRestart, "8999"),
        Row("monitor_port", .needsRestart, "8999"), Row("https", .needsRestart, "8999"),
        Row("https_port", .needsRestart, "8999"), Row("http_base_path", .needsRestart, "\"/x\""),
        // Logging; where it goes is in a table of its own.
        Row("debug", .changes, "true"), Row("trace", .changes, "true"), Row("trace_verbose", .changes, "true"),
        Row("trace_headers", .changes, "true"), Row("logtime", .changes, "false"),
        Row("logtime_utc", .changes, "true"), Row("log_size_limit", .needsRestart, "4"),
        Row("log_max_num", .needsRestart, "3"),
        // Authorization.
        Row("no_auth_user", .needsRestart, "a\nauthorization { users: [ {user: a, password: x} ] }"),
        Row("authorization", .changes, "{ user: a, password: b }"),
        Row("authorization", .changes, "{ token: x, timeout: 3 }"),
        Row("authorization", .changes, "{ users: [ {user: a, password: b} ], timeout: \"1500ms\" }"),
        Row("authorization", .changes, "{ users: [ {nkey: \(nkey)} ] }"),
        Row("authorization", .changes, "{ users: [ {user: a, password: b, permissions: {publish: x}} ] }"),
        Row("authorization", .changes, "{ users: [ {user: a, allowed_connection_types: [STANDARD]} ] }"),
        Row("authorization", .changes, "{ default_permissions: {subscribe: x}, users: [ {user: a} ] }"),
        Row(
            "authorization",
            .needsRestart,
            "{ auth_callout { issuer: AAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB776S, auth_users: [a, b] } }"
        ),
        Row("system_account", .needsRestart, "foo"), Row("no_system_account", .needsRestart, "true"),
        Row("ocsp", .asOfficial, "false"), Row("ocsp_cache", .asOfficial, "false"),
        // What is not there yet.
        Row("mappings", .changes, "{a: b}"), Row("accounts", .changes, "{A {users: [ {user: a} ]}}"),
        Row("cluster", .needsRestart, "{port: -1}"), Row("leafnodes", .needsRestartHere, "{port: -1}"),
        Row("gateway", .notYet, "{name: a, port: -1}"), Row("websocket", .needsRestart, "{port: -1, no_tls: true}"),
        Row("jetstream", .notYet, "{store_dir: js}"), Row("prof_block_rate", .notYet, "5"),
        Row("ocsp", .notYet, "true"), Row("trusted_keys", .needsRestart, "[]"),
        Row("operator", .needsRestart, "[]"), Row("resolver", .asOfficial, "MEMORY"),
        Row("resolver_tls", .changes, "{insecure: true}"), Row("resolver_preload", .changes, "{}"),
        Row("resolver_pinned_accounts", .changes, "[]"),
        Row("default_sentinel", .asOfficial, "x"),
    ]

    @Test("every plain key", .enabled(if: Program.available.contains(.official)))
    func plainKeys() async throws {
        try await self.compare(Self.plain, base: "host: 127.0.0.1\nport: -1\n")
    }

    @Test("the key that is host and port in one", .enabled(if: Program.available.contains(.official)))
    func listen() async throws {
        try await self.compare(Self.listen, base: "listen: \"127.0.0.1:-1\"\n")
    }

    static let listen = [
        Row("listen", .needsRestart, "\"127.0.0.1:4444\""), Row("listen", .needsRestart, "\"127.0.0.2:-1\""),
    ]

    @Test("the cluster block", .enabled(if: Program.available.contains(.official)))
    func cluster() async throws {
        try await self.compare(
            Self.cluster,
            base: "host: 127.0.0.1\nport: -1\ncluster { \(Self.clusterListen) }\n"
        )
    }

    private static let clusterListen = "name: C1, listen: \"127.0.0.1:-1\""

    static let cluster = [
        Row("cluster", .changes, "{ \(clusterListen), no_advertise: true }"),
        Row("cluster", .changes, "{ \(clusterListen), pool_size: 5 }"),
        Row("cluster", .changes, "{ \(clusterListen), connect_retries: 3, connect_backoff: true, ping_interval: 5 }"),
        Row("cluster", .changes, "{ \(clusterListen), authorization { user: a, password: b } }"),
        Row("cluster", .changes, "{ \(clusterListen), permissions { import: a, export: b } }"),
        Row("cluster", .changes, "{ \(clusterListen), advertise: \"127.0.0.1:7777\" }"),
        Row("cluster", .changes, "{ name: C2, listen: \"127.0.0.1:-1\" }"),
        Row("cluster", .needsRestart, "{ name: C1, listen: \"127.0.0.2:-1\" }"),
    ]

    @Test("where the log goes", .enabled(if: Program.available.contains(.official)))
    func targets() async throws {
        try await self.compare(
            Self.targets,
            base: "host: 127.0.0.1\nport: -1\nlogtime: false\nlog_file: one\n",
            log: ["one", "two"]
        )
    }

    /// A log file wins over syslog, so that nothing need be there to listen.
    static let targets = [
        Row("syslog", .changes, "true"), Row("remote_syslog", .changes, "\"udp://127.0.0.1:9\""),
        Row("log_file", .changes, "two"),
    ]

    private static let pair = "cert_file: server.pem, key_file: server.key"

    static let tls: [Row] = [
        Row("tls", .changes, "{ cert_file: other.pem, key_file: other.key }"),
        Row("tls", .changes, "{ \(pair), ca_file: ca.pem }"),
        Row("tls", .changes, "{ \(pair), ca_file: ca.pem, verify: true }"),
        Row("tls", .needsRestart, "{ \(pair), ca_file: ca.pem, verify_and_map: true }"),
        Row("tls", .asOfficial, "{ \(pair), insecure: true }"), Row("tls", .changes, "{ \(pair), timeout: 5 }"),
        Row("tls", .changes, "{ \(pair), timeout: \"1500ms\" }"),
        Row("tls", .changes, "{ \(pair), cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] }"),
        Row("tls", .changes, "{ \(pair), curve_preferences: [CurveP384] }"),
        Row("tls", .asOfficial, "{ \(pair), allow_insecure_cipher_suites: true }"),
        Row("tls", .changes, "{ \(pair), min_version: \"1.3\" }"),
        Row("tls", .changes, "{ \(pair), pinned_certs: [\(String(repeating: "ab", count: 32))] }"),
        Row("tls", .changes, "{ \(pair), handshake_first: true }"),
        Row("tls", .changes, "{ \(pair), handshake_first: \"300ms\" }"),
        Row("tls", .needsRestart, "{ \(pair), connection_rate_limit: 100 }"),
        Row("tls", .asOfficial, "{ certs: [ {\(pair)} ] }"),
        Row("tls", .changes, "{ certs: [ {\(pair)}, {cert_file: other.pem, key_file: other.key} ] }"),
        Row("allow_non_tls", .needsRestart, "true"),
        Row("tls", .asOfficial, "{ cert_file: server.pem }"), Row("tls", .asOfficial, "{ foo: bar }"),
    ]

    @Test("every key of a tls block", .enabled(if: Program.available.contains(.official)))
    func tlsKeys() async throws {
        let authority = try TestAuthority()
        let (server, other) = (try authority.server(), try authority.server())
        try await self.compare(Self.tls, base: "host: 127.0.0.1\nport: -1\ntls: { \(Self.pair) }\n") { directory in
            _ = try server.write(to: directory, as: "server")
            _ = try other.write(to: directory, as: "other")
            try directory.write(authority.text, to: "ca.pem")
        }
    }

    private static let webBlock = "host: 127.0.0.1, port: -1, no_tls: true"

    static let webSocket: [Row] = [
        Row("websocket", .asOfficial, "{ \(webBlock) }"), Row("websocket", .needsRestart, "{ port: -1, no_tls: true }"),
        Row("websocket", .needsRestart, "{ host: 127.0.0.1, port: 4567, no_tls: true }"),
        Row("websocket", .needsRestart, "{ \(webBlock), compression: true }"),
        Row("websocket", .needsRestart, "{ \(webBlock), same_origin: true }"),
        Row("websocket", .needsRestart, "{ \(webBlock), allowed_origins: [\"http://a\"] }"),
        Row("websocket", .needsRestart, "{ \(webBlock), handshake_timeout: \"3s\" }"),
        Row("websocket", .needsRestart, "{ \(webBlock), ping_interval: \"3s\" }"),
        Row("websocket", .needsRestart, "{ \(webBlock), user_cookie: a }"),
        Row("websocket", .needsRestart, "{ \(webBlock), token_cookie: a }"),
        Row("websocket", .needsRestart, "{ \(webBlock), headers { a: b } }"),
        Row("websocket", .needsRestart, "{ \(webBlock), advertise: \"a:1\" }"),
        Row("websocket", .needsRestart, "{ \(webBlock), authorization { user: a, password: b } }"),
        Row("websocket", .needsRestart, "{ \(webBlock), authorization { timeout: 3 } }"),
        Row("websocket", .asOfficial, "{ \(webBlock), no_auth_user: a }"),
        Row("websocket", .asOfficial, "{ \(webBlock), jwt_cookie: a }"),
        Row("websocket", .asOfficial, "{ \(webBlock), allowed_origins: [\"ftp://a\"] }"),
        Row("websocket", .asOfficial, "{ \(webBlock), headers { host: b } }"),
        Row("websocket", .asOfficial, "{ \(webBlock), foo: bar }"),
        Row("websocket", .asOfficial, "{ host: 127.0.0.1, port: -1 }"),
        Row("websocket", .needsRestart, "{ host: 127.0.0.1, port: 0 }"),
    ]

    @Test("every key of a websocket block", .enabled(if: Program.available.contains(.official)))
    func webSocketKeys() async throws {
        try await self.compare(
            Self.webSocket,
            base: "host: 127.0.0.1\nport: -1\nwebsocket: { \(Self.webBlock) }\n"
        )
    }

    @Test("no key that has an effect is missing")
    func complete() {
        let rows = Self.plain + Self.listen + Self.targets + Self.tls
        // Without JetStream nothing is stored.
        let missing = SupportedKeys.all.subtracting(rows.map(\.key)).subtracting(["store_dir"])
        #expect(missing.isEmpty)
    }

    // MARK: Running

    private func compare(
        _ rows: [Row],
        base: String,
        log: [String] = [],
        files: (TemporaryDirectory) throws -> Void = { _ in }
    ) async throws {
        let official = try await self.lines(.official, rows, base: base, log: log, files: files)
        let ours = try await self.lines(.ours, rows, base: base, log: log, files: files)
        for (index, row) in rows.enumerated() {
            let (there, back) = (ours[index * 2], ours[index * 2 + 1])
            let text = there.joined(separator: "\n")
            guard row.outcome != .notYet else {
                let line = base.split(separator: "\n").count + 1
                #expect(text.contains("not supported yet: \(row.key) (server.conf:\(line):1)"), "\(row.line): \(text)")
                continue
            }
            guard row.outcome != .needsRestartHere else {
                #expect(text.contains("not supported for"), "\(row.line): \(text)")
                continue
            }
            #expect(there == official[index * 2], "\(row.line)")
            #expect(back == official[index * 2 + 1], "back from \(row.line)")
            switch row.outcome {
            case .changes: #expect(text.contains("Reloaded server configuration (sha256:"), "\(row.line): \(text)")
            case .needsRestart: #expect(text.contains("not supported for"), "\(row.line): \(text)")
            case .asOfficial, .notYet, .needsRestartHere: break
            }
        }
    }

    /// What the log says to each row, and to the way back.
    private func lines(
        _ program: Program,
        _ rows: [Row],
        base: String,
        log: [String],
        files: (TemporaryDirectory) throws -> Void
    ) async throws -> [[String]] {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.path + "/folder", withIntermediateDirectories: false)
        try files(directory)
        try directory.write(base, to: "server.conf")
        // Names without a directory: the same text, and so the same digest, for both.
        let run = try ProgramRun(program, ["-c", "server.conf"], before: "cd '\(directory.path)'")
        let texts = { log.isEmpty ? [run.errors] : log.map(directory.read) }
        return try await run.use {
            try await eventually("ready") { texts().joined().contains("Server is ready") }
            var result: [[String]] = []
            for row in rows {
                // What comes later of the same name counts.
                for file in [base + row.line + "\n", base] {
                    try directory.write(file, to: "server.conf")
                    let before = texts().map(\.utf8.count)
                    let added = {
                        zip(texts(), before).map { String(decoding: $0.utf8.dropFirst($1), as: UTF8.self) }
                    }
                    run.signal(SIGHUP)
                    try await eventually("the end of a reload, \(row.line)") {
                        let new = added()
                        return new.allSatisfy { $0.isEmpty || $0.hasSuffix("\n") } && Self.isOver(new)
                    }
                    // Once more: the first file may have been read before the second one got the end.
                    let new = added()
                    result.append(
                        LogComparison.lines(new.joined(), pid: run.processID, port: run.port)
                            .map { line in line.replacing("_\(run.processID).", with: "_PID.") }
                            .map { line in line.replacing("nats-server-2.15.1_", with: "nats-server_") }
                            .map { line in run.port.map { line.replacing("=\($0)", with: "=PORT") } ?? line }
                            // What follows shows a value of Go, addresses in memory included.
                            .map { line in
                                let end = line.firstRange(of: "not supported for Websocket: ")?.upperBound
                                return end.map { String(line[..<$0]) } ?? line
                            }
                    )
                }
            }
            return result
        }
    }

    private static func isOver(_ texts: [String]) -> Bool {
        texts.contains { $0.contains("Reloaded server configuration") || $0.contains("Failed to reload") }
    }
}
