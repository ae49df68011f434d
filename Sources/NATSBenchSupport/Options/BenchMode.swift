import ArgumentParser

/// What the clients of a benchmark do.
package enum BenchMode: String, Sendable, CaseIterable, ExpressibleByArgument {
    case publish = "pub"
    case subscribe = "sub"
    case publishAndSubscribe = "pubsub"
    case request = "req"
    case respond = "rply"
    case publishToStream = "js-pub"
}
