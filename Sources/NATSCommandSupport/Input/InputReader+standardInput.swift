extension InputReader {
    /// Starts to read standard input, and says so where a person has to type it.
    package static func standardInput(_ options: PayloadOptions, _ diagnostics: Diagnostics) -> InputReader {
        if POSIX.isTerminal(0), !options.forceStdin {
            diagnostics.say("Reading payload from STDIN")
        }
        return InputReader(descriptor: 0)
    }
}
