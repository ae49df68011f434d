package import ArgumentParser

/// How received messages are printed, in nats-sub and nats-req.
package struct OutputOptions: ParsableArguments {
    @Flag(name: [.long, .customShort("r")], help: "Payloads only; a line end is added where it is missing.")
    package var raw = false

    @Flag(name: [.long, .customShort("N")], help: "Payloads only, nothing added.")
    package var noNewline = false

    @Flag(name: [.customLong("print0"), .customShort("0")], help: "Payloads only, a NUL after each.")
    package var print0 = false

    @Option(
        name: [.long, .customShort("F")],
        help: ArgumentHelp(
            """
            Print %s payload, %S its size, %t subject, %r reply subject, %h headers, %n number, %T milliseconds since \
            1970, %I time (RFC 3339), %q queue group, %b base64, %x hexadecimal, %R size as 4 bytes, %%; \
            escapes \\n \\t \\r \\0 \\e \\xNN. Nothing is added.
            """,
            valueName: "format"
        )
    )
    package var format: String?

    package init() {}

    package mutating func validate() throws {
        let given = [self.raw, self.noNewline, self.print0].filter { $0 }.count
        guard self.format == nil || given == 0 else {
            throw ValidationError("--format excludes --raw, --no-newline and --print0")
        }
        // -r may be combined: it says "payloads only", the others say how they are told apart.
        guard given <= 1 || (given == 2 && self.raw) else {
            throw ValidationError("--no-newline and --print0 exclude each other")
        }
    }

    /// The format these flags ask for; nil is the text form of the tool.
    ///
    /// - Returns: The format.
    /// - Throws: `UsageError` for a format that cannot be read.
    package func messageFormat() throws(UsageError) -> MessageFormatter.Format? {
        if let format = self.format { return .template(try MessageTemplate(parsing: format)) }
        if self.print0 { return .payload(.nulTerminated) }
        if self.noNewline { return .payload(.verbatim) }
        return self.raw ? .payload(.lines) : nil
    }
}
