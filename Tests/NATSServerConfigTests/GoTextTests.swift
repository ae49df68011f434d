import NATSServerConfig
import Testing

@Suite struct GoTextTests {
    @Test("the digest of a known configuration is of these bytes") func canonicalBytes() throws {
        let text = "port: 22001\nz: \"<a>&\"\nA: [1k, 1.50, yes, 2016-05-04T18:53:41Z]\nhost: $z\nserver_tags: $A"
        let bytes = try ConfigurationText.load(text).canonicalBytes
        let list = "[1000,1.5,true,\"2016-05-04T18:53:41Z\"]"
        let quoted = "\"\\u003ca\\u003e\\u0026\""
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "{\"A\":\(list),\"host\":\(quoted),\"port\":22001,\"server_tags\":\(list),\"z\":\(quoted)}\n"
        )
    }

    @Test("a URL is taken apart, and its password is never part of what identifies it in messages") func urls() throws {
        let options = try ConfigurationText.options(
            "cluster { routes = [ \"nats-route://ruser:top%20secret@192.168.0.1:7246/x\", \"nats://[::1]:4222\" ] }"
        )
        let routes = try #require(options.cluster?.routes)
        #expect(routes[0].scheme == "nats-route")
        #expect(routes[0].user == "ruser")
        #expect(routes[0].password == "top secret")
        #expect(routes[0].host == "192.168.0.1")
        #expect(routes[0].port == 7246)
        #expect(routes[1].host == "::1")
        let remotes = "{ url: \"nats://u:secret@a:1\" }"
        let loaded = try ConfigurationText.load("leafnodes { remotes: [ \(remotes), \(remotes) ] }")
        #expect(!loaded.report.contains("secret"))
    }

    @Test(
        "durations that add up to more than there is are refused",
        arguments: [
            "9223372036854775808ns9223372036854775808ns", "2562047h2562047h", "9223372036854775807ns1ns",
        ]
    )
    func longDurations(text: String) throws {
        #expect(try ConfigurationText.load("ping_interval: \"\(text)\"").report.contains("invalid duration"))
    }

    @Test("syntax errors carry the official text and the place") func syntaxError() {
        do {
            _ = try ConfigurationText.load("port: 1\nhost: a b")
            Issue.record("no error")
        } catch let error as ConfigurationSyntaxError {
            #expect(
                error.description
                    == "Parse error on line 2: 'Expected a top-level value to end with a new line, comment "
                    + "or EOF, but got 'b' instead.'"
            )
            #expect(error.position?.line == 2)
        } catch {
            Issue.record("another error: \(error)")
        }
    }
}
