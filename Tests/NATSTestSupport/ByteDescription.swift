/// Bytes as a person can read them: printable ASCII as it is, the rest escaped, long stretches cut in the middle.
package func describe(_ bytes: some Collection<UInt8>, limit: Int = 2000) -> String {
    guard bytes.count > limit else {
        return "\"" + bytes.map(escape).joined() + "\""
    }
    let half = limit / 2
    let head = bytes.prefix(half).map(escape).joined()
    let tail = bytes.suffix(half).map(escape).joined()
    return "\"\(head)\"… \(bytes.count - 2 * half) bytes …\"\(tail)\""
}

private func escape(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\r"): return "\\r"
    case UInt8(ascii: "\n"): return "\\n"
    case UInt8(ascii: "\t"): return "\\t"
    case UInt8(ascii: "\\"): return "\\\\"
    case UInt8(ascii: "\""): return "\\\""
    case 0x20...0x7e: return String(UnicodeScalar(byte))
    default:
        let hex = String(byte, radix: 16)
        return "\\x" + (hex.count < 2 ? "0" + hex : hex)
    }
}
