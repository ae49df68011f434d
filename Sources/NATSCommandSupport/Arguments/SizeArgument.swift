import ArgumentParser

/// A number of bytes: `128`, `128B`, `1KB`, `1KiB`, `1MB`; the letters count by 1024.
package struct SizeArgument: Sendable, Hashable {
    package var bytes: Int

    package init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// Reads `text`; nil if it is malformed or more than an `Int` holds.
    package init?(parsing text: String) {
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let number = Int(Substring(digits)) else { return nil }
        let factor: Int
        switch String(Substring(text.utf8.dropFirst(digits.count))).uppercased() {
        case "", "B": factor = 1
        case "K", "KB", "KIB": factor = 1 << 10
        case "M", "MB", "MIB": factor = 1 << 20
        case "G", "GB", "GIB": factor = 1 << 30
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }
}

extension SizeArgument: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(parsing: argument)
    }

    /// Shown as the default value in help.
    package var defaultValueDescription: String { String(self.bytes) }
}
