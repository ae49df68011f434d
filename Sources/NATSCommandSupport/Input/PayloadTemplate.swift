import NATSWire
package import NIOCore

/// A text with `{{Count}}` and the like, which each message replaces.
///
/// Pure but for the local time zone: count, time and random numbers are given.
///
/// Each `{{…}}` is recognised by itself; one that is unknown stays as it is, byte for byte.
package struct PayloadTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case literal([UInt8])
        case count
        case timeStamp
        case unix
        case unixNano
        case time
        case id
        case random(ClosedRange<Int>)
    }

    /// What the parts are replaced by.
    package struct Context: Sendable {
        /// The number of the message, from 1.
        package var count = 0
        /// Since 1970.
        package var nanoseconds: Int64 = 0
        fileprivate var ids = NUID()

        package init() {}
    }

    /// The longest `{{Random}}`, so that a slip of the finger does not fill the memory.
    private static let longestRandom = 1 << 26
    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    private var parts: [Part] = []

    /// Reads a text; nil if nothing in it is to be replaced.
    package init?(parsing text: some Collection<UInt8>) {
        var literal: [UInt8] = []
        var rest = Array(text)[...]
        let brace = UInt8(ascii: "{")
        while let start = rest.firstIndex(of: brace) {
            literal += rest[..<start]
            rest = rest[start...]
            guard let (part, end) = Self.part(rest) else {
                literal.append(brace)
                rest = rest.dropFirst()
                continue
            }
            if !literal.isEmpty { self.parts.append(.literal(literal)) }
            literal.removeAll()
            self.parts.append(part)
            rest = rest[end...]
        }
        literal += rest
        guard !self.parts.isEmpty else { return nil }
        if !literal.isEmpty { self.parts.append(.literal(literal)) }
    }

    /// What begins at the start of `text`, and where it ends.
    private static func part(_ text: ArraySlice<UInt8>) -> (Part, end: Int)? {
        let longest = 64
        guard text.starts(with: "{{".utf8) else { return nil }
        let inner = text.dropFirst(2).prefix(longest)
        guard let close = inner.firstIndex(of: UInt8(ascii: "}")), close + 1 < text.endIndex,
            text[close + 1] == UInt8(ascii: "}")
        else { return nil }
        let words = inner[..<close].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        let part: Part
        switch words.first {
        case "Count", "Cnt": part = .count
        case "TimeStamp": part = .timeStamp
        case "Unix": part = .unix
        case "UnixNano": part = .unixNano
        case "Time": part = .time
        case "ID": part = .id
        case "Random":
            guard words.count == 3, let first = Int(words[1]), let second = Int(words[2]), min(first, second) >= 0,
                max(first, second) <= Self.longestRandom
            else { return nil }
            return (.random(min(first, second)...max(first, second)), close + 2)
        default:
            return nil
        }
        return words.count == 1 ? (part, close + 2) : nil
    }

    /// Appends the text for one message.
    package func append(
        _ context: inout Context,
        using random: inout some RandomNumberGenerator,
        to output: inout ByteBuffer
    ) {
        let seconds = Int(context.nanoseconds / 1_000_000_000)
        for part in self.parts {
            switch part {
            case .literal(let bytes): output.writeBytes(bytes)
            case .count: output.writeString(String(context.count))
            case .timeStamp: output.writeString(LocalClock(second: seconds)?.rfc3339 ?? "")
            case .unix: output.writeString(String(seconds))
            case .unixNano: output.writeString(String(context.nanoseconds))
            case .time: output.writeString(LocalClock(second: seconds)?.kitchen ?? "")
            case .id: output.writeString(context.ids.next(using: &random))
            case .random(let lengths):
                let length = Int.random(in: lengths, using: &random)
                for _ in 0..<length { output.writeInteger(Self.letters.randomElement(using: &random) ?? 0) }
            }
        }
    }

    /// The text for one message, where it is text.
    package func text(_ context: inout Context) -> String {
        var random = SystemRandomNumberGenerator()
        var output = ByteBuffer()
        self.append(&context, using: &random, to: &output)
        return String(buffer: output)
    }
}
