import Logging
import NIOCore

/// Connecting to other servers.
extension RouteService {
    /// nats-server const.go DEFAULT_ROUTE_DIAL.
    private static let dialTime: TimeAmount = .seconds(1)

    /// Dials; the book is told what comes of it.
    func dial(_ number: UInt64, _ address: RouteAddress, on loop: ServerLoop, id: UInt64) {
        let shared = loop.shared
        shared.logger.debug("Trying to connect to route on \(address)")
        self.willDial(number, as: id)
        PeerDial.connect(to: address, within: Self.dialTime, on: loop) { result in
            switch result {
            case .success(let channel): self.connected(channel, to: address, on: loop, id: id)
            case .failure(let error): self.dialFailed(id, PeerDial.describe(error, address))
            }
        }
    }

    /// On the channel's loop, which is the connection's.
    private func connected(_ channel: any Channel, to address: RouteAddress, on loop: ServerLoop, id: UInt64) {
        let connection = RouteConnection(id: id, loop: loop, service: self, dialledHost: address.host)
        do {
            guard !loop.shared.isEnding else { throw ChannelError.ioOnClosedChannel }
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            connection.outlet.detach()
            channel.close(promise: nil)
            self.dialFailed(id, "\(error)")
        }
    }
}
