import NATSTop
import Testing

@Suite("Screens of states")
struct StatesScreenTests {
    @Test("a prompt takes letters that are keys elsewhere")
    func prompt() {
        let screen = Fixture.screen(Scenario.pressed("oq b", rows: 16))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0
                sort by [cid]: q b
                Connections Polled: 4  Sort: cid up  Columns: 9 of 13
                  HOST            CID NAME    SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:36226 19  alpha   4    0       37      65        3.3K     3.0K
                ! 127.0.0.1:36232 20  beta-c… 2    5.0M    73      50        1.2K     50
                ~ 127.0.0.1:36240 22          0    0       0       1.2M      0        95.4M
                  [2001:db8::1]:5 107 日本 ü… 5    0       2       1         4        3


                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a prompt on a low screen")
    func compactPrompt() {
        let screen = Fixture.screen(Scenario.pressed("ocid", columns: 40, rows: 10))
        #expect(
            screen == """
                NATS 2.15.1 up 2m49s
                  Load: CPU:  1.2%  Mem: 24.3M  Slow: 0
                  In:   541 70.6K  50.0/s 0/s
                  Out:  1.0K 166.3K  250.0/s 0/s
                sort by [cid]: cid
                  HOST            CID NAME          SUBS
                  127.0.0.1:36226 19  alpha         4
                ! 127.0.0.1:36232 20  beta-consumer 2
                ~ 127.0.0.1:36240 22                0
                  [2001:db8::1]:5 107 日本 ünï      5
                """
        )
    }

    @Test("paused")
    func paused() {
        let screen = Fixture.screen(Scenario.pressed("p", rows: 16))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0

                PAUSED  Connections Polled: 4  Sort: cid up  Columns: 9 of 13
                  HOST            CID NAME    SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:36226 19  alpha   4    0       37      65        3.3K     3.0K
                ! 127.0.0.1:36232 20  beta-c… 2    5.0M    73      50        1.2K     50
                ~ 127.0.0.1:36240 22          0    0       0       1.2M      0        95.4M
                  [2001:db8::1]:5 107 日本 ü… 5    0       2       1         4        3


                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a lost server: what went wrong, when it is tried again, the last values")
    func lost() {
        let screen = Fixture.screen(Scenario.lost())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s) LOST 1s ago, next try in 2s
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0
                connection refused
                Connections Polled: 4  Sort: cid up  Columns: 9 of 13
                  HOST            CID NAME    SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:36226 19  alpha   4    0       37      65        3.3K     3.0K
                ! 127.0.0.1:36232 20  beta-c… 2    5.0M    73      50        1.2K     50
                ~ 127.0.0.1:36240 22          0    0       0       1.2M      0        95.4M
                  [2001:db8::1]:5 107 日本 ü… 5    0       2       1         4        3
                (10 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a restarted server: no rate is negative")
    func restarted() {
        let screen = Fixture.screen(Scenario.restarted())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 1  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 2  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0
                the server has restarted
                Connections Polled: 4  Sort: cid up  Columns: 9 of 13
                  HOST            CID NAME    SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:36226 19  alpha   4    0       37      3         3.3K     3.0K
                ! 127.0.0.1:36232 20  beta-c… 2    5.0M    73      50        1.2K     50
                ~ 127.0.0.1:36240 22          0    0       0       1.2M      0        95.4M
                  [2001:db8::1]:5 107 日本 ü… 5    0       2       1         4        3
                (10 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("one page that failed")
    func failedPage() {
        let screen = Fixture.screen(Scenario.failedPage())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0
                stats request failed 400: "invalid sorting option: foo"
                Connections Polled: 4  Sort: cid up  Columns: 9 of 13
                  HOST            CID NAME    SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:36226 19  alpha   4    0       37      65        3.3K     3.0K
                ! 127.0.0.1:36232 20  beta-c… 2    5.0M    73      50        1.2K     50
                ~ 127.0.0.1:36240 22          0    0       0       1.2M      0        95.4M
                  [2001:db8::1]:5 107 日本 ü… 5    0       2       1         4        3
                (10 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("names that would obey a terminal are harmless")
    func hostile() {
        let screen = Fixture.screen(Scenario.hostile())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Connections Polled: 8  Sort: cid up  Row: 1  Columns: 11 of 13
                  HOST          CID NAME           SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM LANG VERSION\
                 >
                  10.0.0.1:4000 1   �[2J�[1;1Hgone 0    0       0       0         0        0          �c
                  �]0;x�:4000   2   a�b��c�        0    0       0       0         0        0          �c
                  10.0.0.1:4000 3   �abc�          0    0       0       0         0        0          �c
                  10.0.0.1:4000 4   �́lead          0    0       0       0         0        0          �c
                  10.0.0.1:4000 5   zalgó̂          0    0       0       0         0        0          �c
                  10.0.0.1:4000 6   �31mred        0    0       0       0         0        0          �c
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a terminal without UTF-8")
    func ascii() {
        let screen = Fixture.screen(Fixture.model(columns: 40, rows: 10), glyphs: .ascii)
        #expect(
            screen == """
                NATS 2.15.1 up 2m49s
                  Load: CPU:  1.2%  Mem: 24.3M  Slow: 0
                  In:   541 70.6K  50.0/s 0/s
                  Out:  1.0K 166.3K  250.0/s 0/s
                Connections Polled: 4  Sort: cid up
                  HOST            CID NAME          SUBS
                  127.0.0.1:36226 19  alpha         4
                ! 127.0.0.1:36232 20  beta-consumer 2
                ~ 127.0.0.1:36240 22                0
                  [2001:db8::1]:5 107 ???? ?n?      5
                """
        )
    }
}
