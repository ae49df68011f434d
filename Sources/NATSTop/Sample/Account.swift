/// One entry of `/accstatz`, or a name of `/accountz`.
package struct Account: Sendable, Equatable {
    package var name = ""
    package var connections: UInt64 = 0
    package var leafNodes: UInt64 = 0
    package var subscriptionCount: UInt64 = 0
    package var slowConsumers: UInt64 = 0
    package var counters = Counters()

    package init(name: String) {
        self.name = name
    }

    init(_ object: LenientObject) {
        self.name = object.text("acc")
        self.connections = object.count("conns")
        self.leafNodes = object.count("leafnodes")
        self.subscriptionCount = object.count("num_subscriptions")
        self.slowConsumers = object.count("slow_consumers")
        let sent = object.object("sent")
        let received = object.object("received")
        self.counters.outMessages = sent.count("msgs")
        self.counters.outBytes = sent.count("bytes")
        self.counters.inMessages = received.count("msgs")
        self.counters.inBytes = received.count("bytes")
    }
}
