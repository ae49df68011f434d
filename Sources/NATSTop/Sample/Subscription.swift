/// One subscription of a connection.
package struct Subscription: Sendable, Equatable {
    package var subject = ""
    package var queueGroup = ""
    package var sid = ""
    /// Delivered messages.
    package var messages: UInt64 = 0
    /// The limit that an unsubscribe set; 0 is none.
    package var maximum: UInt64 = 0

    package init(subject: String) {
        self.subject = subject
    }

    init(_ object: LenientObject) {
        self.subject = object.text("subject")
        self.queueGroup = object.text("qgroup")
        self.sid = object.text("sid", limit: 64)
        self.messages = object.count("msgs")
        self.maximum = object.count("max")
    }
}
