internal import NATSWire
import NIOCore
import Synchronization

/// What every event and answer of the system account says of its server, as its member `server` (nats-server events.go
/// ServerInfo).
final class ServerBlock: Sendable {
    private let shared: ServerShared
    /// Messages sent so far; the official server begins at 2.
    private let sequence = Synchronization.Atomic<UInt64>(1)

    init(shared: ServerShared) { self.shared = shared }

    /// The host that filters are compared with.
    var host: String { self.shared.announcedAddress?.host ?? self.shared.options.host }

    /// The members; counts as one more message.
    func write(to writer: inout JSONDocumentWriter) {
        let options = self.shared.options.monitoring
        writer.write("name", self.shared.serverName)
        writer.write("host", self.host)
        writer.write("id", self.shared.identity.id)
        writer.writeUnlessEmpty("cluster", self.shared.routes?.clusterName ?? "")
        writer.write("ver", ServerVersion.compatible)
        writer.writeUnlessEmpty("tags", options.tags)
        if !options.metadata.isEmpty {
            writer.object("metadata") { writer in
                for (key, value) in options.metadata.sorted(by: { $0.key < $1.key }) {
                    writer.write(named: key, value)
                }
            }
        }
        if !options.featureFlags.isEmpty {
            writer.object("feature_flags") { writer in
                for (name, isOn) in options.featureFlags.sorted(by: { $0.key < $1.key }) {
                    writer.write(named: name, isOn)
                }
            }
        }
        writer.write("jetstream", false)
        writer.write("flags", 0)
        writer.write("seq", self.sequence.add(1, ordering: .relaxed).newValue)
        writer.write("time", time: self.shared.clock.wallNanoseconds(.now()))
    }
}
