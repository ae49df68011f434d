import NATSTop
import Testing

@Suite("Screens of columns")
struct ColumnsScreenTests {
    @Test("80 x 24: the figures fit, long names give way")
    func fits80() {
        let screen = Fixture.screen(Fixture.model())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0

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

    @Test("200 x 50: the columns of the original in their places")
    func fits200() {
        let screen = Fixture.screen(Fixture.model(columns: 200, rows: 50))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                                                      \
                                                                                                        127.0.0.1:\
                8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0                                cpu           \
                                                        ██  mem                                                   \
                ██
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0                       msg           \
                                                        ▁█  byt                                                   \
                ▁▁
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0                    msg           \
                                                        ▁█  byt                                                   \
                ▁▁

                Connections Polled: 4  Sort: cid up
                  HOST             CID    NAME            SUBS    PENDING     MSGS_TO     MSGS_FROM   BYTES_TO    \
                BYTES_FROM  LANG     VERSION  UPTIME   LAST_ACTIVITY
                  127.0.0.1:36226  19     alpha           4       0           37          65          3.3K        \
                3.0K        python3  2.16.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC
                ! 127.0.0.1:36232  20     beta-consumer   2       5.0M        73          50          1.2K        \
                50          python3  2.16.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC
                ~ 127.0.0.1:36240  22                     0       0           0           1.2M        0           \
                95.4M       go       1.47.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC
                  [2001:db8::1]:5  107    日本 ünï        5       0           2           1           4           3 \
                          swift    6        2m46s    2026-11-20 22:07:50.226210868 +0000 UTC
                (36 empty lines)
                 1 Connections 2 Closed 3 Routes 4 Accounts 5 Subscriptions 6 Server 7 JetStream 8 Graphs 9 Cluster\
                  ? help  q quit
                """
        )
    }

    @Test("40 x 10: a short header, and what fits")
    func fits40() {
        let screen = Fixture.screen(Fixture.model(columns: 40, rows: 10))
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
                  [2001:db8::1]:5 107 日本 ünï      5
                """
        )
    }

    @Test("columns scrolled to the left, the first one stays")
    func scrolled() {
        let screen = Fixture.screen(Scenario.scrolled())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   541 70.6K  50.0/s 0/s
                  Out:  1.0K 166.3K  250.0/s 0/s
                Connections Polled: 4  Sort: cid up  Columns: 5 of 13
                < HOST            MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM    >
                  127.0.0.1:36226 37      65        3.3K     3.0K
                ! 127.0.0.1:36232 73      50        1.2K     50
                ~ 127.0.0.1:36240 0       1.2M      0        95.4M
                  [2001:db8::1]:5 2       1         4        3


                """
        )
    }

    @Test("rows scrolled by pages, with the selection in sight")
    func many() {
        let screen = Fixture.screen(Scenario.many())
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 441  Bytes: 70.6K  Msgs/Sec: 0.0  Bytes/Sec: 0
                  Out:  Msgs: 524  Bytes: 166.3K  Msgs/Sec: 0.0  Bytes/Sec: 0

                Connections Polled: 300 of 5000  Sort: cid up  Row: 21  Columns: 9 of 13
                  HOST           CID NAME     SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM
                  127.0.0.1:4012 12  client-… 2    0       289     12        3        84
                  127.0.0.1:4013 13  client-… 3    0       288     13        4        91
                  127.0.0.1:4014 14  client-… 4    0       287     14        5        98
                  127.0.0.1:4015 15  client-… 0    0       286     15        6        105
                  127.0.0.1:4016 16  client-… 1    0       285     16        7        112
                  127.0.0.1:4017 17  client-… 2    0       284     17        8        119
                  127.0.0.1:4018 18  client-… 3    0       283     18        0        126
                  127.0.0.1:4019 19  client-… 4    0       282     19        1        133
                  127.0.0.1:4020 20  client-… 0    0       281     20        2        140
                  127.0.0.1:4021 21  client-… 1    0       280     21        3        147
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("subscriptions as the last column")
    func subjects() {
        let screen = Fixture.screen(Scenario.pressed("s", columns: 200, rows: 12))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0                                cpu           \
                                                        ██  mem                                                   \
                ██
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0                       msg           \
                                                        ▁█  byt                                                   \
                ▁▁
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0                    msg           \
                                                        ▁█  byt                                                   \
                ▁▁
                Connections Polled: 4  Sort: cid up
                  HOST             CID    NAME            SUBS    PENDING     MSGS_TO     MSGS_FROM   BYTES_TO    \
                BYTES_FROM  LANG     VERSION  UPTIME   LAST_ACTIVITY                             SUBSCRIPTIONS
                  127.0.0.1:36226  19     alpha           4       0           37          65          3.3K        \
                3.0K        python3  2.16.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC   orders.*, svc.ech\
                o
                ! 127.0.0.1:36232  20     beta-consumer   2       5.0M        73          50          1.2K        \
                50          python3  2.16.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC   x.>
                ~ 127.0.0.1:36240  22                     0       0           0           1.2M        0           \
                95.4M       go       1.47.0   2m46s    2026-11-20 22:07:50.226210868 +0000 UTC
                  [2001:db8::1]:5  107    日本 ünï        5       0           2           1           4           3 \
                          swift    6        2m46s    2026-11-20 22:07:50.226210868 +0000 UTC


                """
        )
    }

    @Test("columns in a chosen order, sorted by rate")
    func chosen() {
        let screen = Fixture.screen(Scenario.pressed("ccid,name,msgs_from,idle,account\n F"))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0

                Connections Polled: 4  Sort: msgs_from down
                  CID    NAME            MSGS_FROM/S  IDLE    ACCOUNT
                  19     alpha           2.5          3s      APP
                ! 20     beta-consumer   0.0          3s
                ~ 22                     0.0          1h0m5s
                  107    日本 ünï        0.0          3s
                (10 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }

    @Test("a filter and what is left of the rows")
    func filtered() {
        let screen = Fixture.screen(Scenario.pressed("/lang:py !name:beta\n"))
        #expect(
            screen == """
                NATS server version 2.15.1 (uptime: 2m49s)
                Server: srvA                                                      127.0.0.1:8222
                  ID:   NC5YQ32X
                  Load: CPU:  1.2%  Memory: 24.3M  Slow Consumers: 0
                  In:   Msgs: 541  Bytes: 70.6K  Msgs/Sec: 50.0  Bytes/Sec: 0
                  Out:  Msgs: 1.0K  Bytes: 166.3K  Msgs/Sec: 250.0  Bytes/Sec: 0

                Connections Polled: 4  Shown: 1  Filter: lang:py !name:beta  Sort: cid up
                  HOST            CID NAME  SUBS PENDING MSGS_TO MSGS_FROM BYTES_TO BYTES_FROM >
                  127.0.0.1:36226 19  alpha 4    0       37      65        3.3K     3.0K
                (13 empty lines)
                 1 Conns 2 Closed 3 Routes 4 Accts 5 Subs 6 Srv 7 JS 8 Graphs 9 Cluster  ? help
                """
        )
    }
}
