import NATSTop
import Testing

@Suite("Screens of views")
struct ViewsScreenTests {
    @Test("closed connections with reasons")
    func closed() {
        let screen = Fixture.screen(Scenario.closed())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Connections Closed: 2 of 12  Sort: stop down  Columns: 7 of 12
                  HOST           CID NAME REASON                        UPTIME MSGS_TO MSGS_FROM
                  127.0.0.1:4000 8        Client Closed                 2m46s  0       0
                  127.0.0.1:4000 7   late Slow Consumer (Pending Bytes) 2m46s  0       5
                (12 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("routes")
    func routes() {
        let screen = Fixture.screen(Scenario.routes())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                                                      \
                        127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0                                cpu          █\
                ██  mem          ███
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0                        msg          ▁\
                █▁  byt          ▁▁▁
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0                       msg          ▁\
                █▁  byt          ▁▁▁

                Routes: 2  Cluster: C1  Sort: cid up  Columns: 14 of 15
                  HOST          CID NAME SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM RTT   UPTIME IDLE ACCO\
                UNT CONFIGURED       >
                  10.0.0.2:6222 5   srvB 12   0       20      10        40       30         221µs 10m    0s       \
                    yes
                  10.0.0.3:6222 6   NC   1    0       0       0         0        0                            APP \
                    no
                (12 empty lines)
                 1 Connections 2 Closed 3 Routes 4 Accounts 5 Subscriptions 6 Server 7 JetStream 8 Graphs 9 Cluster\
                  ? help  q quit
                """
        )
    }

    @Test("accounts with rates")
    func accounts() {
        let screen = Fixture.screen(Scenario.accounts())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Accounts: 2  Sort: name up
                  NAME CONNS LEAFS SUBS MSGS_TO/S MSGS_FROM/S BYTES_TO/S BYTES_FROM/S SLOW
                  $SYS 0     0     0    0.0       0.0         0          0            0
                  APP  3     1     9    20.0      0.0         0          0            2
                (12 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("subscriptions of a connection")
    func subscriptions() {
        let screen = Fixture.screen(Scenario.subscriptions())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Subscriptions of 19 (alpha): 2  Sort: subject up
                  SUBJECT   QUEUE  SID  MSGS  MAX
                  orders.*  wk     2    48    100
                  svc.echo         1    0
                (12 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("the server")
    func server() {
        let screen = Fixture.screen(Scenario.pressed("6", rows: 30))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0

                Server
                  Name           srvA
                  ID             NC5YQ32X
                  Version        2.15.1  b2fd3ef  go1.27.2
                  Clients at     0.0.0.0:4222
                  Start          2026-11-20 22:00:00 +0000 UTC
                  Connections    4 of 65536, 9 ever
                  Leaf nodes     0
                  Subscriptions  60
                  Trouble        0 slow, 0 stale, 0 stalled
                  Cores          2
                  Max payload    1.0M
                  Max pending    64.0M
                  Security       auth no, TLS no
                  System         $SYS
                  Cluster        C1
                  Routes         4 to 1 servers
                  Route URLs     127.0.0.1:22212
                  Restarts       0 seen
                (3 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("JetStream")
    func jetStream() {
        let screen = Fixture.screen(Scenario.jetStream())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                JetStream
                  Memory        1.0K of 1.0G
                  Storage       70.0M
                  Directory     /data
                  Accounts      2
                  API           4.7K calls, 3 errors
                  Streams       4
                  Consumers     5
                  Messages      123.5K
                  Bytes         964.5K
                  Leader        srvB
                  Cluster size  3
                  Account       APP: 0 memory, 2.0K storage, 12 calls

                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a server without JetStream")
    func noJetStream() {
        let screen = Fixture.screen(Scenario.pressed("7", rows: 8))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0
                JetStream
                  JetStream is not enabled


                """
        )
    }

    @Test("graphs")
    func graphs() {
        let screen = Fixture.screen(Scenario.graphs())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 2
                  In:   Msgs: 22.5K  Bytes: 70.6K  Msgs/Sec: 900.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Last minutes
                                                                         ▃▅█       ▃▅█       ▃▅█       ▃▅█       ▃\
                ▅█
                                                                      ▃▅████    ▃▅████    ▃▅████     ▅████    ▃▅██\
                ██
                Msgs in/s   900.0     max 900.0                   ▁▃▅███████▁▃▅███████▁▃▅███████    ▅█████▁▃▅█████\
                ██


                Msgs out/s  0.0       max 0.0                     ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁\
                ▁▁


                Bytes in/s  0         max 0                       ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁\
                ▁▁


                Bytes out/s 0         max 0                       ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁\
                ▁▁
                                                                  ██████████████████████████████    ██████████████\
                ██
                                                                  ██████████████████████████████    ██████████████\
                ██
                CPU %       1.2       max 1.2                     ██████████████████████████████    ██████████████\
                ██
                                                                  ██████████████████████████████    ██████████████\
                ██
                                                                  ██████████████████████████████    ██████████████\
                ██
                Memory      24.3M     max 24.3M                   ██████████████████████████████    ██████████████\
                ██
                                                                                      █                   █
                                                                                      █                   █
                Slow        0         max 1                       ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁    ▁▁▁▁▁▁█▁▁▁▁▁▁▁\
                ▁▁
                                                                  ██████████████████████████████    ██████████████\
                ██
                                                                  ██████████████████████████████    ██████████████\
                ██
                Connections 4         max 4                       ██████████████████████████████    ██████████████\
                ██

                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("help")
    func help() {
        let screen = Fixture.screen(Scenario.pressed("?"))
        #expect(
            screen == """
                  1 to 9, Tab  connections, closed ones, routes, accounts, subscriptions,
                               server, JetStream, graphs of the last minutes, cluster
                  arrows       select a row, scroll columns; j k, page keys, Home, End
                  Enter        subscriptions of a connection, connections of an account,
                               another server of the cluster
                  Esc          back; ends a filter
                  o            sort by a column; -name largest first, +name smallest first
                  sort by      H host, C cid, N name, S subs, P pending, M msgs_to
                               F msgs_from, B bytes_to, Y bytes_from, G lang, V version
                               T uptime, L last_activity, K kind, A account, U user, R rtt
                               I idle
                  < > r        sort by the column before or behind; turn round
                  n            how many connections to ask for
                  f or /       filter: words, each may begin with name: subject: account:
                               user: ip: cid: kind: lang: reason: and ! for what not to show
                  c            columns and their order: host,cid or +account,-lang
                  s d b        subscriptions, host names, plain numbers
                  space        rates of each second in place of totals
                  p            pause
                  ? or h       this help; arrows scroll, any other key returns
                  q            quit
                  ! ~ ?        marks: slow (or lost), idle, a server without pages


                """
        )
    }
}
