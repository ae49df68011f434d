import NATSText

/// What INFO names as the address of the server.
package struct AdvertisedAddress: Equatable, Sendable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `host`, for which the default port holds, as for ports 0 and -1.
    ///
    /// nats-server util.go parseHostPort.
    package init(_ text: String, defaultPort: Int) throws(HostPort.Failure) {
        let parts: (host: String, port: String)
        do {
            parts = try HostPort.split(text)
        } catch {
            guard error.description.contains("missing port") else { throw error }
            parts = try HostPort.split("\(text):\(defaultPort)")
        }
        let digits = Self.trimmed(parts.port)
        guard let port = Int(digits) else {
            let quoted = GoString.quoted(Array(digits.utf8))
            throw HostPort.Failure(description: "strconv.Atoi: parsing \(quoted): invalid syntax")
        }
        self.host = Self.trimmed(parts.host)
        self.port = port == 0 || port == -1 ? defaultPort : port
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
        var bytes = Array(text.utf8)[...].drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
