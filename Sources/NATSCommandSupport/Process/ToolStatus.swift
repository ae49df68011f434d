/// How a tool ends; the numbers are the same in all tools.
package enum ToolStatus: Sendable, Hashable {
    case success
    /// Connecting, authentication, permission, publishing, I/O.
    case failure
    case usage
    /// Fewer messages or replies than asked for.
    case timeout
    case noResponders
    /// A reply tells of an error of the responder (`--fail-if-header`).
    case serviceError
    /// The reader of standard output is gone; the shell sees 141.
    case brokenPipe
    /// Re-raised after cleaning up, so that shells stop their loops.
    case signal(Int32)

    /// The status for the cases that are not a signal.
    package var code: Int32 {
        switch self {
        case .success: 0
        case .failure: 1
        case .usage: 2
        case .timeout: 3
        case .noResponders: 4
        case .serviceError: 5
        case .brokenPipe: 141
        case .signal(let number): 128 + number
        }
    }
}
