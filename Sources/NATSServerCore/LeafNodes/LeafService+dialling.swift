import NIOCore

extension LeafService {
    /// Connects to a hub.
    ///
    /// - Parameters:
    ///   - dial: What is dialled.
    ///   - loop: Where the connection lives.
    ///   - failed: Called on any thread if there will be none, with the cause in Go's words.
    func connect(to dial: LeafDial, on loop: ServerLoop, failed: @escaping @Sendable (String) -> Void) {
        let address = dial.url.address
        PeerDial.connect(to: address, within: TimeAmount(dial.options.dialTimeout), on: loop) { result in
            switch result {
            case .success(let channel):
                let id = loop.shared.nextClientID()
                let connection = LeafConnection(id: id, loop: loop, service: self, remote: dial)
                do {
                    guard !loop.shared.isEnding else { throw ChannelError.ioOnClosedChannel }
                    try channel.pipeline.syncOperations.addHandler(connection)
                } catch {
                    connection.outlet.detach()
                    channel.close(promise: nil)
                    failed("\(error)")
                }
            case .failure(let error):
                failed(PeerDial.describe(error, address))
            }
        }
    }
}
