import Testing

@testable import NATSClient

@Suite struct ServerAddressTests {
    @Test(
        "every form of a URL is understood",
        arguments: [
            ("nats://127.0.0.1:4222", "127.0.0.1", 4222, nil, nil), ("localhost", "localhost", 4222, nil, nil),
            (" nats://h:1/ ", "h", 1, nil, nil), ("h:77", "h", 77, nil, nil), ("NATS://h", "h", 4222, nil, nil),
            ("nats://[::1]", "::1", 4222, nil, nil), ("nats://[fe80::1]:9", "fe80::1", 9, nil, nil),
            ("nats://tok@h", "h", 4222, "tok", nil), ("nats://u:p@h:5", "h", 5, "u", "p"),
            ("nats://u%40x:p%3A%2F@h", "h", 4222, "u@x", "p:/"), ("u:@h", "h", 4222, "u", ""),
            ("nats://u:p@ss@h", "h", 4222, "u", "p@ss"),
        ] as [(String, String, Int, String?, String?)]
    )
    func forms(text: String, host: String, port: Int, user: String?, password: String?) throws {
        let address = try ServerAddress(parsing: text)
        #expect(address.host == host && address.port == port)
        #expect(address.user == user && address.password == password)
    }

    @Test(
        "what is no server URL is refused with a code and without its secrets",
        arguments: [
            ("", NATSError.Code.invalidConfiguration), ("nats://", .invalidConfiguration),
            ("nats://u:secret@", .invalidConfiguration), ("http://u:secret@h", .invalidConfiguration),
            ("nats://u:secret@h:0", .invalidConfiguration), ("nats://u:secret@h:65536", .invalidConfiguration),
            ("nats://h:x", .invalidConfiguration), ("nats://[::1", .invalidConfiguration),
            ("nats://[::1]x", .invalidConfiguration), ("nats://a b", .invalidConfiguration),
            ("nats://u%4:secret@h", .invalidConfiguration), ("nats://h/path", .invalidConfiguration),
            ("tls://u:secret@", .invalidConfiguration), ("ws://u:sec/secret@h", .invalidConfiguration),
            ("ws://u:secret@h/a b", .invalidConfiguration), ("ws://u:secret@h/a\r\nb", .invalidConfiguration),
            ("nats://u:secret@h\r\nx", .invalidConfiguration),
        ]
    )
    func malformed(text: String, code: NATSError.Code) {
        let error = #expect(throws: NATSError.self) { try ServerAddress(parsing: text) }
        #expect(error?.code == code)
        #expect(error?.description.contains("secret") == false)
    }

    @Test(
        "WebSocket URLs have ports of their own, and a path",
        arguments: [
            ("ws://h", 80, "", false), ("wss://h/", 443, "", true), ("WS://u:p@h:9/a/b?c=/d", 9, "/a/b?c=/d", false),
            ("wss://[::1]/x", 443, "/x", true), ("ws://h?q", 80, "?q", false),
        ]
    )
    func webSocket(text: String, port: Int, path: String, isSecure: Bool) throws {
        let address = try ServerAddress(parsing: text)
        #expect(address.isWebSocket && address.isSecure == isSecure && address.port == port && address.path == path)
        #expect(!address.url.contains("/x") && !address.url.contains("q"))
        // Without scheme it is of the kind of another.
        let bare = try ServerAddress(parsing: "b", like: address)
        #expect(bare.isWebSocket && bare.isSecure == isSecure && bare.port == (isSecure ? 443 : 80))
        let secure = try ServerAddress(parsing: "b", like: ServerAddress(parsing: "tls://h"))
        #expect(!secure.isWebSocket && secure.isSecure && secure.port == 4222)
        let plain = try ServerAddress(parsing: "nats://b", like: ServerAddress(parsing: "tls://h"))
        #expect(!plain.isSecure)
    }

    @Test("a URL says whether the connection is secured, and servers of its cluster are as secure")
    func secure() throws {
        let named = try ServerAddress(parsing: "TLS://u:p@Host.example:5")
        #expect(named.isSecure && named.host == "Host.example" && named.url == "tls://Host.example:5")
        #expect(try !ServerAddress(parsing: "nats://h").isSecure)
        var bare = try #require(ServerAddress(discovered: "10.0.0.1:4222"))
        bare.inheritSecurity(from: named)
        #expect(bare.isSecure && bare.tlsName == "Host.example")
        var next = try #require(ServerAddress(discovered: "[::1]:4222"))
        next.inheritSecurity(from: bare)
        #expect(next.tlsName == "Host.example")
        var other = try #require(ServerAddress(discovered: "other.example:4222"))
        other.inheritSecurity(from: named)
        #expect(other.isSecure && other.tlsName == nil)
        var plain = bare
        plain.tlsName = nil
        plain.inheritSecurity(from: try ServerAddress(parsing: "10.0.0.2"))
        #expect(!plain.isSecure && plain.tlsName == nil)
    }

    @Test("lists are split at commas, repeated servers are kept once, none means the default")
    func lists() throws {
        #expect(try ServerAddress.parseList(["a:1, b", "a:1"]).map(\.hostAndPort) == ["a:1", "b:4222"])
        // Servers behind one gateway.
        #expect(
            try ServerAddress.parseList(["wss://a/1", "wss://a/2,wss://a/1", "wss://a"]).map(\.path) == [
                "/1", "/2", "",
            ]
        )
        #expect(try ServerAddress.parseList([]).map(\.hostAndPort) == ["127.0.0.1:4222"])
        #expect(try ServerAddress.parseList([" , "]).map(\.hostAndPort) == ["127.0.0.1:4222"])
    }

    @Test("no description of a configuration shows what is secret in a URL")
    func descriptions() throws {
        let url = "nats://user:SECRET@a:1,tls://TOKEN@b"
        let configuration = NATSClientConfiguration(servers: [url, "nats://u:SECRET@:x", "c:3"])
        let choice = NATSClientConfiguration.ServerChoice(url: "nats://user:SECRET@a:1")
        let address = try ServerAddress(parsing: "nats://user:SECRET@a:1")
        let answer = CredentialsAnswer(user: "user", password: "SECRET", authToken: "TOKEN")
        for value in [configuration, choice, address, answer] as [Any] {
            var text = "\(value) \(String(reflecting: value)) \(Optional(value) as Any)"
            dump(value, to: &text)
            #expect(!text.contains("SECRET") && !text.contains("TOKEN"), "\(text)")
        }
        #expect("\(configuration)".contains("nats://a:1,tls://b:4222") && "\(configuration)".contains("c:3"))
        // One for each value of which the owner may know.
        let children = Mirror(reflecting: configuration).children
        #expect(children.count == 38 && Set(children.compactMap(\.label)).count == 38)
    }
}
