internal import NATSWire

/// Who makes a request, as the header says that an import adds (nats-server events.go ClientInfo).
struct ClientInfo: Equatable {
    var account = ""
    /// The account through which the request came, if not from the client's own.
    var service = ""
    var user = ""

    /// - Parameter header: A message's header block.
    init?(header: [UInt8]) {
        guard !header.isEmpty, let block = header.withUnsafeBytes({ HeaderBlock(parsing: $0) }),
            let text = block.headers.first(where: { $0.name == "Nats-Request-Info" })?.value,
            let value = try? JSONValue.parse(Array(text.utf8)), let object = try? JSONObjectReader(value)
        else {
            return nil
        }
        do throws(JSONError) {
            try object.read("acc", into: &self.account)
            try object.read("svc", into: &self.service)
            try object.read("user", into: &self.user)
        } catch {
            return nil
        }
    }
}
