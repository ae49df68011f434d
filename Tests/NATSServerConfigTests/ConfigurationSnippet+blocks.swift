extension ConfigurationSnippet {
    /// The blocks of clusters, leaf nodes, gateways, WebSocket, MQTT and JetStream.
    static let blocks: [ConfigurationSnippet] = Self.blockTables.flatMap(\.snippets)

    private static let seed = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y"
    private static let userKey = "UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN"

    private static let blockTables: [KeyTable] = [
        KeyTable(
            template: "%",
            rows: """
                cluster | 5
                gateway | 5
                leafnodes | 5
                leaf | {} | x
                websocket | {} | 5
                ws | {} | x
                mqtt | {} | 5
                jetstream | true | enabled | disable | {} | x | 5
                """
        ),
        KeyTable(
            template: "cluster { % }",
            rows: """
                name | c | "a b" | 5
                listen | localhost:6222 | "x" | true
                port | 6222 | x
                host | a | 5
                net | a | 5
                authorization | { user: a, password: b, timeout: 0.5 } | { users: [] } | { token: a } | 5 | { foo: 1 } | { user: a, permissions { import: a } } | { permissions { export: "a q" } }
                routes | ["nats://a:1"] | [] | ["nats-route://u:p@a:1"\n"nats://b:2" ] | 5 | [5 ] | ["nats://a:x"] | ["nats://a:1", "nats://a:1"] | [":x"] | ["a b://"] | ["a%zz"] | ["nats://a b:1"] | ["http://[::1"] | ["nats://a:b:1"] | ["nats://a:1:b"] | ["http://a:1:2"] | ["//a:b:1"] | ["nats://::1"] | ["nats://a:%31"] | ["nats://a#%zz"] | ["nats://a%25b"] | ["nats://[a]:1"] | ["localhost:6222"] | ["127.0.0.1:6222"]
                tls | { timeout: 1 } | { verify_cert_and_check_known_urls: true } | { verify_cert_and_check_known_urls: false } | 5 | { foo: 1 }
                advertise | "a:1" | 5
                cluster_advertise | "a:1" | 5
                no_advertise | true | x
                connect_retries | 5 | x
                connect_backoff | true | x
                permissions | { import: a, export { deny: b } } | 5 | { allow_responses: true } | { export: "a q" } | { foo: 1 } | { import: "a..b" }
                pool_size | 5 | x
                accounts | [A, B] | A | 5 | [5 ]
                compression | s2_auto | true | { mode: s2_auto, rtt_thresholds: ["10ms", "20ms"] } | 5 | { foo: 1 } | { rtt: ["x"] } | { mode: 5 } | { rtts: 5 } | { thresholds: [5 ] }
                ping_interval | "10s" | "31s" | 5 | x | 40
                ping_max | 5 | x
                write_deadline | "1s" | 1 | x
                write_timeout | retry | x
                foo | 1
                """
        ),
        KeyTable(
            template: "gateway { % }",
            rows: """
                name | g | "a b" | 5
                listen | localhost:7222 | "x"
                port | 7222 | x
                host | a | 5
                net | a | 5
                authorization | { user: a, password: b } | { users: [] } | { token: a } | x
                tls | { timeout: 1 } | 5
                advertise | a | 5
                connect_retries | 5 | x
                connect_backoff | true | x
                gateways | [{ name: a, url: "nats://a:1" }, { name: b, urls: ["nats://a:1", "nats://b:1"] }] | 5 | [5 ] | [{ foo: 1 }] | [{ url: ":x" }] | [{ urls: 5 }] | [{ name: 5 }] | [{ tls: 5 }]
                reject_unknown_cluster | true | x
                reject_unknown | true | 5
                write_deadline | "1s" | x
                write_timeout | close | x
                foo | 1
                """
        ),
        KeyTable(
            template: "leafnodes { % }",
            rows: """
                listen | localhost:7422 | "x"
                port | 7422 | x
                host | a | 5
                net | a | 5
                authorization | { user: a, password: b, account: A, timeout: 1 } | { nkey: \(userKey) } | { nkey: x } | { users: [{user: a, password: b, account: A}] } | { users: 5 } | { users: [5 ] } | { users: [{foo: 1}] } | { timeout: 90 } | { timeout: x } | { timeout: true } | { foo: 1 } | 5
                authorization | { user: x, users: [{user: a}] } | { users: [{user: a}, {user: a}] } | { proxy_required: 5 }
                remotes | [{ url: "nats://a:1" }] | [] | 5 | [5 ]
                reconnect | "1s" | 1 | x
                reconnect_delay | "1s" | x
                reconnect_interval | "1s" | true
                dial_timeout | "1s" | x
                tls | { timeout: 1 } | 5
                advertise | a | 5
                leafnode_advertise | a | 5
                no_advertise | true | x
                min_version | "2.8.0" | "2.10.1-beta.1" | "2.7.9" | x | 5 | "2.8" | "02.8.0" | "2.8.0-" | "2.8.0+a"
                minimum_version | "3.0.0" | ""
                compression | on | s2_fast | 5
                isolate | true | x
                isolate_leafnode_interest | true | x
                write_deadline | "1s" | x
                write_timeout | default | x
                foo | 1
                """
        ),
        KeyTable(
            template: "leafnodes { remotes: [ { % } ] }",
            rows: """
                url | "nats://a:1" | ["nats://a:1"] | 5 | ":x" | [5 ] | ["nats://a:1", "nats://a:1"]
                urls | ["nats://a:1"] | "nats://a:1" | true
                account | A | 5
                local | A | 5
                credentials | "~/a.creds" | "$HOME/a" | 5
                creds | a | true
                nkey | \(seed) | x | \(userKey) | 5
                seed | \(seed) | ""
                tls | { timeout: 1 } | 5
                hub | true | x
                deny_imports | a | [a, b] | "a..b" | 5
                deny_import | a | ["a b"]
                deny_exports | a | [5 ]
                deny_export | a | ""
                no_randomize | true | x
                dont_randomize | true | 5
                compression | off | { foo: 1 }
                first_info_timeout | "1s" | 1 | x
                dial_timeout | "1s" | x
                disabled | true | x
                ws_compression | true | x
                ws_compress | true | 5
                websocket_compress | true | 5
                websocket_compression | true | 5
                ws_no_masking | true | x
                websocket_no_masking | true | x
                jetstream_cluster_migrate | true | { leader_migrate_delay: "1s" } | x | { leader_migrate_delay: x }
                js_cluster_migrate | true | 5
                isolate | true | x
                isolate_leafnode_interest | true | x
                request_isolation | true | x
                ignore_discovered_servers | true | x
                proxy | { url: "http://a:1" } | 5 | { foo: 1 } | { url: "ftp://a" } | { url: "http://" } | { url: "http://a", username: u } | { url: "http://a", timeout: "-1s" } | { url: 5 } | { timeout: x }
                foo | 1
                """
        ),
        KeyTable(
            template: "leafnodes { remotes: [ { url: \"nats://u:p@a:1\" }, { % } ] }",
            rows: """
                url | "nats://u:p@a:1" | "nats://u:p@a:2"
                proxy | { url: "http://a" }
                """
        ),
        KeyTable(
            template: "leafnodes { remotes: [ { url: \"wss://a:1\", % } ] }",
            rows: """
                proxy | { url: "http://a" }
                """
        ),
        KeyTable(
            template: "leafnodes { remotes: [ { urls: [\"ws://a:1\", \"nats://b:1\"], % } ] }",
            rows: """
                proxy | { url: "http://a" }
                """
        ),
        KeyTable(
            template: "leafnodes { remotes: [ { url: \"nats://a:1\", % } ] }",
            rows: """
                proxy | { url: "http://a" }
                """
        ),
        KeyTable(
            template: "websocket { % }",
            rows: """
                listen | localhost:8080 | "x"
                port | 8080 | x
                host | a | 5
                net | a | 5
                no_tls | true | x
                tls | { timeout: 1 } | 5
                advertise | a | 5
                same_origin | true | x
                allowed_origins | ["http://a"] | a | 5 | [5 ]
                allowed_origin | a | true
                allow_origins | a | 5
                allow_origin | a | 5
                origins | a | 5
                origin | a | 5
                handshake_timeout | "1s" | 2 | x | true
                compression | true | x
                compress | true | 5
                authorization | { user: a, password: b, timeout: 1 } | { token: a } | { foo: 1 } | { timeout: "1s" }
                authentication | { user: a } | { pass: 5 }
                no_auth_user | a | 5
                jwt_cookie | a | 5
                user_cookie | a | 5
                pass_cookie | a | 5
                token_cookie | a | 5
                headers | { a: b } | 5 | { a: 5 }
                ping_interval | "1m" | 5 | x
                foo | 1
                """
        ),
        KeyTable(
            template: "mqtt { % }",
            rows: """
                listen | localhost:1883 | "x"
                port | 1883 | x
                host | a | 5
                net | a | 5
                tls | { timeout: 1 } | 5
                authorization | { user: a } | { foo: 1 }
                authentication | { token: a } | 5
                no_auth_user | a | 5
                ack_wait | "1s" | 1 | x
                ackwait | "1s" | true
                js_api_timeout | "1s" | x
                api_timeout | "1s" | 5
                max_ack_pending | 100 | 65536 | -1 | x
                max_pending | 0 | x
                max_inflight | 65535 | x
                js_domain | a | 5
                stream_replicas | 3 | x
                consumer_replicas | 1
                consumer_memory_storage | true | x
                consumer_inactive_threshold | "1s" | x
                consumer_auto_cleanup | "1s" | 5
                reject_qos2_publish | true | x
                downgrade_qos2_subscribe | true | x
                foo | 1
                """
        ),
        KeyTable(
            template: "jetstream { % }",
            rows: """
                store_dir | a | 5
                store | a | true
                storedir | a | 5
                max_memory_store | 1gb | "1G" | "1g" | "xG" | true | "" | "99999999999999999999G"
                max_mem_store | 1 | "M"
                max_mem | "10K" | 1.5
                max_file_store | 1tb | "1T" | x
                max_file | 1 | true
                domain | a | 5
                strict | true | x | 5
                sync_interval | "1m" | always | 5 | x
                sync | Always | true
                enabled | true | x
                enable | false | 5
                limits | { max_ack_pending: 5, max_ha_assets: 5, max_request_batch: 5, duplicate_window: "1s" } | 5 | { foo: 1 } | { max_ack_pending: x } | { duplicate_window: x } | { duplicate_window: 5 }
                limits | { batch { max_inflight_per_stream: 1, max_inflight_total: 2, max_msgs: 3, timeout: "1s" } } | { batch: 5 } | { batch { foo: 1 } } | { batch { timeout: x } } | { batch { max_msgs: x } }
                unique_tag | "a:" | 5
                max_outstanding_catchup | 64mb | "64M" | x
                max_buffered_msgs | 5 | x
                max_buffered_size | 5 | "5K" | x
                request_queue_limit | 5 | x
                info_queue_limit | 5 | x
                extension_hint | a | 5
                meta_compact | 5 | -1 | x
                meta_compact_size | 5 | -1 | x
                meta_compact_sync | true | x
                max_concurrent_io | 4 | 3 | 8193 | x
                key | a | 5
                ek | a | 5
                encryption_key | a | 5
                prev_key | a | 5
                prev_ek | a | 5
                prev_encryption_key | a | 5
                cipher | chacha | aes | AES | x | 5
                tpm | { keys_file: a, encryption_password: b, srk_password: c, pcr: 5 } | 5 | { foo: 1 } | { pcr: x } | { cipher: x }
                foo | 1
                """
        ),
        KeyTable(
            template: "resolver { % }",
            rows: """
                type | mem | full | cache | x | 5
                dir | a
                """
        ),
        KeyTable(
            template: "resolver { dir: jwt, type: full, % }",
            rows: """
                allow_delete | true | x
                hard_delete | true | false
                limit | 5 | x
                ttl | "1s" | x
                interval | "1s" | x
                timeout | "1s" | 5
                """
        ),
        KeyTable(
            template: "resolver { dir: jwt, type: cache, % }",
            rows: """
                allow_delete | true | false
                hard_delete | true
                ttl | "1s"
                interval | "1s"
                """
        ),
    ]
}
