#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A failed system call on a path, in the words of Go's `*PathError`: `open /x: no such file or directory`.
struct SystemCallError: Error, CustomStringConvertible {
    let call: String
    let path: String
    let number: CInt

    var description: String {
        "\(self.call) \(self.path): \(Self.text(self.number))"
    }

    /// Go's texts are those of the C library, beginning with a small letter.
    static func text(_ number: CInt) -> String {
        guard let pointer = strerror(number) else {
            return "errno \(number)"
        }
        let text = String(cString: pointer)
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
