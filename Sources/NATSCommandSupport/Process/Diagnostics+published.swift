import NATSText
package import NIOCore

extension Diagnostics {
    /// `Published [foo] : 'hello'`, the payload byte for byte.
    package func sayPublished(subject: String, payload: ByteBuffer) {
        var line = ByteBuffer(string: "Published [\(subject)] : '")
        line.writeImmutableBuffer(payload)
        line.writeString("'\n")
        line.withUnsafeReadableBytes { self.say(bytes: $0) }
    }

    /// `Sending request on "foo"`, as the `nats` command says it.
    package func saySending(subject: String) {
        self.say("Sending request on \(GoString.quoted(subject))")
    }
}
