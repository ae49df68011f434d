import NATSAuth
import Testing

@Suite("Templates of scoped users")
struct UserTemplateTests {
    private func template(name: String = "joe", tags: [String] = [], accountTags: [String] = []) -> UserTemplate {
        var user = UserClaims(subject: "USUB", name: name)
        user.issuerAccount = "AACC"
        user.tags = tags
        return UserTemplate(user: user, accountName: "acme", accountTags: accountTags)
    }

    private func allowed(_ subjects: [String], _ template: UserTemplate) throws(UserTemplate.Failure) -> [String] {
        var limits = UserLimits()
        limits.permissions.publish.allow = subjects
        return try template.filled(limits).permissions.publish.allow
    }

    @Test(
        "every operation",
        arguments: [
            ("a.{{name()}}", "a.joe"), ("a.{{ subject() }}", "a.USUB"), ("{{account-name()}}.a", "acme.a"),
            ("{{Account-Subject()}}", "AACC"), ("{{NAME()}}.{{name()}}", "joe.joe"), ("a.{{tag(dept)}}", "a.sales"),
            ("a.{{account-tag(Region)}}", "a.eu"), ("{a}.{{name()}}", "{a}.joe"), ("{{{{name()}}", nil),
        ] as [(String, String?)]
    )
    func operations(subject: String, filled: String?) throws {
        let template = self.template(tags: ["dept:sales", "other"], accountTags: ["region:eu"])
        if let filled {
            #expect(try self.allowed([subject], template) == [filled])
        } else {
            #expect(throws: UserTemplate.Failure.self) { try self.allowed([subject], template) }
        }
    }

    @Test("tags with several values make several subjects, the last one changing fastest")
    func products() throws {
        let template = self.template(tags: ["a:1", "a:2", "b:x", "b:y"])
        #expect(
            try self.allowed(["{{tag(a)}}.{{tag(b)}}.{{name()}}", "plain"], template)
                == ["1.x.joe", "1.y.joe", "2.x.joe", "2.y.joe", "plain"]
        )
        // The first of two equal templates fills both; nothing is left for the second.
        #expect(try self.allowed(["{{tag(a)}}.{{tag(a)}}"], template) == ["1.1", "1.1", "2.2", "2.2"])
    }

    @Test("what is no subject afterwards is not allowed, and must not be denied")
    func invalid() throws {
        var limits = UserLimits()
        limits.permissions.publish.allow = ["a.{{tag(x)}}", "b.{{name()}}"]
        limits.permissions.subscribe.allow = ["{{tag(x)}}"]
        let filled = try self.template(name: "a b").filled(limits)
        #expect(filled.permissions.publish == ClaimPermissions.List(allow: [], deny: [">"]))
        #expect(filled.permissions.subscribe == ClaimPermissions.List(allow: [], deny: [">"]))

        limits = UserLimits()
        limits.permissions.publish.deny = ["a.{{tag(x)}}"]
        #expect(
            throws: UserTemplate.Failure(
                description: "generated invalid subject \"a.{{tag(x)}}\": \"x\" is not defined"
            )
        ) { try self.template().filled(limits) }
        limits.permissions.publish.deny = ["a.{{name()}}"]
        #expect(throws: UserTemplate.Failure(description: "generated invalid subject")) {
            try self.template(name: "a..b").filled(limits)
        }
        #expect(
            throws: UserTemplate.Failure(description: "template operation in \"{{no()}}\": \"no()\" is not defined")
        ) { try self.allowed(["{{no()}}"], self.template()) }
        // Without any template nothing is looked at, so that queue groups stay.
        #expect(
            try self.allowed(["a q", "{{}}", "{{name()", "a..b"], self.template()) == [
                "a q", "{{}}", "{{name()", "a..b",
            ]
        )
        #expect(try self.allowed(["a q", "{{name()}}"], self.template()) == ["joe"])
    }

    @Test("neither tags nor names make more than is bearable")
    func bounds() throws {
        let limit = UserTemplate.Failure(description: "template expansion exceeds limit: 4096")
        let tags = (0..<64).map { "a:\($0)" }
        #expect(try self.allowed(["{{tag(a)}}.{{tag(a)}}"], self.template(tags: tags)).count == 4096)
        #expect(throws: limit) { try self.allowed(["x.{{tag(a)}}.{{tag(a)}}.{{tag(a)}}"], self.template(tags: tags)) }
        #expect(throws: limit) {
            try self.allowed(["{{tag(a)}}.{{tag(a)}}", "{{tag(a)}}"], self.template(tags: tags))
        }
        let doubling = self.template(name: "{{name()}}{{name()}}")
        let many = String(repeating: "{{name()}}", count: 60)
        #expect(throws: limit) { try self.allowed([many], doubling) }
        let wide = String(repeating: "{{name()}}.", count: 20_000)
        #expect(throws: limit) { try self.allowed([wide], self.template()) }
        // The first two of many braces begin a template; what is inside is no operation.
        let braces = String(repeating: "{", count: 50_000) + String(repeating: "}", count: 50_000)
        #expect(throws: UserTemplate.Failure.self) { try self.allowed([braces], doubling) }
    }
}
