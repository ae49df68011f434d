import ArgumentParser

/// What the arguments of a tool ask for.
///
/// Pure.
package enum CommandLineRequest<Options: Sendable>: Sendable {
    /// Run with these options.
    case run(Options)
    /// Print this on standard output and succeed: help, version, completion script.
    case print(String)
    /// Print this on standard error and end with status 2.
    case refuse(String)
}

extension ToolOptions {
    /// Reads a command line.
    ///
    /// - Parameters:
    ///   - arguments: Without the program's name.
    ///   - flags: The tool's table.
    ///   - isPOSIX: `POSIXLY_CORRECT` is set: flags end at the first operand.
    ///   - operandsUnderPOSIX: Operands beyond so many are ignored if `isPOSIX`; nil refuses them always.
    ///   - speaker: Who says what is wrong.
    /// - Returns: What to do.
    package static func request(
        _ arguments: [String],
        flags: [CommandFlag],
        isPOSIX: Bool = false,
        operandsUnderPOSIX: Int? = nil,
        speaker: String = "nats"
    ) -> CommandLineRequest<Self> {
        do {
            let canonicalizer = ArgumentCanonicalizer(flags: flags, stopsAtFirstOperand: isPOSIX)
            var canonical = try canonicalizer.canonicalize(arguments)
            if isPOSIX, let operandsUnderPOSIX {
                canonical.operands = Array(canonical.operands.prefix(operandsUnderPOSIX))
            }
            if let options = Self.read(canonical) { return .run(options) }
            return .run(try Self.parse(canonical.arguments))
        } catch let error as UsageError {
            return .refuse(Self.refusal(error.description, speaker: speaker))
        } catch {
            if Self.exitCode(for: error).isSuccess { return .print(Self.fullMessage(for: error) + "\n") }
            return .refuse(Self.refusal(Self.message(for: error), speaker: speaker))
        }
    }

    /// `reason` as an error line, and how it should have been.
    package static func refusal(_ reason: String, speaker: String = "nats") -> String {
        let name = Self.configuration.commandName ?? ""
        return "\(speaker): \(reason)\nUsage: \(Self.usageString())\nTry '\(name) --help'.\n"
    }
}
