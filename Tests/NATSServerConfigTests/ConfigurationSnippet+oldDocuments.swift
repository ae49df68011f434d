extension ConfigurationSnippet {
    /// The examples of the documents from gnatsd 0.6.4 to nats-server 2.10.
    static let oldDocuments: [ConfigurationSnippet] = [
        ("3 single user", "authorization { user: derek  password: T0pS3cr3t  timeout: 1 }"),
        ("3 single user on lines", "authorization {\n  user:     derek\n  password: T0pS3cr3t\n  timeout:  1\n}"),
        (
            "3 route user",
            "cluster {\n  authorization {\n    user: route_user\n    password: T0pS3cr3tT00!\n    timeout: 0.5\n  }\n}"
        ),
        ("3 unknown script", "authorization {\n  пользователь: derek\n}"),
        (
            "3 users",
            "authorization {\n  users = [\n    {user: alice, password: foo}\n    {user: bob,   password: bar}\n  ]\n  timeout: 0.75\n}"
        ),
        (
            "3 variables",
            """
            authorization {
              PASS: abcdefghijklmnopqrstuvwxyz0123456789
              users = [
                {user: alice, password: foo}
                {user: joe,   password: $PASS}
              ]
            }
            """
        ),
        (
            "3 bcrypt",
            """
            authorization {
              user: derek
              password: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG
              timeout: 1
            }
            """
        ),
        (
            "3 permission templates",
            """
            authorization {
              ADMIN = {
                publish = ">"
                subscribe = ">"
              }
              REQUESTOR = {
                publish = ["req.foo", "req.bar"]
                subscribe = "_INBOX.>"
              }
              RESPONDER = {
                subscribe = ["req.foo", "req.bar"]
                publish = "_INBOX.>"
              }
              DEFAULT_PERMISSIONS = {
                publish = "SANDBOX.*"
                subscribe = ["PUBLIC.>", "_INBOX.>"]
              }
              PASS: abcdefghijklmnopqrstuvwxyz0123456789
              default_permissions = $DEFAULT_PERMISSIONS
              users = [
                {user: joe,     password: foo,   permissions: $ADMIN}
                {user: alice,   password: bar,   permissions: $REQUESTOR}
                {user: bob,     password: $PASS, permissions: $RESPONDER}
                {user: charlie, password: bar}
              ]
            }
            """
        ),
        ("3 system account", "accounts: { $SYS: { users: [{user: sys, password: pass}] } }"),
        ("4 cipher suites", "tls { cipher_suites: [ \"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\" ]\n timeout: 2 }"),
        (
            "4 verify and map",
            "tls { verify_and_map: true }\nauthorization { users = [ {user: \"derek@nats.io\", permissions: { publish: \"foo\" }} ] }"
        ),
        (
            "5 cluster",
            """
            port: 4242
            net: apcera.me
            cluster {
              host: '0.0.0.0'
              port: 7244
              routes = [
                nats-route://ruser:top_secret@192.168.0.101:7246
                nats-route://ruser:top_secret@192.168.0.102:7248
              ]
            }
            """
        ),
        ("5 cluster listen", "cluster { listen: 127.0.0.1:4248 }"),
        (
            "5 container",
            """
            port: 4222
            monitor_port: 8222
            cluster {
              name: "my_cluster"
              port: 6222
              authorization {
                user: ruser
                password: T0pS3cr3t
                timeout: 2
              }
              routes = []
            }
            """
        ),
        (
            "6 everything",
            """
            # Simple config file
            port: 4242
            net: localhost // net interface
            http_port: 8222
            debug:   false
            trace:   true
            logtime: false
            log_file: "/tmp/nats-server.log"
            pid_file: "/tmp/nats-server.pid"
            max_connections: 100
            max_control_line: 512
            max_payload: 65536
            write_deadline: "2s"
            """
        ),
        ("6 old name", "max_pending_size: 10000000"),
        ("6 unspaced", "write_deadline:2s"),
        ("6 http", "http: 8222"),
        ("6 environment", "port: $SNIPPET_PORT"),
        ("6 JetStream", "jetstream { store_dir=\"data\" }"),
    ].map { ConfigurationSnippet(name: "old documents \($0.0)", text: $0.1) }
}
