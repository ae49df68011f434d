package import ArgumentParser

/// How the result is told.
package struct BenchOutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write a line for each client to a file.", valueName: "file"), completion: .file())
    package var csv: String?

    @Flag(help: "Report as one JSON object.")
    package var json = false

    @Flag(help: "No progress bar; there is none if standard error is no terminal.")
    package var noProgress = false

    @Flag(help: "Nothing on standard error but errors.")
    package var quiet = false

    package init() {}
}
