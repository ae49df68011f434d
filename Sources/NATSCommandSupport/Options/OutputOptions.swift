package import ArgumentParser

/// How received messages are printed, in nats-sub and nats-req.
package struct OutputOptions: ParsableArguments {
    /// The values of `--output`.
    package enum Form: String, Sendable, CaseIterable, ExpressibleByArgument {
        case text
        case nats
        case raw
        case json
        case null
    }

    @Option(
        help: ArgumentHelp(
            "text: lines of the Go examples; nats: the form of the nats command; raw, json: as the flags; null: as --print0.",
            valueName: "text|nats|raw|json|null"
        )
    )
    package var output: Form?

    @Flag(name: [.long, .customShort("r")], help: "Payloads only; a line end is added where it is missing.")
    package var raw = false

    @Flag(name: [.long, .customShort("N")], help: "Payloads only, nothing added.")
    package var noNewline = false

    @Flag(name: [.customLong("print0"), .customShort("0")], help: "Payloads only, a NUL after each.")
    package var print0 = false

    @Option(
        name: [.long, .customShort("D")],
        help: ArgumentHelp("Payloads only, this after each; escapes as in --format.", valueName: "text")
    )
    package var delimiter: String?

    @Flag(help: "One JSON object per line: subject, reply, headers, status, data or data_base64, time, seq.")
    package var json = false

    @Flag(help: "As --json; a payload that is JSON is part of the object, as payload.")
    package var jsonPayload = false

    @Option(
        name: [.long, .customShort("F")],
        help: ArgumentHelp(
            """
            Print %s payload, %S its size, %t subject, %r reply subject, %h headers, %n number, %T milliseconds since \
            1970, %I time (RFC 3339), %L time that the reply took (nats-req), %q queue group, %b base64, \
            %x hexadecimal, %R size as 4 bytes, %%; escapes \\n \\t \\r \\0 \\e \\xNN. Nothing is added.
            """,
            valueName: "format"
        )
    )
    package var format: String?

    package init() {}

    package init(_ values: inout FlagValues) throws {
        self.output = try values.value("output")
        self.raw = values.isSet("raw")
        self.noNewline = values.isSet("no-newline")
        self.print0 = values.isSet("print0")
        self.delimiter = try values.value("delimiter")
        self.json = values.isSet("json")
        self.jsonPayload = values.isSet("json-payload")
        self.format = try values.value("format")
        try self.validate()
    }

    package mutating func validate() throws {
        guard self.given.count <= 1 else {
            throw ValidationError("\(self.given[0].spelling) and \(self.given[1].spelling) exclude each other")
        }
        // -r may be combined: it says "payloads only", the others say how they are told apart.
        let ends = [
            (self.noNewline, "--no-newline"), (self.print0 || self.output == .null, "--print0"),
            (self.delimiter != nil, "--delimiter"),
        ].filter(\.0)
        guard ends.count <= 1 else { throw ValidationError("\(ends[0].1) and \(ends[1].1) exclude each other") }
    }

    /// What is printed of a message.
    private enum Kind {
        case text, nats, payload, json, template
    }

    /// Each kind that is asked for, once, with a flag that does.
    private var given: [(kind: Kind, spelling: String)] {
        var result: [(kind: Kind, spelling: String)] = []
        func note(_ isGiven: Bool, _ kind: Kind, _ spelling: String) {
            if isGiven, !result.contains(where: { $0.kind == kind }) { result.append((kind, spelling)) }
        }
        note(self.raw, .payload, "--raw")
        note(self.noNewline, .payload, "--no-newline")
        note(self.print0, .payload, "--print0")
        note(self.delimiter != nil, .payload, "--delimiter")
        note(self.json, .json, "--json")
        note(self.jsonPayload, .json, "--json-payload")
        note(self.format != nil, .template, "--format")
        switch self.output {
        case .text: note(true, .text, "--output text")
        case .nats: note(true, .nats, "--output nats")
        case .raw: note(true, .payload, "--output raw")
        case .null: note(true, .payload, "--output null")
        case .json: note(true, .json, "--output json")
        case nil: break
        }
        return result
    }

    /// A flag that says how messages are printed, if there is one; for messages about flags that exclude it.
    package var spelling: String? { self.given.first?.spelling }

    /// Whether the format is that of the nats command.
    package var isPretty: Bool { self.given.first?.kind == .nats }

    /// Whether the format is JSON.
    package var isJSON: Bool { self.given.first?.kind == .json }

    /// The format these flags ask for.
    ///
    /// - Parameters:
    ///   - text: The text form of the tool.
    ///   - pretty: Its form with `--output nats`.
    /// - Returns: The format.
    /// - Throws: `UsageError` for a format or delimiter that cannot be read.
    package func messageFormat(
        text: MessageFormatter.Format,
        pretty: MessageFormatter.Format
    ) throws(UsageError) -> MessageFormatter.Format {
        switch self.given.first?.kind {
        case nil, .text: return text
        case .nats: return pretty
        case .json: return .json(embedsPayload: self.jsonPayload)
        case .template: return .template(try MessageTemplate(parsing: self.format ?? ""))
        case .payload:
            if let delimiter = self.delimiter { return .payload(.delimited(try EscapedText.bytes(delimiter))) }
            if self.print0 || self.output == .null { return .payload(.nulTerminated) }
            return .payload(self.noNewline ? .verbatim : .lines)
        }
    }
}
