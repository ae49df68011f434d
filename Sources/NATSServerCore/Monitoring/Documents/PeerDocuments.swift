import NATSWire

/// `/gatewayz`: the gateways, of which a server without a gateway name has none.
enum GatewayzDocument {
    static func json(_ head: ServerHead) -> [UInt8] {
        var writer = JSONDocumentWriter()
        writer.object { writer in
            writer.write(head)
            writer.object("outbound_gateways") { _ in }
            writer.object("inbound_gateways") { _ in }
        }
        return writer.bytes
    }
}
