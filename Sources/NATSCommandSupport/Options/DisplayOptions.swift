package import ArgumentParser

/// What nats-sub shows of messages, beside ``OutputOptions``.
package struct DisplayOptions: ParsableArguments {
    @Flag(name: [.long, .customShort("t")], help: "The time before each message.")
    package var timestamp = false

    @Option(
        help: ArgumentHelp(
            "How --timestamp, which this implies, writes it: local time as Go's log does, or UTC, or since 1970.",
            valueName: "go|rfc3339|unix|unixms"
        )
    )
    package var timeFormat: TimeFormat?

    @Flag(name: [.long, .customShort("d")], help: "The time since the start before each message.")
    package var deltaTime = false

    @Flag(help: "Header lines behind each line of text.")
    package var headers = false

    @Flag(help: "Headers only, and an empty line after those of each message.")
    package var headersOnly = false

    @Flag(help: "Subjects only, one per line.")
    package var subjectsOnly = false

    @Flag(help: "Print requests with their replies, once those are there.")
    package var matchReplies = false

    @Option(
        help: ArgumentHelp(
            """
            Print what this command of the shell makes of each payload, which it gets on standard input, \
            with NATS_SUBJECT in its environment.
            """,
            valueName: "command"
        )
    )
    package var translate: String?

    @Option(
        help: ArgumentHelp(
            "A file <number>.json for each message, and <number>_reply.json for its reply; -: objects, NUL after each.",
            valueName: "directory|-"
        ),
        completion: .directory
    )
    package var dump: String?

    @Flag(help: "Print how many messages each subject had, in the end; on a terminal every second.")
    package var reportSubjects = false

    @Option(help: ArgumentHelp("How many subjects the report shows (default: 10).", valueName: "n"))
    package var reportTop: Int?

    package init() {}

    package init(_ values: inout FlagValues) throws(FlagValues.Unread) {
        self.timestamp = values.isSet("timestamp")
        self.timeFormat = try values.value("time-format")
        self.deltaTime = values.isSet("delta-time")
        self.headers = values.isSet("headers")
        self.headersOnly = values.isSet("headers-only")
        self.subjectsOnly = values.isSet("subjects-only")
        self.matchReplies = values.isSet("match-replies")
        self.translate = try values.value("translate")
        self.dump = try values.value("dump")
        self.reportSubjects = values.isSet("report-subjects")
        self.reportTop = try values.value("report-top")
    }

    /// Refuses what cannot be had together.
    ///
    /// - Throws: `ValidationError` that names the flags.
    package func check(against output: OutputOptions) throws {
        func exclude(_ first: String?, _ second: String?) throws {
            if let first, let second { throw ValidationError("\(first) and \(second) exclude each other") }
        }
        try exclude(self.deltaTime ? "--delta-time" : nil, self.timeFlag)
        let forms = [
            output.spelling,
            self.headersOnly ? "--headers-only" : nil,
            self.subjectsOnly ? "--subjects-only" : nil,
            self.dump.map { _ in "--dump" },
            self.reportSubjects ? "--report-subjects" : nil,
        ].compactMap { $0 }
        if forms.count > 1 { try exclude(forms[0], forms[1]) }
        if self.headers, let form = forms.first, form != "--output text", form != "--output nats" {
            try exclude("--headers", form)
        }
        if self.headersOnly || self.subjectsOnly { try exclude(self.translate.map { _ in "--translate" }, forms.first) }
        if self.reportSubjects {
            try exclude(self.translate.map { _ in "--translate" }, "--report-subjects")
            try exclude(self.matchReplies ? "--match-replies" : nil, "--report-subjects")
        } else if self.reportTop != nil {
            throw ValidationError("--report-top needs --report-subjects")
        }
        if let top = self.reportTop, top < 1 { throw ValidationError("--report-top must be at least 1") }
        if self.dump != nil || self.reportSubjects {
            try exclude(self.timeFlag ?? (self.deltaTime ? "--delta-time" : nil), forms.first)
        }
        // Objects tell the time of day themselves.
        if output.isJSON {
            try exclude(self.deltaTime ? "--delta-time" : nil, "--json")
            try exclude(self.timeFormat.flatMap { $0 == .rfc3339 ? nil : "--time-format \($0)" }, "--json")
        }
    }

    private var timeFlag: String? {
        self.timestamp ? "--timestamp" : self.timeFormat.map { _ in "--time-format" }
    }

    /// The format that these flags ask for, if they do.
    package var messageFormat: MessageFormatter.Format? {
        if let dump = self.dump { return .dump(endsWithNUL: dump == "-") }
        if self.headersOnly { return .headers }
        return self.subjectsOnly ? .subjects : nil
    }

    /// The stamp of each message in this format.
    package func stamp(for format: MessageFormatter.Format) -> MessageStamp {
        let isInside = format == .pretty
        if self.deltaTime { return MessageStamp(form: .elapsed, isInside: isInside) }
        if let timeFormat = self.timeFormat { return MessageStamp(form: timeFormat.form, isInside: isInside) }
        return MessageStamp(form: self.timestamp ? isInside ? .month : .go : nil, isInside: isInside)
    }
}
