/// Subjects that clients may not use, since the server routes answers through them.
enum ReservedSubjects {
    private static let gatewayReply = Array("_GR_.".utf8)
    private static let serviceReply = Array("_R_.".utf8)
    private static let acknowledgement = Array("$JS.ACK.".utf8)
    private static let raft = Array("$NRG.".utf8)
    /// Queue group that only the server's own subscriptions use.
    static let systemQueue = Array("_sys_".utf8)

    /// nats-server client.go processInboundClientMsg: gateway replies and raft groups.
    static func isReservedForPublish(_ subject: UnsafeRawBufferPointer) -> Bool {
        self.isLonger(subject, than: self.gatewayReply) || subject.starts(with: self.raft)
    }

    /// nats-server client.go isReservedReply.
    static func isReservedReply(_ reply: UnsafeRawBufferPointer) -> Bool {
        reply.starts(with: self.serviceReply) || self.isLonger(reply, than: self.acknowledgement)
            || self.isLonger(reply, than: self.gatewayReply)
    }

    /// Whether a subject is one of those that answers between accounts come by.
    static func isServiceReply(_ subject: UnsafeRawBufferPointer) -> Bool { subject.starts(with: self.serviceReply) }

    private static func isLonger(_ subject: UnsafeRawBufferPointer, than prefix: [UInt8]) -> Bool {
        subject.count > prefix.count && subject.starts(with: prefix)
    }
}
