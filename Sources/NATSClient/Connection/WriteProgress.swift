import NIOCore

#if os(Linux)
#if canImport(Musl)
import Musl
#else
import Glibc
#endif
#endif

/// Whether what is written gets anywhere: looked at now and then, since a timer for each write would cost more than it.
struct WriteProgress {
    private var taken: UInt64 = 0
    private var buffered = 0
    private var acknowledged: UInt64 = 0
    /// How often in a row nothing had moved.
    private(set) var ticksWithout = 0

    /// - Parameters:
    ///   - isWriting: There is something that the socket has not taken yet.
    ///   - taken: What the sockets were given so far, in bytes.
    ///   - buffered: What of it the socket has not taken. A large write over a slow link goes out piece by piece.
    ///   - acknowledged: What the peer's system has, or nil where that is not known. The pieces are large: a system
    ///     lets more in when a third of a buffer of megabytes is free, and over a slow link that takes minutes.
    mutating func look(isWriting: Bool, taken: UInt64, buffered: Int, acknowledged: UInt64?) {
        let acknowledged = acknowledged ?? self.acknowledged
        let isStuck =
            isWriting && taken == self.taken && buffered >= self.buffered && acknowledged == self.acknowledged
        self.ticksWithout = isStuck ? self.ticksWithout + 1 : 0
        (self.taken, self.buffered, self.acknowledged) = (taken, buffered, acknowledged)
    }
}

extension Channel {
    /// What the peer's system has acknowledged on this connection, in bytes; nil where the system does not tell.
    ///
    /// To be asked on the channel's event loop. Linux only (4.1 and later): Apple's systems take more as soon as there is
    /// room for 2 KiB, so that there is progress to be seen without it.
    var acknowledgedBytes: UInt64? {
        #if os(Linux)
        guard let options = self as? any SocketOptionProvider else {
            return nil
        }
        let asked: EventLoopFuture<TCPInfoBeginning> =
            options.unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
        // On the channel's own event loop the answer is there at once.
        let answer = NIOLoopBoundBox<UInt64?>(nil, eventLoop: self.eventLoop)
        asked.whenSuccess { answer.value = $0.acknowledged }
        return answer.value
        #else
        return nil
        #endif
    }
}

#if os(Linux)
/// The first 128 bytes of `struct tcp_info` (linux/tcp.h); a kernel writes as much as it is given room for.
private struct TCPInfoBeginning {
    /// From `tcpi_state` to `tcpi_max_pacing_rate`.
    var before:
        (
            UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
            UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64
        )
    /// `tcpi_bytes_acked`.
    var acknowledged: UInt64
}
#endif
