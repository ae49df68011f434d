package import ArgumentParser

/// The flags and operands of a command line, for options that are read without the argument parser.
///
/// The argument parser finds out by reflection what its options are, which is a third of what a tool does that sends one
/// message (decision 0013). So the common case is read here, and whatever is not common is left to the argument parser:
/// ``Unread`` says so, and never that something is wrong.
package struct FlagValues: Sendable {
    /// Something that the argument parser has to read, and to complain of if that is due.
    package struct Unread: Error {
        package init() {}
    }

    private let flags: [ArgumentCanonicalizer.Flag]
    private var isRead: [Bool]
    private var operands: ArraySlice<String>

    init(_ result: ArgumentCanonicalizer.Result) {
        self.flags = result.flags
        self.isRead = Array(repeating: false, count: result.flags.count)
        self.operands = result.operands[...]
    }

    /// Whether a boolean flag is set.
    ///
    /// - Parameter name: The flag's first name, without dashes.
    /// - Returns: Whether it is.
    package mutating func isSet(_ name: String) -> Bool {
        var isSet = false
        for (index, flag) in self.flags.enumerated() where flag.name == name {
            self.isRead[index] = true
            isSet = true
        }
        return isSet
    }

    /// The value of a flag.
    ///
    /// - Parameter name: The flag's first name, without dashes.
    /// - Returns: The value, nil if the flag is not given.
    /// - Throws: ``Unread`` if the value is empty or not one of `Value`'s.
    package mutating func value<Value: ExpressibleByArgument>(_ name: String) throws(Unread) -> Value? {
        let values: [Value] = try self.values(name)
        return values.last
    }

    /// Every value of a flag that may be repeated.
    ///
    /// - Parameter name: The flag's first name, without dashes.
    /// - Returns: The values, in their order.
    /// - Throws: ``Unread`` if a value is empty or not one of `Value`'s.
    package mutating func values<Value: ExpressibleByArgument>(_ name: String) throws(Unread) -> [Value] {
        var result: [Value] = []
        for (index, flag) in self.flags.enumerated() where flag.name == name {
            guard let text = flag.value, !text.isEmpty, let value = Value(argument: text) else { throw Unread() }
            self.isRead[index] = true
            result.append(value)
        }
        return result
    }

    /// The next operand, nil if there is none left.
    package mutating func operand() -> String? {
        self.operands.popFirst()
    }

    /// All operands that are left.
    package mutating func remainingOperands() -> [String] {
        defer { self.operands = [] }
        return Array(self.operands)
    }

    /// - Throws: ``Unread`` if anything of the command line was not asked for.
    func finish() throws(Unread) {
        guard self.isRead.allSatisfy(\.self), self.operands.isEmpty else { throw Unread() }
    }
}

/// Options that can be read without the argument parser.
package protocol ToolOptions: ParsableCommand, Sendable {
    /// Reads the command line, each flag by its first name.
    ///
    /// What it does not ask for is left to the argument parser, and so is everything if it throws. Options that do not
    /// implement this are read by the argument parser always.
    ///
    /// - Throws: Any error.
    init(_ values: inout FlagValues) throws
}

extension ToolOptions {
    package init(_ values: inout FlagValues) throws {
        throw FlagValues.Unread()
    }

    /// The options, if they can be read without the argument parser.
    package static func read(_ result: ArgumentCanonicalizer.Result) -> Self? {
        do {
            var values = FlagValues(result)
            var options = try Self(&values)
            try values.finish()
            try options.validate()
            return options
        } catch {
            return nil
        }
    }
}
