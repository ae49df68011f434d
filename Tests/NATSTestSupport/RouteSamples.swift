package import NATSWire

/// What peers may send on a route and what not, with what a parser makes of it as ``RouteTranscript`` spells it.
package enum RouteSamples {
    /// All that is accepted.
    package static let accepted = messages + lines

    /// Messages in every spelling that is accepted.
    package static let messages: [(input: String, operations: [String])] = [
        ("RMSG $G a 5\r\nhello\r\n", ["message $G a [] [] 0/ 5/5 hello <5\r\nhello\r\n>"]),
        ("RMSG $G a rep 5\r\nhello\r\n", ["message $G a [rep] [] 0/ 5/5 hello <rep 5\r\nhello\r\n>"]),
        ("RMSG $G a | q1 2\r\nhi\r\n", [#"message $G a [] ["q1"] 0/ 2/2 hi <2\#r\#nhi\#r\#n>"#]),
        (
            "RMSG $G a | q1 q2 q3 q4 2\r\nhi\r\n",
            [#"message $G a [] ["q1", "q2", "q3", "q4"] 0/ 2/2 hi <2\#r\#nhi\#r\#n>"#]
        ),
        ("RMSG $G a + rep q1 2\r\nhi\r\n", [#"message $G a [rep] ["q1"] 0/ 2/2 hi <respelled>"#]),
        ("RMSG $G a + rep q1 q2 2\r\nhi\r\n", [#"message $G a [rep] ["q1", "q2"] 0/ 2/2 hi <respelled>"#]),
        // A reply subject and no group, and a reply subject that looks like an indicator.
        ("RMSG $G a + rep 2\r\nhi\r\n", ["message $G a [rep] [] 0/ 2/2 hi <rep 2\r\nhi\r\n>"]),
        ("RMSG $G a | 2\r\nhi\r\n", ["message $G a [|] [] 0/ 2/2 hi <| 2\r\nhi\r\n>"]),
        ("rmsg $G a 0\r\n\r\n", ["message $G a [] [] 0/ 0/0  <0\r\n\r\n>"]),
        ("RMSG $G a 0002\r\nhi\r\n", ["message $G a [] [] 0/ 2/0002 hi <0002\r\nhi\r\n>"]),
        ("RMSG $G a 2\nhi\r\n", ["message $G a [] [] 0/ 2/2 hi <respelled>"]),
        ("RMSG\t$G  a \t rep 2\r\nhi\r\n", ["message $G a [rep] [] 0/ 2/2 hi <respelled>"]),
        ("RMSG $G a 2 \r\nhi\r\n", ["message $G a [] [] 0/ 2/2 hi <respelled>"]),
        ("RMSG $G a |  q1\tq2  2\r\nhi\r\n", [#"message $G a [] ["q1", "q2"] 0/ 2/2 hi <respelled>"#]),
        // CR and LF separate fields like blanks where they do not end the line.
        ("RMSG $G fo\ro 2\r\nhi\r\n", ["message $G fo [o] [] 0/ 2/2 hi <respelled>"]),
        ("RMSG \n$G a 2\r\nhi\r\n", ["message $G a [] [] 0/ 2/2 hi <respelled>"]),
        ("RMSG $G \u{1}a\u{7f} 2\r\nhi\r\n", ["message $G \u{1}a\u{7f} [] [] 0/ 2/2 hi <2\r\nhi\r\n>"]),
        ("HMSG $G a 4 6\r\nabcdhi\r\n", ["headerMessage $G a [] [] 4/4 6/6 abcdhi <4 6\r\nabcdhi\r\n>"]),
        ("hMsg $G a rep 4 6\r\nabcdhi\r\n", ["headerMessage $G a [rep] [] 4/4 6/6 abcdhi <rep 4 6\r\nabcdhi\r\n>"]),
        (
            "HMSG $G a | q1 q2 4 6\r\nabcdhi\r\n",
            [#"headerMessage $G a [] ["q1", "q2"] 4/4 6/6 abcdhi <4 6\#r\#nabcdhi\#r\#n>"#]
        ),
        ("HMSG $G a + rep q1 4 6\r\nabcdhi\r\n", [#"headerMessage $G a [rep] ["q1"] 4/4 6/6 abcdhi <respelled>"#]),
        ("HMSG $G a + rep 4 4\r\nabcd\r\n", ["headerMessage $G a [rep] [] 4/4 4/4 abcd <rep 4 4\r\nabcd\r\n>"]),
        // A delivery does not name a header of no length.
        ("HMSG $G a 0 2\r\nhi\r\n", ["headerMessage $G a [] [] 0/0 2/2 hi <2\r\nhi\r\n>"]),
        ("HMSG $G a rep 0 2\r\nhi\r\n", ["headerMessage $G a [rep] [] 0/0 2/2 hi <respelled>"]),
        ("LMSG C2 $G a 0 2\r\nhi\r\n", ["originMessage C2 $G a [] [] 0/0 2/2 hi <2\r\nhi\r\n>"]),
        ("LMSG C2 $G a rep 0 2\r\nhi\r\n", ["originMessage C2 $G a [rep] [] 0/0 2/2 hi <respelled>"]),
        ("LMSG C2 $G a rep 1 2\r\nhi\r\n", ["originMessage C2 $G a [rep] [] 1/1 2/2 hi <rep 1 2\r\nhi\r\n>"]),
        ("lmsg C2 $G a | q 0 2\r\nhi\r\n", [#"originMessage C2 $G a [] ["q"] 0/0 2/2 hi <2\#r\#nhi\#r\#n>"#]),
        ("LMSG C2 $G a + rep q 1 2\r\nhi\r\n", [#"originMessage C2 $G a [rep] ["q"] 1/1 2/2 hi <respelled>"#]),
    ]

    /// Everything else that is accepted.
    package static let lines: [(input: String, operations: [String])] = [
        ("RS+ $G foo.*.>\r\n", ["interest $G foo.*.> [] 0"]),
        ("rs+ $G foo q 12\r\n", [#"interest $G foo ["q"] 12"#]),
        ("RS+\t $G  foo \tq 12 \n", [#"interest $G foo ["q"] 12"#]),
        ("RS+ $G foo q 999999999\r\n", [#"interest $G foo ["q"] 999999999"#]),
        // The official server takes any text for the weight, and what is no number for no members.
        ("RS+ $G foo q x\r\n", [#"interest $G foo ["q"] 0"#]),
        ("RS+ $G foo q -3\r\n", [#"interest $G foo ["q"] 0"#]),
        ("RS+ $G foo q 1000000000\r\n", [#"interest $G foo ["q"] 0"#]),
        ("RS- $G foo\r\n", ["noInterest $G foo []"]),
        ("Rs- $G foo q\r\n", [#"noInterest $G foo ["q"]"#]),
        ("UNSUB $G foo q\r\n", [#"noInterest $G foo ["q"]"#]),
        ("LS+ C2 $G foo\r\n", ["originInterest C2 $G foo [] 0"]),
        ("ls+ C2 $G foo q 3\r\n", [#"originInterest C2 $G foo ["q"] 3"#]),
        ("LS- $G foo\r\n", ["noOriginInterest $G foo []"]),
        ("LS- $G foo q\r\n", [#"noOriginInterest $G foo ["q"]"#]),
        ("A+ $G\r\nA- $G x y\r\na+ \r\n", ["accountInterest $G", "noAccountInterest $G x y", "accountInterest \r"]),
        ("SUB x\r\nsub a b c d e f\r\n", ["clientSubscribe x", "clientSubscribe a b c d e f"]),
        ("PUB foo 2\r\nhi\r\n", ["clientPublish foo 2"]),
        ("HPUB foo rep 2 2\r\nhi\r\n", ["clientHeaderPublish foo rep 2 2"]),
        ("PING\r\npInG\nPINGxyz\r\nPONG\r\n+OK\r\n", ["ping", "ping", "ping", "pong", "ok"]),
        ("INFO {\"a\":1} \r\nCONNECT {}\r\nCONNECT{}\r\n", ["info {\"a\":1} ", "connect {}", "connect {}"]),
        ("-ERR 'Stale Connection'\r\n", ["error 'Stale Connection'"]),
    ]

    /// What is refused, by a parser whose payload limit is 1,024 bytes.
    package static let refused: [(input: String, outcome: RouteOperationParser.Outcome)] = [
        ("\r\n", .unknownOperation), ("\n", .unknownOperation), ("  PING\r\n", .unknownOperation),
        ("FOO\r\n", .unknownOperation), ("MSG a 1 2\r\n", .unknownOperation), ("RX", .unknownOperation),
        ("LX", .unknownOperation), ("AX", .unknownOperation), ("HX", .unknownOperation), ("RSX", .unknownOperation),
        ("RMX", .unknownOperation), ("RS+\r\n", .unknownOperation), ("RS+x $G a\r\n", .unknownOperation),
        ("RS\u{b}", .unknownOperation), ("A+\r\n", .unknownOperation), ("SUB\r\n", .unknownOperation),
        ("RMSG\r\n", .unknownOperation), ("RMSGx", .unknownOperation), ("LMSG\r\n", .unknownOperation),
        ("RMSG $G a 2\r\nhix\r\n", .unknownOperation), ("RMSG $G a 2\r\nhi\n", .unknownOperation),
        ("HMSG $G a 1 2\r\nhi\rx", .unknownOperation),
        ("RMSG $G 2\r\n", .badArguments), ("RMSG 2\r\n", .badArguments), ("RMSG \r\n", .badArguments),
        ("HMSG $G a 2\r\n", .badArguments), ("LMSG C $G a 2\r\n", .badArguments), ("LMSG C $G a\r\n", .badArguments),
        ("RMSG $G a x q 2\r\n", .badReplyIndicator), ("RMSG $G a ++ rep q 2\r\n", .badReplyIndicator),
        ("RMSG $G a || q 2\r\n", .badReplyIndicator), ("HMSG $G a x q 1 2\r\n", .badReplyIndicator),
        ("LMSG C $G a x q 1 2\r\n", .badReplyIndicator),
        ("RMSG $G a x\r\n", .badSize), ("RMSG $G a -1\r\n", .badSize), ("RMSG $G a 1234567890\r\n", .badSize),
        ("RMSG $G a | q x\r\n", .badSize), ("HMSG $G a x 2\r\n", .badSize), ("HMSG $G a 3 2\r\n", .badSize),
        ("LMSG C $G a x 2\r\n", .badSize),
        ("RMSG $G a 1025\r\n", .payloadExceeded), ("HMSG $G a 1 999999999\r\n", .payloadExceeded),
        ("RS+ \r\n", .badArguments), ("RS+ $G\r\n", .badArguments), ("RS+ $G a b\r\n", .badArguments),
        ("RS+ $G a b 1 c\r\n", .badArguments), ("RS- $G\r\n", .badArguments), ("RS- $G a b c\r\n", .badArguments),
        ("LS+ $G foo\r\n", .badArguments), ("LS+ C $G foo q\r\n", .badArguments), ("LS- C $G foo q\r\n", .badArguments),
        ("UNSUB 1\r\n", .badArguments), ("UNSUB a b c d\r\n", .badArguments),
        ("PUB a\r\n", .badArguments), ("HPUB a 2\r\n", .badArguments), ("PUB a x\r\n", .badSize),
        ("PUB a 2\r\nhix", .unknownOperation),
    ]
}
