import Testing

@testable import NATSServices

@Suite struct ServiceRulesTests {
    @Test(
        "names are letters, digits, dashes and underscores",
        arguments: [
            ("a", true), ("Abc-1_2", true), ("", false), ("a b", false), ("a.b", false), ("a*", false), (">", false),
            ("ä", false), ("a\n", false), ("$a", false),
        ]
    )
    func names(name: String, isValid: Bool) {
        #expect(ServiceRules.isValidName(name) == isValid)
    }

    /// The examples of https://semver.org.
    @Test(
        "versions are those of semantic versioning",
        arguments: [
            ("0.0.4", true), ("1.2.3", true), ("10.20.30", true), ("1.1.2-prerelease+meta", true), ("1.1.2+meta", true),
            ("1.1.2+meta-valid", true), ("1.0.0-alpha.0valid", true), ("1.0.0-0A.is.legal", true),
            ("1.2.3----RC-SNAPSHOT.12.9.1--.12+788", true), ("1.0.0+0.build.1-rc.10000aaa-kk-0.1", true),
            ("99999999999999999999999.999999999999999999.99999999999999999", true), ("1.2.3-0", true),
            ("1", false), ("1.2", false), ("1.2.3.4", false), ("01.1.1", false), ("1.01.1", false), ("1.1.01", false),
            ("1.2.3-0123", false), ("1.2.3-0123.0123", false), ("1.1.2+.123", false), ("+invalid", false),
            ("-invalid", false), ("alpha", false), ("1.2.3-", false), ("1.2.3+", false), ("1.2.3-a..b", false),
            ("1.2.3-ä", false), ("v1.2.3", false), ("1.2.3+a+b", false), ("", false), ("1.2. 3", false),
            ("1..3", false),
        ]
    )
    func versions(version: String, isValid: Bool) {
        #expect(ServiceRules.isValidVersion(version) == isValid)
    }

    @Test("prefixes of groups may have the wildcard for one token only")
    func prefixes() {
        #expect(ServiceRules.isValidPrefix("a.*.b"))
        #expect(!ServiceRules.isValidPrefix("a.>"))
        #expect(!ServiceRules.isValidPrefix("a..b"))
        #expect(!ServiceRules.isValidPrefix("a b"))
    }

    @Test("an endpoint's queue group goes before its group's, and that before the service's")
    func queueGroups() {
        typealias Group = NATSServiceQueueGroup
        func name(_ service: Group, _ group: Group, _ endpoint: Group) -> String? {
            endpoint.resolved(in: group.resolved(in: service)).subscriptionName
        }
        #expect(name(.inherited, .inherited, .inherited) == "q")
        #expect(name("s", .inherited, .inherited) == "s")
        #expect(name("s", "g", .inherited) == "g")
        #expect(name("s", "g", "e") == "e")
        #expect(name("s", "g", .disabled) == nil)
        #expect(name("s", .disabled, .inherited) == nil)
        #expect(name("s", .disabled, "e") == "e")
        #expect(name(.disabled, .inherited, .inherited) == nil)
        #expect(name(.disabled, "g", .inherited) == "g")
    }

    @Test(
        "times are UTC with six digits of a second",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_164_800_000_001, "2024-02-29T00:00:00.000001Z"),
            (1_709_251_200_000_000, "2024-03-01T00:00:00.000000Z"),
            (1_767_225_599_500_000, "2025-12-31T23:59:59.500000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"), (-5, "1970-01-01T00:00:00.000000Z"),
        ]
    )
    func times(microseconds: Int64, text: String) {
        #expect(UTCTime.text(microsecondsSince1970: microseconds) == text)
    }
}
