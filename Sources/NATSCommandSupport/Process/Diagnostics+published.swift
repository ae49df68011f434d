package import NIOCore

extension Diagnostics {
    /// `Published [foo] : 'hello'`, the payload byte for byte.
    package func sayPublished(subject: String, payload: ByteBuffer) {
        var line = ByteBuffer(string: "Published [\(subject)] : '")
        line.writeImmutableBuffer(payload)
        line.writeString("'\n")
        line.withUnsafeReadableBytes { self.say(bytes: $0) }
    }
}
