import ArgumentParser

/// How received messages are printed, in nats-sub and nats-req.
package struct OutputOptions: ParsableArguments {
    @Flag(name: [.long, .customShort("r")], help: "Payloads only; a line end is added where it is missing.")
    package var raw = false

    @Flag(name: [.long, .customShort("N")], help: "Payloads only, nothing added.")
    package var noNewline = false

    @Flag(name: [.customLong("print0"), .customShort("0")], help: "Payloads only, a NUL after each.")
    package var print0 = false

    package init() {}

    package mutating func validate() throws {
        let given = [self.raw, self.noNewline, self.print0].filter { $0 }.count
        // -r may be combined: it says "payloads only", the others say how they are told apart.
        guard given <= 1 || (given == 2 && self.raw) else {
            throw ValidationError("--no-newline and --print0 exclude each other")
        }
    }

    /// The format these flags ask for; nil is the text form of the tool.
    package var payloadFormat: MessageFormatter.PayloadFormat? {
        if self.print0 { return .nulTerminated }
        if self.noNewline { return .verbatim }
        return self.raw ? .lines : nil
    }
}
