import Foundation

/// A JSON object whose order of keys matters to the test.
struct JSONText {
    let keys: [String]
    let values: [String: any Sendable]

    init(_ text: String) throws {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        var values: [String: any Sendable] = [:]
        for (key, value) in object as? [String: Any] ?? [:] {
            switch value {
            case let value as String: values[key] = value
            case let value as [String]: values[key] = value
            case let value as NSNumber: values[key] = value.intValue
            default: values[key] = "\(value)"
            }
        }
        self.values = values
        self.keys = Self.topLevelKeys(text)
    }

    func string(_ key: String) -> String? { self.values[key] as? String }
    func number(_ key: String) -> Int? { self.values[key] as? Int }
    func bool(_ key: String) -> Bool { self.number(key) == 1 }

    /// Strings at depth 1 that are followed by a colon.
    private static func topLevelKeys(_ text: String) -> [String] {
        var keys: [String] = []
        var depth = 0
        var string: String?
        var last = ""
        var isEscaped = false
        for character in text {
            if let begun = string {
                if isEscaped {
                    isEscaped = false
                    string = begun + String(character)
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    last = begun
                    string = nil
                } else {
                    string = begun + String(character)
                }
                continue
            }
            switch character {
            case "\"": string = ""
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            case ":" where depth == 1: keys.append(last)
            default: break
            }
        }
        return keys
    }
}
