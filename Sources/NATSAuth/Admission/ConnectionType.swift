/// How a client can be connected, as `allowed_connection_types` of configurations and user JWTs name it.
package enum ConnectionType: String, Sendable, Hashable, CaseIterable {
    case standard = "STANDARD"
    case webSocket = "WEBSOCKET"
    case leafNode = "LEAFNODE"
    case leafNodeWebSocket = "LEAFNODE_WS"
    case mqtt = "MQTT"
    case mqttWebSocket = "MQTT_WS"
    case inProcess = "IN_PROCESS"

    /// Whether a list allows this kind of connection (nats-server auth.go and client.go
    /// convertAllowedConnectionTypes).
    ///
    /// An empty list allows everything; names that are not known allow nothing.
    package func isAllowed(by names: [String]) -> Bool {
        names.isEmpty || names.contains { $0.uppercased() == self.rawValue }
    }
}
