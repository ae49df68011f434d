import Testing

@testable import NATSServerCore

@Suite struct AddressTests {
    @Test(
        "addresses are taken apart as Go does it",
        arguments: [
            ("h:1", "h", "1"), (":1", "", "1"), ("h:", "h", ""), ("[::1]:1", "::1", "1"), ("[]:x", "", "x"),
        ]
    )
    func split(text: String, host: String, port: String) throws {
        let parts = try HostPort.split(text)
        #expect(parts.host == host && parts.port == port)
    }

    @Test(
        "what is no address is refused in Go's words",
        arguments: [
            ("", "missing port in address"), ("h", "address h: missing port in address"),
            ("a:b:c", "address a:b:c: too many colons in address"), ("[::1]", "address [::1]: missing port in address"),
            ("[::1:1", "address [::1:1: missing ']' in address"),
            ("[::1]x:1", "address [::1]x:1: missing port in address"),
        ]
    )
    func refused(text: String, error: String) {
        #expect(throws: HostPort.Failure(description: error)) { try HostPort.split(text) }
    }

    @Test(
        "an advertised address may lack its port",
        arguments: [
            ("h", "h", 4222), ("h:1", "h", 1), ("h:0", "h", 4222), ("h:-1", "h", 4222), (" h : 7 ", "h", 7),
            ("[::1]:5", "::1", 5), (":77", "", 77),
        ]
    )
    func advertised(text: String, host: String, port: Int) throws {
        #expect(try AdvertisedAddress(text, defaultPort: 4222) == AdvertisedAddress(host: host, port: port))
    }

    @Test("an advertised port that is no number is refused in Go's words")
    func wrongPort() {
        #expect(throws: HostPort.Failure(description: #"strconv.Atoi: parsing "b": invalid syntax"#)) {
            try AdvertisedAddress("a:b", defaultPort: 4222)
        }
        #expect(throws: HostPort.Failure(description: "address a:b:c: too many colons in address")) {
            try AdvertisedAddress("a:b:c", defaultPort: 4222)
        }
    }
}
