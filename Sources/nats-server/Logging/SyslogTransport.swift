import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Sends messages to a syslog service, one `send` each, and connects again when the connection is lost.
final class SyslogTransport: LogTransport, @unchecked Sendable {
    /// For how long no new connection is tried after one has failed; what is logged meanwhile is lost.
    private static let pause = Duration.seconds(1)

    private let address: SyslogAddress
    private var descriptor: CInt
    /// Not by the wall clock, which may be set back by days.
    private var failedAt: ContinuousClock.Instant?

    init(_ address: SyslogAddress) throws(SyslogAddress.Failure) {
        self.address = address
        self.descriptor = try Self.connect(address)
    }

    func writeAtOnce(_ line: ArraySlice<UInt8>) -> Int {
        guard self.descriptor >= 0 else { return 0 }
        // A datagram's failure is told by the next one's, which then has not been sent.
        for _ in 0..<2 {
            switch SystemCalls.send(line, to: self.descriptor, waits: false) {
            case .sent(let count): return count
            case .wouldWait: return 0
            case .failed: continue
            }
        }
        // The other thread may connect again, which can take its time.
        return 0
    }

    func writeWaiting(_ line: ArraySlice<UInt8>) {
        if self.descriptor >= 0, self.send(line) {
            return
        }
        if self.reconnect() {
            _ = self.send(line)
        }
    }

    func close() {
        SystemCalls.close(self.descriptor)
        self.descriptor = -1
    }

    private func send(_ line: ArraySlice<UInt8>) -> Bool {
        var rest = line
        while !rest.isEmpty {
            switch SystemCalls.send(rest, to: self.descriptor, waits: true) {
            case .sent(let count): rest = rest.dropFirst(count)
            case .wouldWait: continue
            case .failed: return false
            }
        }
        return true
    }

    private func reconnect() -> Bool {
        let now = ContinuousClock.now
        if let failedAt = self.failedAt, now - failedAt < Self.pause {
            return false
        }
        if self.descriptor >= 0 {
            self.close()
        }
        do {
            self.descriptor = try Self.connect(self.address)
            self.failedAt = nil
            return true
        } catch {
            self.failedAt = now
            return false
        }
    }

    // MARK: Connecting

    private static func connect(_ address: SyslogAddress) throws(SyslogAddress.Failure) -> CInt {
        switch address {
        case .local:
            // Go log/syslog unixSyslog: these sockets in this order, datagrams first.
            for type in [LocalSocket.Kind.datagram, .stream] {
                for path in ["/dev/log", "/var/run/syslog", "/var/run/log"] {
                    if case .success(let descriptor) = LocalSocket.connect(path, type) {
                        return descriptor
                    }
                }
            }
            throw SyslogAddress.Failure(description: "Unix syslog delivery error")
        case .unix(let path):
            switch LocalSocket.connect(path, .stream) {
            case .success(let descriptor): return descriptor
            case .failure(let error):
                throw SyslogAddress.Failure(description: "dial unix \(path): connect: \(error)")
            }
        case .udp(let hostPort):
            return try Self.connect(hostPort, network: "udp", .datagram)
        case .tcp(let hostPort):
            return try Self.connect(hostPort, network: "tcp", .stream)
        }
    }

    private static func connect(
        _ hostPort: String,
        network: String,
        _ kind: LocalSocket.Kind
    ) throws(SyslogAddress.Failure) -> CInt {
        guard !hostPort.isEmpty else {
            throw SyslogAddress.Failure(description: "dial \(network): missing address")
        }
        let parts: (host: String, port: String)
        do {
            parts = try HostPort.split(hostPort)
        } catch {
            throw SyslogAddress.Failure(description: "dial \(network): \(error)")
        }
        // The C library would take it modulo 65536.
        guard parts.port.isEmpty || UInt16(parts.port) != nil else {
            throw SyslogAddress.Failure(description: "dial \(network): address \(parts.port): invalid port")
        }
        var failure = "dial \(network): lookup \(parts.host): no such host"
        for address in InternetSocket.resolve(parts.host.isEmpty ? "localhost" : parts.host, parts.port, kind) {
            switch InternetSocket.connect(address) {
            case .success(let descriptor): return descriptor
            case .failure(let error): failure = "dial \(network) \(address.text): connect: \(error)"
            }
        }
        throw SyslogAddress.Failure(description: failure)
    }
}
