package import NATSClient
import NATSWire

extension PayloadOptions {
    /// The headers of every message.
    package var headers: NATSHeaders {
        var headers = NATSHeaders()
        for field in self.header { headers.append(name: field.name, value: field.value) }
        return headers
    }
}

extension NATSHeaders {
    /// Bytes of the header block on the wire; 0 if there is none.
    package var encodedSize: Int {
        self.isEmpty ? 0 : HeaderBlock.encode(self).count
    }
}
