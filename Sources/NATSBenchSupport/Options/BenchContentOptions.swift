package import ArgumentParser
package import NATSCommandSupport

/// What the messages are.
package struct BenchContentOptions: ParsableArguments {
    /// Of messages that nobody gives a size.
    package static let defaultSize = 128

    @Option(
        name: [.customLong("size"), .customLong("ms")],
        help: ArgumentHelp("Size of the payload; 1KB is 1024 bytes (default: 128).", valueName: "bytes")
    )
    package var size: SizeArgument?

    @Option(help: ArgumentHelp("Payload from a file.", valueName: "file"), completion: .file())
    package var payload: String?

    @Flag(help: "Random payloads, which no compression makes smaller.")
    package var random = false

    @Option(
        name: [.long, .customShort("H")],
        parsing: .singleValue,
        help: ArgumentHelp("Header of each message; may be repeated.", valueName: "name:value")
    )
    package var header: [HeaderArgument] = []

    @Flag(help: "Subject <subject>.<n> with the number of the message; subscribers take <subject>.*.")
    package var multisubject = false

    @Option(
        help: ArgumentHelp("Numbers of --multisubject, from 0 on; 0: no end (default: 100000).", valueName: "n")
    )
    package var multisubjectmax: Int?

    @Flag(help: "Numbers of --multisubject by chance.")
    package var multisubjectrandomize = false

    package init() {}
}
