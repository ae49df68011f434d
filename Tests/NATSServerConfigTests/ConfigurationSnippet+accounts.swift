extension ConfigurationSnippet {
    /// Accounts, what they share, and what does not go together.
    static let accounts: [ConfigurationSnippet] =
        Self.accountTables.flatMap(\.snippets)
        + Self.shares.map { ConfigurationSnippet(name: $0, text: $0) }
        + Self.randomlyOrdered.map { ConfigurationSnippet(name: $0, text: $0, comparison: .verdict) }
        + Self.withoutPlaces.map { ConfigurationSnippet(name: $0, text: $0, comparison: .words) }

    private static let userKey = "UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN"
    private static let accountKey = "AAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB776S"

    private static let accountTables: [KeyTable] = [
        KeyTable(
            template: "%",
            rows: """
                accounts | { A {}, B {} } | [A, B] | [A, A] | ["$G"] | [5 ] | { A: 5 } | { "$G": {} } | 5 | { "$SYS": { users: [{user: sys, password: pass}] } }
                """
        ),
        KeyTable(
            template: "accounts { A { % } }",
            rows: """
                users | [{user: a, password: b}] | [{nkey: \(userKey)}] | 5 | [5 ] | [{nkey: x}] | [{}]
                default_permissions | { publish: a } | 5
                nkey | \(accountKey) | x | 5
                jetstream | true | enabled | disabled | x | 5 | {} | { max_mem: 1gb, max_file: 1tb, max_streams: 5, max_consumers: 5, max_ack_pending: 5 } | { max_memory: x } | { foo: 1 } | { max_bytes_required: true } | { max_bytes: 5 } | { mem_max_stream_bytes: 5, disk_max_stream_bytes: 5 } | { cluster_traffic: owner } | { cluster_traffic: x } | { cluster_traffic: 5 } | { streams: x } | { consumers: true } | { disk: x } | { memory_max_stream_bytes: x } | { store_max_stream_bytes: x }
                limits | { max_connections: 5, max_subs: 5, max_payload: 1mb, max_leafnodes: 5 } | 5 | { foo: 1 } | { max_conn: x }
                mappings | { a: b } | { a: "b..c" } | 5 | { "a..b": c } | { a: {destination: b, weight: 50} } | { a: [{dest: b, weight: "50%"}, {dest: c, weight: 50}] } | { a: {dest: b} } | { a: {dest: b, weight: 101} } | { a: {dest: b, weight: x} } | { a: {dest: b, weight: 1.5} } | { a: {foo: b} } | { a: [5 ] } | { a: [{dest: b, weight: 60}, {dest: c, weight: 60}] } | { a: [{dest: b, weight: 10}, {dest: b, weight: 10}] } | { a: [{dest: b, weight: 100, cluster: x}, {dest: c, weight: 100, cluster: y}] } | { a: {dest: b, weight: "-1"} }
                maps | { "a.*": "b.$1" } | { "a.*.*": "b.$2.{{wildcard(1)}}" } | { "a.*": "b.$2" } | { "a.>": "b.>" } | { "a.>": "b" } | { "a.*": "b.*" } | { a: "b.$1" } | { "a.*": "b.{{foo(1)}}" } | { "a.*": "b.{{wildcard()}}" } | { "a.*": "b.{{wildcard(x)}}" } | { "a.*": "b.{{wildcard(1,2)}}" } | { "a.*": "b.{{ Partition( 3 , 1 ) }}" } | { "a.*": "b.{{partition(x)}}" } | { "a.*": "b.{{SplitFromLeft(1,2)}}" } | { "a.*": "b.{{splitfromright(1)}}" } | { "a.*": "b.{{SliceFromLeft(1,2,3)}}" } | { "a.*": "b.{{left(1,2)}}" } | { "a.*": "b.{{split(1,-)}}" } | { a: "b.{{random(5)}}" } | { a: "b.{{partition(5)}}" } | { "a.*": "b.{{random(1,2)}}" } | { a: "b c" } | { a: "b.>.c" } | { "a.*": "b" } | { a: "" } | { "a.*": "b.{{sliceFromRight(2,1)}}" } | { "a.*": "b.{{split(1,a b)}}" } | { "a.*": {dest: "b.$1", weight: 10} }
                msg_trace | a.b | { dest: a, sampling: 50 } | { dest: a, sampling: "50%" } | "a.*" | 5 | { dest: 5 } | { dest: a, sampling: 0 } | { dest: a, sampling: x } | { dest: a, sampling: true } | { foo: 1 } | { sampling: 5 }
                trace_dest | a | "a..b"
                exports | [{stream: a}] | [{service: a}] | 5 | [5 ] | [{foo: 1}] | [{stream: 5}] | [{service: 5}] | [{stream: a, accounts: [B]}] | [{service: a, accounts: [B]}] | [{stream: a, accounts: 5}] | [{stream: a, accounts: [5 ]}]
                exports | [{service: a, response_type: stream}] | [{service: a, response: chunked}] | [{service: a, response_type: x}] | [{service: a, response_type: 5}] | [{service: a, response_threshold: "1s"}] | [{service: a, threshold: x}] | [{service: a, threshold: 5}] | [{service: a, allow_trace: true}] | [{service: a, allow_trace: x}]
                exports | [{service: a, latency: lat}] | [{service: a, latency: {sampling: 50, subject: lat}}] | [{service: a, latency: {sampling: "50%", subject: lat}}] | [{service: a, latency: {sampling: headers, subject: lat}}] | [{service: a, latency: {sampling: 0, subject: lat}}] | [{service: a, latency: {sampling: x, subject: lat}}] | [{service: a, latency: {sampling: true, subject: lat}}] | [{service: a, latency: {sampling: 5}}] | [{service: a, latency: {subject: 5}}] | [{service: a, latency: 5}] | [{service: a, latency: "lat.*"}] | [{service: a, latency: a}] | [{service: a, response_type: stream, latency: lat}]
                exports | [{stream: "a.*", account_token_position: 2}] | [{stream: "a.*", account_token_position: 1}] | [{stream: a, account_token_position: 5}] | [{service: "a.*", account_token_position: 2}] | [{stream: a, account_token_position: x}]
                imports | 5 | [5 ] | [{foo: 1}] | [{stream: 5}] | [{service: 5}] | [{stream: {account: B}}] | [{stream: {account: B, subject: a}}] | [{service: {account: B, subject: a}}] | [{service: {subject: a}}] | [{stream: {account: 5, subject: a}}] | [{stream: {account: A, foo: 1, subject: a}}] | []
                foo | 1
                """
        ),
        KeyTable(
            template:
                "accounts { B { exports: [{stream: \"s.>\"}, {service: \"q.>\"}, {stream: p, accounts: [C]}, {service: \"w.*\", accounts: [A]}] }, C {}, A { % } }",
            rows: """
                imports | [{stream: {account: B, subject: "s.>"}}] | [{stream: {account: B, subject: "s.a"}}] | [{stream: {account: B, subject: x}}] | [{stream: {account: B, subject: p}}] | [{stream: {account: B, subject: "s.a"}, prefix: x}] | [{stream: {account: B, subject: "s.a"}, prefix: "x.*"}] | [{stream: {account: B, subject: "s.a"}, to: y}]
                imports | [{stream: {account: B, subject: "s.*"}, to: "y.*"}] | [{stream: {account: B, subject: "s.*"}, to: y}] | [{stream: {account: B, subject: "s.*.*"}, to: "y.$2.$1"}] | [{stream: {account: B, subject: "s.a"}}, {stream: {account: B, subject: "s.a"}}] | [{stream: {account: B, subject: "s.a"}, allow_trace: true}] | [{stream: {account: B, subject: "s.a"}, share: x}] | [{stream: {account: B, subject: "s..a"}}] | [{stream: {account: B, subject: "s.>"}, to: "t.>"}]
                imports | [{service: {account: B, subject: "q.a"}}] | [{service: {account: B, subject: "q.a"}, to: r}] | [{service: {account: B, subject: "q.*"}, to: "r.*"}] | [{service: {account: B, subject: "q.*"}, to: r}] | [{service: {account: B, subject: x}}] | [{service: {account: B, subject: "w.a"}}] | [{service: {account: B, subject: "q.a"}, share: true}] | [{service: {account: B, subject: "q.a"}, share: 5}] | [{service: {account: B, subject: "q.*.*"}, to: "r.$2.$1"}] | [{service: {account: B, subject: "q..a"}}]
                imports | [{service: {account: B, subject: "q.a"}, to: r}, {service: {account: B, subject: "q.b"}, to: r}] | [{service: {account: B, subject: "q.a"}, to: "r..s"}] | [{service: {account: B, subject: "q.*"}, to: "r.{{partition(1,1)}}"}] | [{service: {account: B, subject: "q.>"}}] | [{service: {account: B, subject: "q.a"}, prefix: x}]
                """
        ),
    ]

    private static let shares: [String] = [
        "accounts { A { users: [{user: a, password: a}] }, B { users: [{user: b, password: b}] } }",
        "accounts { A { users: [{user: a, password: a}, {user: b}] default_permissions { publish: x } } }",
        "accounts { X: 5\n A { x: 1 } }",
        "X { publish: a }\naccounts { A { users: [{user: a, permissions: $X}] } }",
        "accounts { U: [{user: a, password: a}]\n A { users: $U } }",
        "authorization { users: [{user: a, password: a}, {user: a, password: b}] }",
        "authorization { users: [{nkey: \(userKey)}, {nkey: \(userKey)}] }",
        "authorization { user: a, password: b, token: c }", "authorization { user: a, users: [{user: b}] }",
        "authorization { token: a, users: [{user: b}] }", "authorization { user: a, users: [] }",
        "authorization { password: a, token: b }",
        "authorization { password: a, users: [] }",
        "authorization { users: [ {user: a, password: b} {user: c, password: d} ] }",
        "authorization { users: [ {user: a, password: b}\n{user: c, password: d} ] }",
        "authorization { users: [ {user: a} ], permissions { publish: b }, timeout: 2 }",
        "authorization { auth_callout { issuer: \(accountKey), auth_users: [a], allowed_accounts: [A] } }",
        "accounts { A {} }\nauthorization { auth_callout { issuer: \(accountKey), auth_users: [a], allowed_accounts: [A] } }",
        "jetstream { store_dir: a }\nport: 22001",
        "cluster { permissions { import: a }, authorization { user: a, permissions { import: b } } }",
        "tls { certs: [{cert_file: a, key_file: b}], cert_file: c }", "tls { cert_file: a.pem, key_file: b.pem }",
        "leafnodes { remotes: [ { credentials: a, url: \"nats://a:1\" }, { url: \"nats://a:1\" } ] }",
        "jetstream: true\nmqtt { port: 1883 }\nserver_name: a",
        "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"31s\"",
        "max_payload: 100mb\nmax_pending: 10mb", "no_auth_user: x", "system_account: nope", "websocket { port: 8080 }",
        "gateway { port: 7222 }",
        "mappings { \"a.*\": \"b.{{split(1,\\t)}}\" }",
        "mappings { \"a.*\": \"b.{{split(1, \\t)}}\" }",
        "mappings { \"a.*\": \"b.{{ \\t split\\t(1,-)\\t}}\" }",
        "mappings { \"a.*\": \"b.{{split(1,- )}}\" }",
        "mappings { \"a.*\": \"b.{{split(1,-\\t)}}\" }",
        "mappings { \"a.*\": \"b.{{split(1,\\x0b-)}}\" }",
        "mappings { \"a.*\": \"b.{{\\xc2\\xa0wildcard(1)}}\" }",
        "mappings { \"a.*\": \"b.{{\\x0bwildcard(1)}}\" }",
        "mappings { \"a.*\": \"b.{{wildcard(\\t1)}}\" }",
        "mappings { \"a.*\": \"b.{{wildcard( 1 )}}\" }",
        "mappings { \"a.*\": \"b.{{split(1,\\n-)}}\" }",
        "mappings { \"a.*\": \"b.{{partition(3,\\t1)}}\" }",
        "mappings { \"a.*\": \"b.{{partition(3,\\x0b1)}}\" }",
        "mappings { \"a.*\": \"b.c\\td\" }",
        "mappings { \"a.*\": \"b.{{split(1, é)}}\" }",
        "http: 1\nhttps: 2", "mappings { a: b, c: d, \"e.*\": \"f.$1\" }",
        // Importers of public subjects with a token for their names, of private ones, and of what is not exported.
        "accounts { A { exports: [{service: \"q.*.*\", account_token_position: 2}] }, B { imports: [{service: {account: A, subject: \"q.B.x\"}}] } }",
        "accounts { A { exports: [{service: \"q.*.*\", account_token_position: 2}] }, B { imports: [{service: {account: A, subject: \"q.A.x\"}}] } }",
        "accounts { A { exports: [{service: \"q.*.*\", account_token_position: 3}] }, B { imports: [{service: {account: A, subject: \"q.*.B\"}, to: \"r.$1\"}] } }",
        "accounts { A { exports: [{stream: \"s.*\", account_token_position: 2}] }, B { imports: [{stream: {account: A, subject: \"s.B\"}}] } }",
        "accounts { A { exports: [{stream: \"s.*\", account_token_position: 2}] }, B { imports: [{stream: {account: A, subject: \"s.*\"}}] } }",
        "accounts { A { exports: [{stream: \"s.*\", account_token_position: 2}] }, B { imports: [{stream: {account: A, subject: \"s.C\"}}] } }",
        "accounts { A { exports: [{service: q, accounts: [B]}] }, B {}, C { imports: [{service: {account: A, subject: q}}] } }",
        "accounts { A { exports: [{stream: s, accounts: [B]}] }, B {}, C { imports: [{stream: {account: A, subject: s}}] } }",
        "accounts { A { exports: [{service: q, accounts: []}] }, B { imports: [{service: {account: A, subject: q}}] } }",
        "accounts { A { exports: [{service: q, accounts: [X]}] } }",
        "accounts { A { exports: [{service: \"q.*\"}] }, B { imports: [{service: {account: A, subject: \"q.>\"}}] } }",
        "accounts { A { exports: [{service: q}], imports: [{service: {account: A, subject: q}}] } }",
        "accounts { A { exports: [{stream: s}], imports: [{stream: {account: A, subject: s}}] } }",
    ]

    /// What the official server says depends on the order in which Go visits a map.
    private static let randomlyOrdered: [String] = [
        "accounts { A { users: [{user: a}] }, B { users: [{user: a}] } }",
        "accounts { A { users: [{user: a}] } }\nauthorization { user: x, password: y }",
        "accounts { A { users: [{user: a}] } }\nauthorization { token: x }",
        "accounts { A { users: [{user: a}] } }\nauthorization { users: [{user: a}] }",
        "store_dir: a\njetstream { store_dir: b }",
        "accounts { A { exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: a}] }, B { exports: [{stream: b}], imports: [{stream: {account: A, subject: a}, to: b}] } }",
        "accounts { A { exports: [{service: a}], imports: [{service: {account: B, subject: b}, to: a}] }, B { exports: [{service: b}], imports: [{service: {account: A, subject: a}, to: b}] } }",
        "accounts { A { exports: [{service: a}], imports: [{service: {account: B, subject: b}, to: a}] }, B { exports: [{service: b}], imports: [{service: {account: C, subject: c}, to: b}] }, C { exports: [{service: c}], imports: [{service: {account: A, subject: a}, to: c}] } }",
        "accounts { A { exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: a}] }, B { exports: [{stream: b}], imports: [{stream: {account: C, subject: c}, to: b}] }, C { exports: [{stream: c}], imports: [{stream: {account: A, subject: a}, to: c}] } }",
        "accounts { A { exports: [{stream: a, response_type: single}] } }",
        "accounts { A { exports: [{stream: a, latency: b}] } }",
        "accounts { A { exports: [{stream: a, service: b}] } }",
        "accounts { A { exports: [{stream: a, allow_trace: true}] } }",
        "accounts { A { imports: [{stream: {account: B, subject: a}, service: {account: B, subject: a}}] } }",
        "leafnodes { remotes: [ { credentials: a, nkey: SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y } ] }",
        "port: x\nhost: 5\ncluster { name: 5, port: x }",
    ]

    /// The official server blames the key that it saw last.
    private static let withoutPlaces: [String] = [
        "authorization { users: [{user: a, nkey: \(userKey)}] }",
        "authorization { users: [{nkey: \(userKey), password: a}] }",
        "authorization { users: [{password: a, permissions { publish: b }}] }",
        "authorization { auth_callout { account: A, xkey: \"\" } }",
        "tls { certs: [{cert_file: a, key_file: \"\"}] }",
    ]
}
