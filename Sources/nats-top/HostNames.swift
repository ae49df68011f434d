import NATSCommandSupport
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Looks up the names of addresses, one after the other, on a thread of its own.
final class HostNames: Sendable {
    private struct State {
        var waiting: ArraySlice<String> = []
        /// Looked up, or being looked up.
        var asked: Set<String> = []
        var isRunning = false
    }

    /// A look-up may take seconds: more are asked for later, if they are still wanted.
    private static let maximumWaiting = 256
    private static let maximumAsked = 65_536

    private let state = NIOLockedValueBox(State())
    private let mailbox: Mailbox
    private let name: @Sendable (String) -> String?

    /// - Parameters:
    ///   - mailbox: Gets the names as events.
    ///   - name: Asks for the name of an address, nil if it has none, and may block.
    init(mailbox: Mailbox, name: @escaping @Sendable (String) -> String? = { HostNames.name(of: $0) }) {
        self.mailbox = mailbox
        self.name = name
    }

    /// Looks up what was not looked up before, and nothing else any longer; each name comes as an event.
    func want(_ addresses: [String]) {
        let mustStart = self.state.withLockedValue { state in
            // Clients come and go: what was asked long ago may be asked again.
            if state.asked.count > Self.maximumAsked { state.asked.removeAll() }
            state.waiting = []
            for address in addresses where !state.asked.contains(address) {
                guard state.waiting.count < Self.maximumWaiting else { break }
                state.waiting.append(address)
            }
            guard !state.isRunning, !state.waiting.isEmpty else { return false }
            state.isRunning = true
            return true
        }
        guard mustStart else { return }
        Signals.withoutStops {
            let started = POSIX.startThread { [self] in
                while let address = self.next() {
                    self.mailbox.post(.hostName(self.name(address), address: address))
                }
            }
            if !started { self.state.withLockedValue { $0.isRunning = false } }
        }
    }

    private func next() -> String? {
        self.state.withLockedValue { state in
            guard let address = state.waiting.popFirst() else {
                state.isRunning = false
                return nil
            }
            state.asked.insert(address)
            return address
        }
    }

    /// Asks for the name of an address, nil if it has none, and blocks meanwhile.
    static func name(of address: String) -> String? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, nil, &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let size = socklen_t(buffer.count)
        guard getnameinfo(list.pointee.ai_addr, list.pointee.ai_addrlen, &buffer, size, nil, 0, NI_NAMEREQD) == 0
        else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
