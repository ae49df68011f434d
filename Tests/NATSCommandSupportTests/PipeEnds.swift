import NATSTestSupport
import NIOConcurrencyHelpers

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Both ends of a pipe.
///
/// Closed by name and not with the last reference, which may be gone while somebody still uses a descriptor.
final class PipeEnds: Sendable {
    let read: Int32
    let write: Int32
    private let isWriterOpen = NIOLockedValueBox(true)

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ConditionNotMet(description: "no pipe: errno \(errno)")
        }
        (self.read, self.write) = (ends[0], ends[1])
    }

    /// Closes both; once.
    func closeAll() {
        self.closeWriter()
        close(self.read)
    }

    /// Ends what can be read.
    func closeWriter() {
        self.isWriterOpen.withLockedValue { isOpen in
            if isOpen { close(self.write) }
            isOpen = false
        }
    }
}
