package import ArgumentParser

/// How standard input becomes messages.
package enum InputMode: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// All of it is one message.
    case endOfFile = "eof"
    /// A message per line.
    case newline
    /// A message per NUL-terminated record.
    case null

    /// The byte that ends a record, if records are told apart.
    package var delimiter: UInt8? {
        switch self {
        case .endOfFile: nil
        case .newline: UInt8(ascii: "\n")
        case .null: 0
        }
    }
}

/// Where the payload comes from, in nats-pub and nats-req.
package struct PayloadOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("H")],
        parsing: .singleValue,
        help: ArgumentHelp("Header of each message; may be repeated.", valueName: "name:value")
    )
    package var header: [HeaderArgument] = []

    @Option(help: "How standard input is cut into messages.")
    package var sendOn: InputMode?

    @Flag(name: [.long, .customShort("l")], help: "One message per line of standard input (--send-on newline).")
    package var lines = false

    @Flag(name: [.long, .customShort("e")], help: "No payload, and standard input is not read.")
    package var empty = false

    @Flag(help: "Read standard input even if it is a terminal.")
    package var forceStdin = false

    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp("Send so many times; with records from standard input, stop after so many.", valueName: "n")
    )
    package var count: Int?

    package init() {}

    package mutating func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    /// What a message is made of.
    package enum Source: Sendable, Equatable {
        case argument(String)
        case standardInput(InputMode)
    }

    /// Decides between the message operand, ``empty`` and standard input.
    ///
    /// - Parameters:
    ///   - message: The operand after the subject.
    ///   - isNull: `-0` was given and means input records.
    /// - Returns: The source.
    /// - Throws: `UsageError` for flags that contradict each other.
    package func source(message: String?, isNull: Bool) throws(UsageError) -> Source {
        var modes: [InputMode] = []
        if let mode = self.sendOn { modes.append(mode) }
        if self.lines { modes.append(.newline) }
        if isNull { modes.append(.null) }
        guard Set(modes).count <= 1 else {
            throw UsageError("more than one way to cut standard input into messages")
        }
        if self.empty {
            guard message == nil else { throw UsageError("a message and --empty") }
            guard modes.isEmpty else { throw UsageError("--empty does not read standard input") }
            return .argument("")
        }
        if let message {
            guard modes.isEmpty else { throw UsageError("a message was given, so standard input is not read") }
            return .argument(message)
        }
        return .standardInput(modes.first ?? .endOfFile)
    }
}
