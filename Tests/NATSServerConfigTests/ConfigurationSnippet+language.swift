extension ConfigurationSnippet {
    private static func line(_ text: String, _ comparison: Comparison = .lines) -> ConfigurationSnippet {
        ConfigurationSnippet(name: text, text: text, comparison: comparison)
    }

    /// Grammar, scalars, strings, variables.
    static let language: [ConfigurationSnippet] = [
        // Separators.
        "port: 22001", "port = 22001", "port 22001", "port\n22001", "port\n\n\t 22001\n", "port : 22001",
        "port\t=\t22001",
        "port:\n22001", "port=\n22001", "port: 22001; host: a", "port: 22001, host: a", "port: 22001 host: a",
        "port: 22001;;", "port: 22001,\nhost: a,\n", ": 22001", "= 22001", "port : = 22001", "port:: 22001",
        "\"port\": 22001", "'port': 22001", "\"port\" 22001", "\"po\\trt\": 1", "\"port", "'port", "port", "port\n",
        "port:",
        "port =", "host =", "host = \"\"", "host = ''", "  port: 22001  ", "\t\r\nport: 22001\r\nhost: a\r\n",
        "Port: 22001",
        "PORT: 22001", "Port: 22001\nport: 22001", "port: 1\nport: 2", "\u{FEFF}port: 1", "port: 22001\u{00A0}",
        "\u{00A0}port: 22001", "host: größe", "größe: 1", "пользователь: 1",
        // Comments.
        "# comment", "// comment", "port: 22001 # comment", "port: 22001 // comment", "port: 22001# comment",
        "port: 22001// comment", "host: a#b", "host: a//b", "host: a #b", "# one\n// two\nport: 22001\n# three",
        "/ comment",
        "/* comment */", "port: 22001 / host", "port /*x*/ 22001", "#", "//", "/", "port: # 22001", "port # 22001",
        // JSON and stray braces.
        "{\"port\": 22001}", "{ port: 22001 }", "{\n\"port\": 22001,\n\"host\": \"a\"\n}\n", "{\"port\": 22001",
        "{ port: 1 } x: 2",
        "{}", "{", "}", "port: 22001\n}", "port: 22001}", "port: 22001 }\nhost: a", "{ port: 1\n # c\n}",
        "{ # c\n port: 1 }",
        "{{ port: 1 }}", "{{", "{ // c\n port: 1 } // d", "{ port: 1 }, ", "{ port: 1;host: a }", "{ /x }",
        "{\"a\":{\"b\":1}}",
        "[1,2]", "{ port: 1 / }", "{ port: 1 ] }", "{ { port: 1 } ; host: a }", "{ { port: 1 } x }",
        // Maps.
        "cluster { name: c }", "cluster: { name: c }", "cluster = { name: c }", "cluster\n{\nname: c\n}",
        "cluster{ name: c }",
        "cluster {name: c, port: 22001}", "cluster {name: c; port: 22001}", "cluster {name: c\nport: 22001}",
        "cluster {name: c port: 22001}", "cluster {name: c,, port: 22001}", "cluster {name: c,\n}", "cluster {}",
        "cluster { }",
        "cluster {", "cluster { name", "cluster { name:", "cluster { name: c", "cluster { \"name\": c }",
        "cluster { 'name': c }",
        "cluster { \"name", "cluster { 'name", "cluster { = c }", "cluster { : c }", "cluster { ] }",
        "cluster { name:\nc }",
        "cluster { name: , }", "cluster { name: }", "cluster { name }", "cluster { # c\n name: c # d\n // e\n }",
        "cluster { name: c / }", "cluster { /name: c }", "cluster { name: c } port: 1", "cluster { name: c }; port: 1",
        "cluster { tls { timeout: 1 } name: c }", "cluster { tls { timeout: 1 }, name: c }", "cluster { name: c }}",
        "cluster { name: c ] }", "cluster { name/x: c }", "x {\n a: 1\n /b: 2\n}\nport: $x", "cluster { port: 1}",
        // Arrays.
        "server_tags: [a, b]", "server_tags [a, b]", "server_tags: [a\nb\n]", "server_tags: [a, b,]",
        "server_tags: [a,\n\nb]",
        "server_tags: [a b]", "server_tags: [,a]", "server_tags: [a,,b]", "server_tags: [", "server_tags: [a",
        "server_tags: []",
        "server_tags: [\n# c\na # d\n// e\n, b]", "server_tags: [/a]", "server_tags: [a /, b]",
        "server_tags: ['a', \"b\"]",
        "server_tags: [a] port: 1", "server_tags: [a]]", "server_tags: [1, 2 ]", "server_tags: [a;b]",
        "server_tags: [[a],[b]]",
        "server_tags: [{a: b}]", "x: [1 , 2 ]\nport: $x", "server_tags: [\"a", "server_tags: [\"", "server_tags: [a}",
        // Booleans.
        "debug: true", "debug: yes", "debug: on", "debug: TRUE", "debug: Yes", "debug: false", "debug: no",
        "debug: off",
        "debug: \"true\"", "debug: 1", "debug: truee", "debug: t", "debug: tr\\x75e",
        // Integers and sizes.
        "port: 0", "port: -1", "port: +1", "port: 007", "port: 9223372036854775807", "port: 9223372036854775808",
        "port: -9223372036854775808", "port: -9223372036854775809", "port: -", "port: --1", "port: -a", "port: 1-",
        "port: 12-3",
        "max_pending: 1k", "max_pending: 1K", "max_pending: 1kb", "max_pending: 1KB", "max_pending: 1ki",
        "max_pending: 1KiB",
        "max_pending: 1m", "max_pending: 1mb", "max_pending: 1mib", "max_pending: 1g", "max_pending: 1gb",
        "max_pending: 1Gi",
        "max_pending: 1t", "max_pending: 1tb", "max_pending: 1p", "max_pending: 1pb", "max_pending: 1e",
        "max_pending: 1eb",
        "max_pending: 9e", "max_pending: 99e", "max_pending: 1 k", "max_pending: 1x", "max_pending: 1k5",
        "max_pending: 1kx",
        "max_pending: -1k", "max_pending: 1m}", "host: 1k_", "host: 3foo", "host: 0x10", "host: 12:30", "host: 1'",
        "host: 1k'x",
        "host: 1\\x41", "port: ٣", "port: 1٣", "host: 1]",
        // Floats.
        "authorization { timeout: 1.5 }", "authorization { timeout: 0.0001 }",
        "authorization { timeout: 12345678901234567890.5 }",
        "authorization { timeout: 1.50 }", "authorization { timeout: -1.5 }", "authorization { timeout: .5 }",
        "authorization { timeout: -.5 }", "authorization { timeout: 5. }", "authorization { timeout: 1.5e3 }",
        "authorization { timeout: 1.5x }", "authorization { timeout: 0.00000012 }",
        "authorization { timeout: 1234567.875 }",
        "x: 100000000000000000000000.5\nport: $x", "x: 0.0000000000123\nport: $x", "x: 3.0\nport: $x",
        "x: 0.1\nport: $x",
        "port: 1.5",
        // Dates.
        "x: 2016-05-04T18:53:41Z\nport: $x", "x: 2016-05-04T18:53:41\nport: $x", "x: 2016-05-04\nport: $x",
        "x: 2016-13-04T18:53:41Z\nport: $x", "x: 2016-02-30T18:53:41Z\nport: $x", "x: 2016-02-29T18:53:41Z\nport: $x",
        "x: 2016-05-04 18:53:41Z\nport: $x", "x: 201-05-04T18:53:41Z\nport: $x", "x: 20160-05-04T18:53:41Z\nport: $x",
        "x: 2016-0a-04T18:53:41Z\nport: $x", "x: 2016-05-04T25:53:41Z\nport: $x", "x: 2016-05-04T18:53:41Zx\nport: $x",
        // Addresses.
        "host: 127.0.0.1", "listen: 127.0.0.1:4222", "listen: \"[::1]:4222\"", "listen: [::1]:4222",
        "host: 1.2.3.4-5:6",
        "host: 1.2.x", "host: 1.2.3x", "host: 1.2..", "listen: 0.0.0.0:-1", "listen: localhost:4222", "listen: :4222",
        "listen: 4222", "listen: -1", "listen: \"4222\"", "listen: \"a:b\"", "listen: \"a:b:1\"", "listen: \"[a:1\"",
        "listen: true",
        // Strings.
        "host: \"a b\"", "host: \"a\\tb\\nc\\rd\\\"e\\\\f\\x41\"", "host: \"a\\qb\"", "host: \"a\\x4\"",
        "host: \"\\x\n\"", "host: \"\\xg0\"",
        "host: \"\\xff\"", "host: \"\\xff\\xfe\\xe2\\x82x\\xed\\xa0\\x80\"", "host: \"\\xf0\\x90\\x80\"",
        "\"\\xff\": 1", "host: \"\\xc3\\xa9\"", "host: \"a", "host: \"", "host: \"a\nb\"", "host: 'a\\tb'",
        "host: 'a", "host: '", "host: 'a\nb'",
        "host: a\\tb", "host: a\\x41", "host: a\\qb", "host: a\\", "host: it's", "host: a'", "host: a\"b", "host: a=b",
        "host: a:b:c",
        "host: a{b", "host: a}b", "host: a[b", "host: a]b", "host: a,b", "host: a;b", "host: (a", "host: (\na\n)\n",
        "host: (a\n)\n",
        "host: (\na\n)", "host: (\na)\n)\n", "host: (\n) a\n)\n", "host: (\n a\n", "host: (\n)\nport: 22001",
        "host: (é\n)\nport: x",
        "host: <a>&\u{2028}\u{2029}", "host: \"\\x01\\x08\\x0c\\x1f\\x7f\"", "store_dir: ./data",
        "store_dir: \"./data\"", "host: *", "host: a\u{0}b",
        "\u{0}", "host: \u{FFFD}", "host: \u{1F600}", "host: \"a\" b", "host: \"a\"b", "host: 'a'b",
        // Durations.
        "ping_interval: \"2m\"", "ping_interval: 2m", "ping_interval: 30s", "ping_interval: 1m30s", "ping_interval: 1h",
        "ping_interval: 10ms", "ping_interval: 1.5h", "ping_interval: \"1.5h\"", "ping_interval: \"1h30m\"",
        "ping_interval: 120",
        "ping_interval: \"2\"", "ping_interval: \"\"", "ping_interval: \"-1s\"", "ping_interval: \"1x\"",
        "ping_interval: \"1µs\"", "ping_interval: \"1µ\"", "ping_interval: \"\\n1\"", "ping_interval: \"\\\"\\\\\"",
        "ping_interval: \"1.s\"", "ping_interval: \".s\"", "ping_interval: \"9999999h\"", "ping_interval: \"0\"",
        "ping_interval: \"s\"",
        "ping_interval: true", "ping_interval: 1.5", "write_deadline:2s", "write_deadline: 2",
        // Variables.
        "x: 22001\nport: $x", "port: $x\nx: 22001", "x: 22001\nport = $x", "port: $SNIPPET_PORT",
        "port: $SNIPPET_NOWHERE",
        "port: \"$SNIPPET_PORT\"", "host: a$SNIPPET_PORT", "host: $SNIPPET_TEXT", "host: $SNIPPET_BARE",
        "debug: $SNIPPET_FLAG",
        "server_tags: $SNIPPET_LIST", "host: $SNIPPET_EMPTY", "port: $SNIPPET_OTHER", "port: $SNIPPET_SELF",
        "port: $SNIPPET_ROUND",
        "port: $SNIPPET_LOST", "max_pending: $SNIPPET_SIZE", "x: $SNIPPET_MAP\nport: $x", "port: $SNIPPET_BLOCK",
        "port: $", "host: $$",
        "X: 1\nport: $x", "x: 22001", "x: [a,b]\nserver_tags: $x", "server_tags: [$SNIPPET_PORT, a]",
        "cluster { x: 22001\n port: $x }", "cluster { x: 22001 }\nport: $x", "x: 22001\ncluster { port: $x }",
        "x: 1\ncluster { x: 22001\n port: $x }", "x { y: 1 }\ncluster $x", "x { port: 22001 }\ncluster $x",
        "x: 1\ny: $x\nport: $y",
        "x: 1\nx: 2\nport: $x", "cluster { x: 1 }", "x: 22001 # y\nport: $x // z",
        "TOKEN: \"abc\"\nauthorization { token: $TOKEN }",
        "x: $SNIPPET_PORT\nport: $x", "x: $2a$11$abc\nhost: $x",
        "authorization { user: a, password: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG }",
        "authorization { user: a, password: $2b$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG }",
        "authorization { user: a, password: \"$2b$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG\" }",
        // Files that say nothing, and many findings at once.
        "", " \n\t\n", "foo: 1", "foo: 1\nbar: 2\n  baz: 3", "foo: 1\nping_interval: 3\nport: x\nwrite_deadline: 4",
        "\nfoo: 1", "\n\n  foo: 1\r\nbar: 2",
        "system_account: 5\nfoo: 1",
    ].map { Self.line($0) }

    /// Files in files.
    ///
    /// The main file is in the directory of the others.
    static let includes: [ConfigurationSnippet] = [
        ConfigurationSnippet(name: "bare", text: "include DIR/a.conf\n", files: ["a.conf": "port: 22001\n"]),
        ConfigurationSnippet(name: "quoted", text: "include 'DIR/a.conf'\n", files: ["a.conf": "port: 22001\n"]),
        ConfigurationSnippet(
            name: "double quoted",
            text: "include \"DIR/a.conf\"\n",
            files: ["a.conf": "port: 22001\n"]
        ),
        ConfigurationSnippet(name: "any case", text: "INCLUDE DIR/a.conf", files: ["a.conf": "port: 22001\n"]),
        ConfigurationSnippet(name: "semicolon", text: "include DIR/a.conf; host: a", files: ["a.conf": "port: 22001"]),
        ConfigurationSnippet(
            name: "comment",
            text: "include DIR/a.conf # c\nhost: a",
            files: ["a.conf": "port: 22001"]
        ),
        ConfigurationSnippet(name: "colon", text: "include: DIR/a.conf\n", files: ["a.conf": "port: 22001"]),
        ConfigurationSnippet(name: "equals", text: "include = DIR/a.conf\n", files: ["a.conf": "port: 22001"]),
        ConfigurationSnippet(
            name: "override",
            text: "port: 1\ninclude DIR/a.conf\nhost: b",
            files: ["a.conf": "port: 2\nhost: a"]
        ),
        ConfigurationSnippet(
            name: "in a map",
            text: "cluster { include DIR/a.conf\n name: c }",
            files: ["a.conf": "port: 2"]
        ),
        ConfigurationSnippet(
            name: "at a map's end",
            text: "cluster { include DIR/a.conf}",
            files: ["a.conf": "port: 2"]
        ),
        ConfigurationSnippet(
            name: "nested",
            text: "include DIR/sub/a.conf",
            files: ["sub/a.conf": "include b.conf\nport: 2", "sub/b.conf": "host: b\nfoo: 1"]
        ),
        ConfigurationSnippet(name: "unknown field", text: "include DIR/a.conf", files: ["a.conf": "\n  foo: 1"]),
        ConfigurationSnippet(
            name: "variable of the includer",
            text: "x: 1\ninclude DIR/a.conf",
            files: ["a.conf": "port: $x"]
        ),
        ConfigurationSnippet(
            name: "variable of the included",
            text: "include DIR/a.conf\nport: $x",
            files: ["a.conf": "x: 1"]
        ),
        ConfigurationSnippet(name: "environment", text: "include DIR/a.conf", files: ["a.conf": "port: $SNIPPET_PORT"]),
        ConfigurationSnippet(name: "syntax error", text: "include DIR/a.conf", files: ["a.conf": "port: 1\nhost: a b"]),
        ConfigurationSnippet(name: "missing", text: "include DIR/nope.conf"),
        ConfigurationSnippet(name: "absolute", text: "include /nope.conf"),
        ConfigurationSnippet(name: "dots", text: "include ./DIR/../DIR/./a.conf", files: ["a.conf": "foo: 1"]),
        ConfigurationSnippet(name: "empty", text: "include DIR/a.conf", files: ["a.conf": ""]),
        ConfigurationSnippet(name: "map", text: "include {a: 1}"),
        ConfigurationSnippet(name: "array", text: "include [a]"),
        ConfigurationSnippet(name: "number", text: "include 5"),
        ConfigurationSnippet(name: "block", text: "include (a"),
        ConfigurationSnippet(name: "escape", text: "include \\a"),
        ConfigurationSnippet(name: "line break", text: "include \nDIR/a.conf"),
        ConfigurationSnippet(name: "open quote", text: "include \"a"),
        ConfigurationSnippet(name: "open single quote", text: "include 'a"),
        ConfigurationSnippet(name: "nothing", text: "include "),
        ConfigurationSnippet(name: "quote at the end", text: "include DIR/a.conf'", files: ["a.conf": "port: 1"]),
        ConfigurationSnippet(name: "directory", text: "include DIR"),
    ].map { snippet in
        ConfigurationSnippet(name: "include: \(snippet.name)", text: snippet.text, files: snippet.files)
    }
}
