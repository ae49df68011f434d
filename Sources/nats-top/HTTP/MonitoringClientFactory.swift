import NATSTop
import NIOCore

/// How a client for a monitoring port is made.
struct MonitoringClientFactory: Sendable {
    let eventLoop: any EventLoop
    let timeout: Duration
    let secureContexts: SecureContexts?
    /// Look-ups of hosts that the user named, which those of others never hold up.
    let namedLookUps: LookUpPool
    /// Look-ups of hosts of which only servers told.
    let foundLookUps: LookUpPool

    init(
        eventLoop: any EventLoop,
        timeout: Duration,
        secureContexts: SecureContexts?,
        namedLookUps: LookUpPool = LookUpPool(width: 8),
        foundLookUps: LookUpPool = LookUpPool(width: 4)
    ) {
        self.eventLoop = eventLoop
        self.timeout = timeout
        self.secureContexts = secureContexts
        self.namedLookUps = namedLookUps
        self.foundLookUps = foundLookUps
    }

    /// A client for a place; `isNamed` if the user named it, and not only another server.
    func client(_ target: Target, isNamed: Bool) -> MonitoringClient {
        let secureContext = isNamed ? self.secureContexts?.named : self.secureContexts?.found
        return MonitoringClient(
            target: target,
            eventLoop: self.eventLoop,
            timeout: self.timeout,
            secureContext: target.isSecure ? secureContext : nil,
            lookUps: isNamed ? self.namedLookUps : self.foundLookUps
        )
    }
}
