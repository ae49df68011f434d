extension InputReader {
    /// Starts to read the inputs that the options name, and says so where a person has to type one.
    package static func reading(
        _ sources: [InputSource],
        _ options: PayloadOptions,
        _ diagnostics: Diagnostics
    ) -> InputReader {
        if sources.contains(.descriptor(0)), POSIX.isTerminal(0), !options.forceStdin {
            diagnostics.say("Reading payload from STDIN")
        }
        return InputReader(sources)
    }
}
