/// An `mqtt` block.
package struct MQTTConfiguration: Sendable, Equatable {
    package var host = "0.0.0.0"
    package var port = 0
    package var tls: TLSConfiguration?
    package var authorization: SimpleAuthorization?
    package var noAuthUser: String?
    package var ackWait: Duration = .seconds(30)
    package var maxAckPending = 1024
    package var jsDomain: String?
    package var jsAPITimeout: Duration = .seconds(5)
    package var streamReplicas = 0
    package var consumerMemoryStorage = false
    package var consumerInactiveThreshold: Duration = .zero
    package var rejectQoS2Publish = false
    package var downgradeQoS2Subscribe = false

    package init() {}
}
