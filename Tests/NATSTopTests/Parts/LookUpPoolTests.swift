import Dispatch
import NATSTestSupport
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import nats_top

/// Look-ups in which all hosts named `silent…` take until the gate is open.
final class SlowLookUps: Sendable {
    struct State: Sendable {
        var running: Set<String> = []
        var most = 0
        var done: [String] = []
    }

    let state = Watched(State())
    private let addresses: [String: String]
    private let gate = DispatchSemaphore(value: 0)

    init(_ addresses: [String: String]) { self.addresses = addresses }

    func lookUp(_ host: String, _ port: Int) -> [SocketAddress] {
        self.state.update { state in
            state.running.insert(host)
            state.most = max(state.most, state.running.count)
        }
        if host.hasPrefix("silent") {
            self.gate.wait()
            self.gate.signal()
        }
        self.state.update { state in
            state.running.remove(host)
            state.done.append(host)
        }
        return self.addresses[host].flatMap { try? SocketAddress(ipAddress: $0, port: port) }.map { [$0] } ?? []
    }

    func open() { self.gate.signal() }
}

@Suite("nats-top looks up hosts")
struct LookUpPoolTests {
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    @Test("a host that is found waits for no host that is not, and only a few are looked up at the same time")
    func concurrency() async throws {
        let slow = SlowLookUps(["good": "127.0.0.1"])
        let pool = LookUpPool(width: 4) { slow.lookUp($0, $1) }
        defer { slow.open() }
        let silent = (0..<3).map { pool.addresses(of: "silent\($0)", port: 1, on: self.eventLoop).future }
        #expect(await slow.state.wait { $0.running.count == 3 })
        let good = try await pool.addresses(of: "good", port: 4711, on: self.eventLoop).future.get()
        #expect(good == [try SocketAddress(ipAddress: "127.0.0.1", port: 4711)])
        let more = (3..<20).map { pool.addresses(of: "silent\($0)", port: 1, on: self.eventLoop) }
        #expect(await slow.state.wait { $0.running.count == 4 })
        // One that nobody waits for any longer is not looked up.
        let last = try #require(more.last)
        pool.cancel(last.number)
        await #expect(throws: FetchError.timedOut) { try await last.future.get() }
        slow.open()
        for future in silent + more.dropLast().map(\.future) {
            await #expect(throws: FetchError.self) { try await future.get() }
        }
        #expect(slow.state.value.most == 4)
        #expect(!slow.state.value.done.contains("silent19"))
    }

    @Test("both questions of an attempt to connect are one look-up, answered by families")
    func families() async throws {
        let count = NIOLockedValueBox(0)
        let pool = LookUpPool(width: 1) { _, port in
            count.withLockedValue { $0 += 1 }
            return ["127.0.0.1", "::1", "127.0.0.2"].compactMap { try? SocketAddress(ipAddress: $0, port: port) }
        }
        let resolver = PooledResolver(pool, eventLoop: self.eventLoop)
        let six = resolver.initiateAAAAQuery(host: "h", port: 1)
        let four = resolver.initiateAQuery(host: "h", port: 1)
        #expect(try await six.get().map(\.ipAddress) == ["::1"])
        #expect(try await four.get().map(\.ipAddress) == ["127.0.0.1", "127.0.0.2"])
        #expect(count.withLockedValue { $0 } == 1)
    }

    @Test("a place where nobody is found is tried less and less often")
    func backOff() {
        let delays = (1...8).map { ClusterLane.delay(afterFailures: $0) }
        #expect(delays == [10, 20, 40, 80, 160, 300, 300, 300].map { .seconds($0) })
        #expect(ClusterLane.delay(afterFailures: Int.max) == .seconds(300))
    }
}
