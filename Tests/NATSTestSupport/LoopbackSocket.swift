#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A system call failed.
package struct SystemError: Error, CustomStringConvertible {
    package let call: String
    package let code: CInt

    package init(_ call: String, code: CInt = errno) {
        self.call = call
        self.code = code
    }

    package var description: String {
        "\(self.call): \(String(cString: strerror(self.code)))"
    }
}

/// The few socket calls the raw peers need, the same on Linux and Apple platforms.
enum LoopbackSocket {
    /// A new TCP socket that child processes do not inherit.
    static func make() throws -> CInt {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #elseif canImport(Musl)
        let descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
        #else
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else {
            throw SystemError("socket")
        }
        Self.prepare(descriptor)
        return descriptor
    }

    /// Sets what every socket here has: closed on exec, no SIGPIPE.
    static func prepare(_ descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #if canImport(Darwin)
        Self.set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
    }

    static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    static func disableDelay(_ descriptor: CInt) {
        #if canImport(Darwin)
        Self.set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)
        #else
        Self.set(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        #endif
    }

    /// Makes the next close send RST instead of FIN.
    static func resetOnClose(_ descriptor: CInt) {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Calls `body` with 127.0.0.1 and the port as the kernel wants it.
    static func withAddress<Result>(
        port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        var address = sockaddr_in()
        #if canImport(Darwin)
        address.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
        #endif
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The port a bound socket has.
    static func port(of descriptor: CInt) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else {
            throw SystemError("getsockname")
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
