#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Why a socket could not be connected, in Go's words.
struct SocketFailure: Error, CustomStringConvertible {
    let number: CInt

    var description: String { SystemCallError.text(self.number) }
}

/// Sockets in the file system, as syslog services have them.
enum LocalSocket {
    enum Kind: Sendable {
        case stream, datagram

        var type: CInt {
            #if canImport(Glibc)
            switch self {
            case .stream: CInt(SOCK_STREAM.rawValue)
            case .datagram: CInt(SOCK_DGRAM.rawValue)
            }
            #else
            switch self {
            case .stream: SOCK_STREAM
            case .datagram: SOCK_DGRAM
            }
            #endif
        }
    }

    static func connect(_ path: String, _ kind: Kind) -> Result<CInt, SocketFailure> {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            return .failure(SocketFailure(number: EINVAL))
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                InternetSocket.open(
                    AF_UNIX,
                    kind.type,
                    0,
                    pointer,
                    socklen_t(MemoryLayout<sockaddr_un>.size)
                )
            }
        }
    }
}

/// Sockets to other machines.
enum InternetSocket {
    struct Address: Sendable {
        let family: CInt
        let type: CInt
        let transport: CInt
        let bytes: [UInt8]
        /// `127.0.0.1:514`.
        let text: String
    }

    /// All addresses of a name; none if it has none.
    static func resolve(_ host: String, _ port: String, _ kind: LocalSocket.Kind) -> [Address] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = kind.type
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var result: [Address] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            let bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
            result.append(
                Address(
                    family: entry.ai_family,
                    type: entry.ai_socktype,
                    transport: entry.ai_protocol,
                    bytes: bytes,
                    text: Self.text(address, entry.ai_addrlen) ?? "\(host):\(port)"
                )
            )
        }
        return result
    }

    static func connect(_ address: Address) -> Result<CInt, SocketFailure> {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: address.bytes.prefix($0.count)) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Self.open(
                    address.family,
                    address.type,
                    address.transport,
                    pointer,
                    socklen_t(address.bytes.count)
                )
            }
        }
    }

    static func open(
        _ family: CInt,
        _ type: CInt,
        _ transport: CInt,
        _ address: UnsafePointer<sockaddr>,
        _ length: socklen_t
    ) -> Result<CInt, SocketFailure> {
        let descriptor = socket(family, type, transport)
        guard descriptor >= 0 else { return .failure(SocketFailure(number: errno)) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard Self.systemConnect(descriptor, address, length) == 0 else {
            let number = errno
            SystemCalls.close(descriptor)
            return .failure(SocketFailure(number: number))
        }
        return .success(descriptor)
    }

    /// The address part of a socket address as Go writes it: `127.0.0.1`, `::1`, `fe80::1%eth0`.
    static func host(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        var host = [CChar](repeating: 0, count: 1025)
        guard getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func text(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        var port = [CChar](repeating: 0, count: 33)
        guard let host = Self.host(address, length),
            getnameinfo(address, length, nil, 0, &port, socklen_t(port.count), NI_NUMERICSERV) == 0
        else { return nil }
        let text = String(decoding: port.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return host.contains(":") ? "[\(host)]:\(text)" : "\(host):\(text)"
    }

    private static func systemConnect(
        _ descriptor: CInt,
        _ address: UnsafePointer<sockaddr>,
        _ length: socklen_t
    ) -> CInt {
        #if canImport(Darwin)
        Darwin.connect(descriptor, address, length)
        #elseif canImport(Musl)
        Musl.connect(descriptor, address, length)
        #else
        Glibc.connect(descriptor, address, length)
        #endif
    }
}
