/// The bytes of `SUB` and `UNSUB`.
enum SubscriptionCommands {
    static func subscribe(subject: String, queueGroup: String?, sid: UInt64) -> [UInt8] {
        guard let queueGroup else {
            return Array("SUB \(subject) \(sid)\r\n".utf8)
        }
        return Array("SUB \(subject) \(queueGroup) \(sid)\r\n".utf8)
    }

    static func unsubscribe(sid: UInt64, maximum: UInt64?) -> [UInt8] {
        guard let maximum else {
            return Array("UNSUB \(sid)\r\n".utf8)
        }
        return Array("UNSUB \(sid) \(maximum)\r\n".utf8)
    }
}
