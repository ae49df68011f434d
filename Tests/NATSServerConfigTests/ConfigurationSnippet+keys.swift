extension ConfigurationSnippet {
    static let keys: [ConfigurationSnippet] = Self.keyTables.flatMap(\.snippets)

    private static let userKey = "UAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB63NN"
    private static let accountKey = "AAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB776S"
    private static let operatorKey = "OAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JSU"
    private static let serverKey = "NAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6CRG"
    private static let pin = "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789abcdef"

    /// Every key once right and once wrong.
    private static let keyTables: [KeyTable] = [
        KeyTable(
            template: "%",
            rows: """
                listen | localhost:4222 | "x"
                host | localhost | 5
                net | localhost | true
                port | 4222 | "4222"
                client_advertise | "a:1" | 5
                server_name | s1 | 5 | "s 1"
                server_tags | [a, b] | a | 5 | [true]
                server_metadata | { a: b } | 5 | { a: 5 }
                max_connections | 100 | "100" | 0
                max_conn | 100 | -5
                max_control_line | 512 | 3000000000 | "x"
                max_payload | 1mb | 3000000000 | x | -1
                max_pending | 10mb | x
                max_subscriptions | 5 | x
                max_subs | 5 | true
                max_sub_tokens | 5 | 256 | 0 | x
                max_subscription_tokens | 255 | -1
                max_closed_clients | 5 | x
                max_traced_msg_len | 5 | x
                ping_interval | "1m" | x | 60
                ping_max | 3 | x
                write_deadline | "3s" | 3 | x
                write_timeout | close | x | 5
                no_fast_producer_stall | true | 1
                lame_duck_duration | "1m" | "29s" | 60 | x
                lame_duck_grace_period | "1s" | "-1s" | 5 | x
                disable_sublist_cache | true | 1
                no_sublist_cache | true | x
                no_header_support | true | x
                pid_file | a | 5
                pidfile | a | true
                ports_file_dir | a | 5
                connect_error_reports | 5 | x
                reconnect_error_reports | 5 | x
                allow_non_tls | true | x
                proxy_protocol | true | x
                prof_port | 5 | x
                prof_block_rate | 5 | x
                feature_flags | { js_ack_fc_v2: true } | 5 | { a: 5 }
                http | localhost:8222 | 8222 | "x" | true
                https | localhost:8222 | "x:y"
                http_port | 8222 | x
                monitor_port | 8222 | x
                https_port | 8222 | x
                http_base_path | /a | 5
                debug | true | x
                trace | true | x
                trace_verbose | true | x
                trace_headers | true | x
                logtime | true | x
                logtime_utc | true | x
                log_file | a | 5
                logfile | a | true
                log_size_limit | 5 | x
                logfile_size_limit | 1mb | x
                log_max_num | 5 | x
                logfile_max_num | 5 | true
                syslog | true | x
                remote_syslog | "udp://a:1" | 5
                no_auth_user | a | 5
                system_account | a | 5
                system | a | [a]
                no_system_account | true | x
                no_system | true | x
                no_sys_acc | true | x
                store_dir | a | 5
                storedir | a | 5
                default_js_domain | { a: b } | 5 | { a: 5 }
                default_sentinel | a | 5
                trusted_keys | \(operatorKey) | x | 5 | [x]
                trusted | [\(operatorKey)] | [5 ] | \(userKey)
                resolver | MEM | x | 5
                account_resolver | MEMORY | "a"
                accounts_resolver | URL("http://a/") | "URL(:x)"
                resolver_pinned_accounts | [a, b] | a | 5 | [5 ]
                resolver_preload | {} | 5 | { a: 5 } | { a: "x" }
                resolver_tls | { timeout: 1 } | 5
                operator | nope.jwt | 5 | [5 ] | []
                operators | [nope.jwt] | true
                root_operator | "eyJhbGciOiJ" | {}
                ocsp | true | { mode: must } | { mode: x } | 5 | { foo: 1 } | { url: 5 } | { urls: [a] }
                ocsp_cache | true | { type: none } | 5 | { type: x } | { foo: 1 } | { save_interval: "1x" }
                proxies | { trusted: [{key: \(serverKey)}] } | 5 | { trusted: 5 } | { trusted: [5 ] } | { foo: 1 } | { trusted: [{key: x}] }
                mappings | { a: b } | 5 | { "a..b": c } | { a: 5 }
                maps | { a: b } | { a: "b..c" }
                max_pending_size | 10000000
                user | a
                password | a
                """
        ),
        KeyTable(
            template: "tls { % }",
            rows: """
                cert_file | nope.pem | 5
                key_file | nope.pem | 5
                ca_file | nope.pem | 5
                insecure | true | x
                verify | true | x
                verify_and_map | true | 5
                verify_cert_and_check_known_urls | false | true | x
                allow_insecure_cipher_suites | true | x
                cipher_suites | ["TLS_AES_128_GCM_SHA256"] | ["TLS_X"] | [] | x | [5 ] | ["TLS_RSA_WITH_RC4_128_SHA"]
                curve_preferences | ["X25519"] | ["X"] | [] | 5
                timeout | 2 | 1.5 | "500ms" | "x" | true
                connection_rate_limit | 5 | x
                pinned_certs | ["\(pin)"] | [] | ["x"] | 5 | [5 ]
                handshake_first | true | "auto" | "100ms" | off | "x" | 5
                first | "off" | "y"
                immediate | auto_fallback | 1.5
                min_version | "1.2" | "1.3" | "1.1" | "1.9" | 1.2
                certs | [] | 5 | [5 ] | [{}] | [{cert_file: a}] | [{foo: a}] | [{cert_file: 5}] | [{cert_file: nope.pem, key_file: nope.pem}]
                certificates | [] | x
                cert_store | WindowsCurrentUser | x | ""
                cert_match_by | subject | x | 5
                cert_match | a | ""
                cert_match_skip_invalid | true | x
                ca_certs_match | [a] | a | [5 ]
                ocsp_peer | true | { verify: true } | 5 | { foo: 1 } | { verify: x } | { ca_timeout: "x" } | { allowed_clockskew: "x" } | { ca_timeout: true }
                foo | 1
                """
        ),
        KeyTable(
            template: "authorization { % }",
            rows: """
                user | a | 5
                username | a | true
                pass | a | 5
                password | a | 5
                token | a | 5
                timeout | 2 | "500ms" | 90 | 1m | "x" | true | 100.25
                users | [] | 5 | [5 ] | [{}] | true
                permissions | { publish: a } | 5
                default_permission | { sub: a } | x
                default_permissions | {} | true
                auth_callout | { issuer: \(accountKey), auth_users: [a] } | 5 | {} | { issuer: x } | { issuer: 5 }
                auth_hook | { issuer: \(accountKey), account: A, users: [a], xkey: x } | { foo: 1 }
                proxy_required | true | x
                foo | 1
                """
        ),
        KeyTable(
            template: "authorization { users: [ { user: a, % } ] }",
            rows: """
                password | b | 5
                pass | b | true
                permissions | { publish: b } | 5
                permission | { publish: b } | { pubb: x }
                authorization | { publish: b } | x
                allowed_connection_types | [STANDARD, mqtt] | standard | [FOO, bar] | 5 | [5 ]
                connection_types | [websocket, leafnode_ws] | FOO
                clients | [in_process, MQTT_WS, LEAFNODE] | true
                proxy_required | true | x
                foo | 1
                """
        ),
        KeyTable(
            template: "authorization { user: a, permissions { % } }",
            rows: """
                publish | a | [a, b] | { allow: a } | { deny: [a, b] } | "a..b" | 5 | ["a b"] | { allwo: a } | { allow: "a..b" } | { allow: 5 } | {} | { allow: [5 ] } | [5 ]
                pub | ">" | "a.>.b"
                import | "*" | ""
                subscribe | a | "a q" | ["a q.*"] | { deny: "a *" } | "a b c" | "a..b q" | "a q..x" | { deny: "a..b" }
                sub | [] | { allow: [] }
                export | "a.b" | true
                allow_responses | true | false | { max: 5, expires: "1s" } | { max: x } | { expires: 5 } | { ttl: "x" } | { foo: 1 } | 5 | {}
                publish_allow_responses | true | { max_msgs: 0, expiration: "0s" }
                pubb | a
                """
        ),
    ]
}
