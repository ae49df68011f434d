/// A command line, which need not be UTF-8: a message given as an operand is published byte for byte.
package struct ToolArguments: Sendable, Equatable {
    /// The arguments without the program's name; what is not UTF-8 in them is replaced by U+FFFD.
    package var texts: [String] = []
    /// The bytes of those that are not UTF-8, by their replaced text.
    package private(set) var malformed: [String: [UInt8]] = [:]
    /// Two different arguments look the same once replaced.
    private var isAmbiguous = false

    package init(bytes arguments: [[UInt8]]) {
        for argument in arguments {
            if let text = String(validating: argument, as: UTF8.self) {
                self.texts.append(text)
                continue
            }
            let text = String(decoding: argument, as: UTF8.self)
            self.texts.append(text)
            if let other = self.malformed[text], other != argument { self.isAmbiguous = true }
            self.malformed[text] = argument
        }
    }

    /// The arguments of this process.
    package static var current: ToolArguments {
        let arguments = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
        return ToolArguments(
            bytes: arguments.map { argument in
                Array(
                    UnsafeBufferPointer(start: argument, count: POSIX.length(of: argument)).map(UInt8.init(bitPattern:))
                )
            }
        )
    }

    /// The bytes of the message operand where its text does not tell them.
    ///
    /// - Parameter message: The operand's text.
    /// - Returns: The bytes; nil if the text is exact.
    /// - Throws: `UsageError` if any other argument is not UTF-8.
    package func bytes(ofMessage message: String?) throws(UsageError) -> [UInt8]? {
        guard !self.malformed.isEmpty else { return nil }
        guard let message, !self.isAmbiguous, self.malformed.count == 1, let bytes = self.malformed[message],
            self.texts.filter({ $0 == message }).count == 1
        else { throw UsageError("an argument other than the message is not UTF-8") }
        return bytes
    }
}
