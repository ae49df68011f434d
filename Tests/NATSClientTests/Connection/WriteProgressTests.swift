import NATSTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import NATSClient

@Suite("whether what is written gets anywhere")
struct WriteProgressTests {
    @Test("nothing to write, more given, less buffered and more acknowledged are all progress; none of them is not")
    func progress() {
        var progress = WriteProgress()
        func look(_ taken: UInt64, _ buffered: Int, _ acknowledged: UInt64?, writes: Bool = true) -> Int {
            progress.look(isWriting: writes, taken: taken, buffered: buffered, acknowledged: acknowledged)
            return progress.ticksWithout
        }
        #expect(look(100, 100, 0) == 0)
        #expect(look(100, 100, 0) == 1)
        #expect(look(100, 100, nil) == 2)
        #expect(look(100, 100, 1) == 0)
        #expect(look(100, 100, 1) == 1)
        #expect(look(100, 99, 1) == 0)
        #expect(look(100, 120, 1) == 1)
        #expect(look(101, 120, 1) == 0)
        #expect(look(101, 120, nil) == 1)
        #expect(look(101, 120, nil, writes: false) == 0)
        #expect(look(101, 120, 1) == 1)
    }

    #if os(Linux)
    @Test("the system tells what the peer's has got, and no more while the peer reads nothing")
    func acknowledged() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: 4096)
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let channel = try await ClientBootstrap(group: group).connect(to: listener.localAddress!).get()
        func acknowledged() async throws -> UInt64 {
            try #require(try await channel.eventLoop.submit { channel.acknowledgedBytes }.get())
        }
        let first = try await acknowledged()
        try await channel.writeAndFlush(ByteBuffer(repeating: 7, count: 1000))
        try await eventually { try await acknowledged() >= first + 1000 }
        let writing: EventLoopFuture<Void> = channel.writeAndFlush(ByteBuffer(repeating: 7, count: 16 << 20))
        #expect(try await acknowledged() < 16 << 20)
        try await channel.close()
        await #expect(throws: (any Error).self) { try await writing.get() }
        try await listener.close()
    }
    #endif
}
