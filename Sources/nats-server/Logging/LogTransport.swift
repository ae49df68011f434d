/// Where lines end up: a descriptor, a file that is rotated, a socket of a syslog service.
///
/// Only one thread at a time uses a transport: whoever holds the lock of its ``LogTarget``, or the thread that drains the
/// target's backlog, for as long as it drains. That is what makes the classes behind it `@unchecked Sendable`.
protocol LogTransport: AnyObject, Sendable {
    /// Writes as much as can be written without waiting.
    ///
    /// - Returns: how many bytes were taken; what can never be written counts as taken.
    func writeAtOnce(_ line: ArraySlice<UInt8>) -> Int

    /// Writes everything, however long that takes; what can never be written is lost.
    func writeWaiting(_ line: ArraySlice<UInt8>)

    /// Gives the descriptor back.
    func close()
}
