/// Suffixes of sizes: decimal without, binary with a `b` or `i`.
enum SizeSuffix {
    static let factors: [String: Int64] = {
        var factors: [String: Int64] = ["": 1]
        for (exponent, letter) in ["k", "m", "g", "t", "p", "e"].enumerated() {
            let decimal = (0...exponent).reduce(Int64(1)) { product, _ in product * 1000 }
            factors[letter] = decimal
            for ending in ["b", "i", "ib"] {
                factors[letter + ending] = Int64(1) << (10 * (exponent + 1))
            }
        }
        return factors
    }()
}

/// `YYYY-MM-DDTHH:MM:SSZ`, already known to have that form but for digits of other scripts.
enum DateText {
    static func isValid(_ text: [UInt8]) -> Bool {
        guard text.count == 20 else { return false }
        func number(_ start: Int, _ count: Int) -> Int? {
            var value = 0
            for byte in text[start..<(start + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month), hour < 24, minute < 60,
            second < 60
        else {
            return false
        }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }
}

/// Paths as Go's filepath package treats them.
enum FilePath {
    /// All but the last element; `.` when there is nothing before it.
    static func directory(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return self.clean(String(path[...slash]))
    }

    static func join(_ directory: String, _ path: String) -> String {
        if path.isEmpty { return self.clean(directory) }
        return self.clean(directory.isEmpty ? path : "\(directory)/\(path)")
    }

    /// The shortest path with the same meaning.
    static func clean(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !isAbsolute {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        return isAbsolute ? "/\(joined)" : joined.isEmpty ? "." : joined
    }
}
