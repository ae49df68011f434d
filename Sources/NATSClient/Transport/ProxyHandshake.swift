import NIOCore

/// What is said to a proxy before it becomes the way to a server.
///
/// A value that performs no I/O. It keeps no more of what the proxy sends than one answer, whose size is limited.
protocol ProxyHandshake {
    /// The first words.
    func begin() -> [UInt8]

    /// Takes an answer out of what has arrived.
    mutating func received(_ bytes: inout ByteBuffer) -> ProxyHandshakeStep
}

enum ProxyHandshakeStep: Equatable {
    /// The answer has not come whole.
    case incomplete
    case send([UInt8])
    /// What follows comes from the server.
    case done
    /// The proxy refuses, or is none; what it did, for people.
    case fail(String)
}
