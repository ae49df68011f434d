/// Messages and bytes since a connection, an account or a server began.
package struct Counters: Sendable, Equatable {
    /// From the client.
    package var inMessages: UInt64 = 0
    package var inBytes: UInt64 = 0
    /// To the client.
    package var outMessages: UInt64 = 0
    package var outBytes: UInt64 = 0

    package init() {}

    init(_ object: LenientObject) {
        self.inMessages = object.count("in_msgs")
        self.inBytes = object.count("in_bytes")
        self.outMessages = object.count("out_msgs")
        self.outBytes = object.count("out_bytes")
    }
}

/// What ``Counters`` grew by in one second.
package struct Rates: Sendable, Equatable {
    package var inMessages = 0.0
    package var inBytes = 0.0
    package var outMessages = 0.0
    package var outBytes = 0.0

    package init() {}

    /// Growth over an interval; a counter that fell has not grown.
    init(from old: Counters, to new: Counters, seconds: Double) {
        func rate(_ old: UInt64, _ new: UInt64) -> Double {
            new > old && seconds > 0 ? Double(new - old) / seconds : 0
        }
        self.inMessages = rate(old.inMessages, new.inMessages)
        self.inBytes = rate(old.inBytes, new.inBytes)
        self.outMessages = rate(old.outMessages, new.outMessages)
        self.outBytes = rate(old.outBytes, new.outBytes)
    }
}
