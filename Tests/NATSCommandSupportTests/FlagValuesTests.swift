import ArgumentParser
import NATSCommandSupport
import Testing

@Suite("Options read without the argument parser")
struct FlagValuesTests {
    /// Values for flags; of each the first is taken that the argument parser accepts.
    private static let values = ["2", "2s", "always", "newline", "rfc3339", "raw", "a:b", "x"]
    /// Flags without which others are refused.
    private static let companions = [[], ["--jetstream"], ["--report-subjects"]]

    private func expectSame<Options: ToolOptions>(
        _ type: Options.Type,
        _ flags: [CommandFlag],
        operands: [String]
    ) {
        let canonicalizer = ArgumentCanonicalizer(flags: flags)
        /// False if the argument parser refuses them.
        func compare(_ tokens: [String]) -> Bool {
            guard let canonical = try? canonicalizer.canonicalize(tokens + operands),
                let expected = try? Options.parse(canonical.arguments)
            else { return false }
            guard let options = Options.read(canonical) else {
                Issue.record("left to the argument parser: \(tokens)")
                return true
            }
            // Tells of a property that was not set, too.
            #expect(String(describing: options) == String(describing: expected), "\(tokens)")
            return true
        }
        for flag in flags where flag.isSupported && flag.kind != .builtIn && flag.kind != .builtInValue {
            for name in flag.names {
                let spelling = name.count == 1 ? "-\(name)" : "--\(name)"
                let forms =
                    flag.kind == .boolean
                    ? [[spelling]]
                    : Self.values.map { ["\(spelling)=\($0)"] }
                let isRead = Self.companions.contains { companion in
                    forms.contains { compare(companion + $0) }
                }
                #expect(isRead, "no value found for \(spelling)")
            }
        }
        #expect(compare([]))
        #expect(compare(["-H", "a:1", "-H", "b:2"]) || Options.self == SubscribeOptions.self)
    }

    @Test("each flag of nats-pub")
    func publish() {
        self.expectSame(PublishOptions.self, CommandFlag.publish, operands: ["a"])
        self.expectSame(PublishOptions.self, CommandFlag.publish, operands: ["a", "m"])
    }

    @Test("each flag of nats-sub")
    func subscribe() {
        self.expectSame(SubscribeOptions.self, CommandFlag.subscribe, operands: ["a", "b"])
    }

    @Test("each flag of nats-req")
    func request() {
        self.expectSame(RequestOptions.self, CommandFlag.request, operands: ["a", "m"])
    }

    @Test(
        "what is wrong, help and version are left to the argument parser",
        arguments: [
            ["--help"], ["a", "--version"], ["a", "b", "c"], ["--creds=", "a"], ["--count", "x", "a"], [],
            ["--count", "0", "a"], ["-J", "--reply", "r", "b", "c"],
        ]
    )
    func unread(arguments: [String]) throws {
        let canonical = try ArgumentCanonicalizer(flags: CommandFlag.publish).canonicalize(arguments)
        #expect(PublishOptions.read(canonical) == nil)
    }
}
