/// One flag of a tool, as the canonicaliser knows it.
package struct CommandFlag: Sendable, Equatable {
    /// What follows the name.
    package enum Kind: Sendable, Equatable {
        /// `-b`, `-b=false`, `--no-b`.
        case boolean
        /// `-f v`, `-f=v`; the last one counts.
        case value
        /// As ``value``, but every one counts.
        case repeatedValue
        /// As ``value``, but `--f` alone stands for this value; another one is attached, `--f=v`.
        case optionalValue(String)
        /// Handled by the argument parser itself (`--help`, `--version`); not negatable.
        case builtIn
        /// As ``builtIn``, with a value.
        case builtInValue
    }

    /// Every spelling without dashes; the first one is what the argument parser gets.
    package var names: [String]
    package var kind: Kind
    /// False for a flag that has a place in the tools' specification but no implementation yet.
    package var isSupported: Bool

    package init(_ names: String..., kind: Kind, isSupported: Bool = true) {
        self.names = names
        self.kind = kind
        self.isSupported = isSupported
    }

    package static func boolean(_ names: String...) -> CommandFlag {
        CommandFlag(names: names, kind: .boolean, isSupported: true)
    }

    package static func value(_ names: String...) -> CommandFlag {
        CommandFlag(names: names, kind: .value, isSupported: true)
    }

    package static func repeated(_ names: String...) -> CommandFlag {
        CommandFlag(names: names, kind: .repeatedValue, isSupported: true)
    }

    package static func optionalValue(_ name: String, default value: String) -> CommandFlag {
        CommandFlag(names: [name], kind: .optionalValue(value), isSupported: true)
    }

    private init(names: [String], kind: Kind, isSupported: Bool) {
        self.names = names
        self.kind = kind
        self.isSupported = isSupported
    }

    /// The spelling shown to people and given to the argument parser.
    static func spelling(of name: String) -> String {
        name.utf8.count == 1 ? "-\(name)" : "--\(name)"
    }
}
