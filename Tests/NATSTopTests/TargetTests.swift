import NATSTop
import Testing

@Suite("Addresses of monitoring ports")
struct TargetTests {
    @Test(
        "hosts, ports and URLs",
        arguments: [
            ("127.0.0.1", nil, nil, "http://127.0.0.1:8222/varz"),
            ("localhost", 8223, nil, "http://localhost:8223/varz"),
            ("localhost:80", nil, nil, "http://localhost:80/varz"),
            ("localhost", nil, 8443, "https://localhost:8443/varz"),
            ("localhost", 8222, 8443, "https://localhost:8443/varz"),
            ("localhost", nil, 0, "http://localhost:8222/varz"),
            ("::1", nil, nil, "http://[::1]:8222/varz"),
            ("[::1]", 1, nil, "http://[::1]:1/varz"),
            ("[2001:db8::1]:99", nil, nil, "http://[2001:db8::1]:99/varz"),
            ("http://host:8222", nil, nil, "http://host:8222/varz"),
            ("http://host", nil, nil, "http://host:80/varz"),
            ("HTTPS://host/", nil, nil, "https://host:443/varz"),
            ("https://host:1/nats/one/", nil, nil, "https://host:1/nats/one/varz"),
        ] as [(String, Int?, Int?, String)]
    )
    func good(server: String, port: Int?, securePort: Int?, url: String) throws {
        let target = try Target(server: server, port: port, securePort: securePort)
        #expect(target.url(of: .server) == url)
    }

    @Test(
        "what is refused, and why",
        arguments: [
            ("", nil, nil, "invalid server: "),
            ("a b", nil, nil, "invalid server: a b"),
            ("a\r\nb", nil, nil, "invalid server: a\u{FFFD}b"),
            ("[::1", nil, nil, "invalid server: [::1"),
            ("[]", nil, nil, "invalid server: []"),
            (":80", nil, nil, "invalid server: :80"),
            ("host:x", nil, nil, "invalid server: host:x"),
            ("host:+1", nil, nil, "invalid server: host:+1"),
            ("host?x", nil, nil, "invalid server: host?x"),
            ("a,b", nil, nil, "invalid server: a,b"),
            (
                "http://u:secret@h", nil, nil,
                "user and password in the address of a monitoring port are not supported yet"
            ),
            ("nats://h", nil, nil, "not the address of a monitoring port: nats://…"),
            ("h:1", 2, nil, "two different monitoring ports"),
            ("h", 0, nil, "invalid monitoring port"),
            ("h", 65_536, nil, "invalid monitoring port"),
            ("h:0", nil, nil, "invalid monitoring port"),
            ("http://h", nil, 1, "-ms is for https, and the server is http://h"),
        ] as [(String, Int?, Int?, String)]
    )
    func refused(server: String, port: Int?, securePort: Int?, text: String) {
        let error = #expect(throws: Target.Invalid.self) {
            try Target(server: server, port: port, securePort: securePort)
        }
        // CR LF is one character of two scalars.
        #expect(error?.description.replacing("\u{FFFD}\u{FFFD}", with: "\u{FFFD}") == text)
    }
}
