import ArgumentParser

/// How input becomes messages.
package enum InputMode: Sendable, Hashable {
    /// All of it is one message.
    case endOfFile
    /// A message per line.
    case newline
    /// A message per NUL-terminated record.
    case null
    /// A message per record that ends with these bytes.
    case delimited([UInt8])
    /// A JSON object per line, which says subject, headers and payload.
    case json

    /// The bytes that end a record; empty if records are not told apart.
    package var delimiter: [UInt8] {
        switch self {
        case .endOfFile: []
        case .newline, .json: [UInt8(ascii: "\n")]
        case .null: [0]
        case .delimited(let bytes): bytes
        }
    }

    /// What the `number`th record is called in an error.
    func place(_ number: Int) -> String {
        switch self {
        case .endOfFile: ""
        case .newline, .json: "line \(number): "
        case .null, .delimited: "record \(number): "
        }
    }
}

/// The values of `--send-on`.
package enum SendOn: String, Sendable, CaseIterable, ExpressibleByArgument {
    case eof
    case newline
    case null
    case json

    package var mode: InputMode {
        switch self {
        case .eof: .endOfFile
        case .newline: .newline
        case .null: .null
        case .json: .json
        }
    }
}
