import NATSTestSupport

/// JSON texts for CONNECT, good, odd and bad ones.
enum ConnectJSON {
    /// Texts in which something particular is tried.
    static let chosen: [String] = [
        "{}", " {} ", "{ }", "\t{}\t", "null", "true", "1", "\"\"", "[]", "[{}]", "{}x", "{},", "{}{}", "{", "}", "",
        "{\"verbose\":false,}", "{,}", "{\"verbose\"}", "{\"verbose\":}", "{verbose:false}", "{'verbose':false}",
        "{\"verbose\":False}", "{\"verbose\":\"false\"}", "{\"verbose\":0}", "{\"verbose\":[]}", "{\"verbose\":{}}",
        "{\"verbose\":null}", "{\"verbose\":false}", "{\"VERBOSE\":false}", "{\"Verbose\":false}",
        "{\"verbose \":false}",
        "{\"ver\\u0062ose\":false}",
        "{\"no_responders\":false,\"headers\":false}", "{\"verbose\":true,\"verbose\":false}",
        "{\"verbose\":false,\"verbose\":null}", "{\"verbose\":false,\"VERBOSE\":true}",
        "{\"verbose\":true,\"Verbose\":false,\"verbose\":true}", "{\"protocol\":1}", "{\"protocol\":1.0}",
        "{\"protocol\":1e0}", "{\"protocol\":-0}", "{\"protocol\":01}", "{\"protocol\":+1}", "{\"protocol\":\"1\"}",
        "{\"protocol\":null}", "{\"protocol\":2}", "{\"protocol\":-1}", "{\"protocol\":9223372036854775807}",
        "{\"protocol\":9223372036854775808}", "{\"protocol\":1.5}", "{\"protocol\":true}", "{\"protocol\":.5}",
        "{\"name\":\"x\"}", "{\"name\":1}", "{\"name\":null}", "{\"name\":\"\\ud800\"}",
        "{\"name\":\"\\ud800\\u0041\"}",
        "{\"name\":\"\\ud83d\\ude00\"}", "{\"name\":\"\\u12\"}", "{\"name\":\"\\x\"}", "{\"name\":\"\t\"}",
        "{\"name\":\"\u{1}\"}", "{\"name\":\"\u{7f}\"}", "{\"name\":\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"}", "{\"name\":\"x}",
        "{\"headers\":true}", "{\"headers\":true,\"no_responders\":true}", "{\"no_responders\":true}",
        "{\"account\":\"\"}", "{\"account\":\"A\"}", "{\"account\":null}", "{\"new_account\":false}",
        "{\"new_account\":true}", "{\"echo\":false}", "{\"echo\":null}", "{\"pedantic\":false}",
        "{\"user\":\"u\",\"pass\":\"p\",\"auth_token\":\"t\"}", "{\"user\":[]}", "{\"pass\":1}", "{\"auth_token\":{}}",
        "{\"jwt\":1}", "{\"nkey\":1}", "{\"sig\":1}", "{\"lang\":1}", "{\"version\":1}", "{\"tls_required\":1}",
        "{\"tls_required\":true}", "{\"import\":1}", "{\"export\":1}", "{\"import\":{}}", "{\"import\":null}",
        "{\"import\":{\"allow\":[\"a\"]}}", "{\"import\":{\"allow\":1}}", "{\"export\":{\"deny\":[1]}}",
        "{\"remote_account\":1}", "{\"remote_account\":\"A\"}", "{\"is_acc_sys\":1}", "{\"proxy_sig\":1}",
        "{\"proxy_sig\":\"x\"}", "{\"unknown\":1}", "{\"unknown\":-1.5e+10}", "{\"unknown\":1e}", "{\"unknown\":-}",
        "{\"unknown\":00}", "{\"unknown\":nul}", "{\"unknown\":NaN}", "{\"unknown\":[1,2,[3,{\"a\":[]}]]}",
        "{\"unknown\":[1,]}", "{\"unknown\":[1 2]}", "{\"unknown\":{\"a\":1,\"a\":2}}", "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}", "{\"\":1}", "{1:2}", "{null:1}", "{\"a\":\"\u{e9}\"}", "\u{feff}{}", "{}\u{0}", "{}\u{b}",
        "{\"a\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}",
        "{\"a\":1e999}", "{\"a\":-0.0e-5}", "{\"a\":0123}", "{\"a\":1.}", "{\"a\":tru}", "{\"a\":true1}", "//x\n{}",
        "{}//x", "{\"verbose\":fa\u{0}lse}", "{\"verbose\" : false , \"pedantic\" :\tfalse}", "{\"nonce\":1}",
        "{\"nonce\":\"x\"}", "{\"client_id\":1}", "{\"kind\":1}", "{\"Username\":\"x\",\"verbose\":1}",
    ]

    /// One of the chosen texts with a few characters changed.
    static func mutated(using generator: inout SeededGenerator) -> String {
        var characters = Array(Self.chosen.randomElement(using: &generator) ?? "{}")
        let other = Array(Self.chosen.randomElement(using: &generator) ?? "{}")
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0...characters.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where index < characters.count: characters.remove(at: index)
            case 1:
                characters.insert(
                    generator.pick("{", "}", "[", "]", "\"", ",", ":", "\\", "0", "-", "e", " "),
                    at: index
                )
            case 2 where index < characters.count:
                characters[index] = generator.pick("{", "}", "\"", ",", ":", "1", "n", "t", "u", "\t")
            default: characters.insert(contentsOf: other.prefix(Int.random(in: 0...12, using: &generator)), at: index)
            }
        }
        return String(characters)
    }

    /// What is sent after CONNECT to see the options that hold now.
    static let probe =
        "SUB foo 1\r\nPUB foo 1\r\nx\r\nPUB a..b 0\r\n\r\nPUB nobody foo 1\r\nx\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\nPING\r\n"
}
