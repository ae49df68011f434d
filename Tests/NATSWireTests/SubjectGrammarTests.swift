import NATSWire
import Testing

@Suite("Subject grammar")
struct SubjectGrammarTests {
    @Test(
        "a publish subject has tokens, no wildcard and no white space",
        arguments: [
            ("foo", true), ("foo.bar", true), ("a.b*c.>d", true), ("$SYS.x", true), ("é.ü", true),
            ("", false), (".", false), (".foo", false), ("foo.", false), ("foo..bar", false), ("*", false),
            ("foo.*", false),
            (">", false), ("foo.>", false), ("a b", false), ("a\tb", false), ("a\r", false), ("a\n", false),
        ]
    )
    func publishSubjects(subject: String, isValid: Bool) {
        #expect(Array(subject.utf8).withUnsafeBytes { SubjectGrammar.isValidPublishSubject($0) } == isValid)
    }

    @Test(
        "a subscription may use whole-token wildcards, the rest wildcard last",
        arguments: [
            ("foo", true), ("*", true), (">", true), ("foo.*", true), ("*.foo.>", true), ("a*", true), (">a", true),
            ("", false), (">.foo", false), ("foo.>.bar", false), ("foo..>", false), ("foo bar", false), ("foo.", false),
        ]
    )
    func subscriptions(subject: String, isValid: Bool) {
        #expect(Array(subject.utf8).withUnsafeBytes { SubjectGrammar.isValidSubscription($0) } == isValid)
    }

    @Test(
        "matching follows the tokens",
        arguments: [
            ("foo", "foo", true), ("foo.bar", "foo.*", true), ("foo.bar", "foo.>", true), ("foo.bar", ">", true),
            ("foo.bar.baz", "foo.*", false), ("foo", "foo.>", false), ("foo", "foo.*", false), ("foo.bar", "*.*", true),
            ("foo.bar", "*", false), ("foo.*", "foo.*", true), ("foo.*", "foo.>", true), ("foo.*", "foo.bar", false),
            ("foo.bar", "foo.b*r", false), ("foo.b*r", "foo.b*r", true), ("foo..bar", "foo.*.bar", false),
            ("foo..bar", ">", false), ("foo.", ">", false), (".foo", ">", false), ("foo.bar.", "foo.>", false),
            ("", ">", false),
        ]
    )
    func matching(subject: String, pattern: String, matches: Bool) {
        let result = Array(subject.utf8).withUnsafeBytes { subject in
            Array(pattern.utf8).withUnsafeBytes { SubjectGrammar.matches(subject: subject, pattern: $0) }
        }
        #expect(result == matches)
    }
}
