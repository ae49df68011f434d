import NATSText

/// Where payloads are read from.
package enum InputSource: Sendable, Equatable {
    /// An open descriptor, which stays open.
    case descriptor(Int32)
    /// A file, opened when it is its turn.
    case file(String)

    /// What `-f` names; `-` is standard input.
    package init(argument: String) {
        self = argument == "-" ? .descriptor(0) : .file(argument)
    }

    /// For people.
    package var name: String {
        switch self {
        case .descriptor: "standard input"
        case .file(let path): GoString.harmless(path.utf8)
        }
    }
}
