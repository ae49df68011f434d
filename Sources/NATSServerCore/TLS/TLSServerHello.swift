import NIOCore

/// What a handshake has agreed on, as its ServerHello says in clear text.
struct TLSServerHello: Equatable, Sendable {
    let version: UInt16
    let cipherSuite: UInt16

    enum Outcome: Equatable {
        case found(TLSServerHello)
        case needsMore
        case notThere
    }

    private static let handshakeRecord: UInt8 = 22
    private static let serverHello: UInt8 = 2
    private static let supportedVersions: UInt16 = 43

    /// Looks for a ServerHello at the beginning of what a server sends (RFC 8446 section 4.1.3).
    static func find(in buffer: ByteBuffer) -> Outcome {
        var buffer = buffer
        guard let type = buffer.readInteger(as: UInt8.self) else { return .needsMore }
        guard type == self.handshakeRecord else { return .notThere }
        guard buffer.readBytes(length: 2) != nil, let recordLength = buffer.readInteger(as: UInt16.self) else {
            return .needsMore
        }
        guard let record = buffer.readSlice(length: Int(recordLength)) else { return .needsMore }
        return self.parse(record).map { .found($0) } ?? .notThere
    }

    private static func parse(_ record: ByteBuffer) -> TLSServerHello? {
        var record = record
        guard record.readInteger(as: UInt8.self) == self.serverHello,
            let high = record.readInteger(as: UInt8.self), let low = record.readInteger(as: UInt16.self),
            var hello = record.readSlice(length: Int(high) << 16 | Int(low)),
            var version = hello.readInteger(as: UInt16.self), hello.readBytes(length: 32) != nil,
            let sessionLength = hello.readInteger(as: UInt8.self), hello.readBytes(length: Int(sessionLength)) != nil,
            let cipherSuite = hello.readInteger(as: UInt16.self), hello.readInteger(as: UInt8.self) != nil
        else { return nil }
        if let length = hello.readInteger(as: UInt16.self), var extensions = hello.readSlice(length: Int(length)) {
            while let type = extensions.readInteger(as: UInt16.self),
                let size = extensions.readInteger(as: UInt16.self), var body = extensions.readSlice(length: Int(size))
            {
                // TLS 1.3 names its version only here.
                if type == self.supportedVersions, let selected = body.readInteger(as: UInt16.self) {
                    version = selected
                }
            }
        }
        return TLSServerHello(version: version, cipherSuite: cipherSuite)
    }
}
