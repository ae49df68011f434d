import Synchronization

/// How large the lists of a page may get, while several event loops put them together.
///
/// Whoever asks over NATS can take no more at once than may wait for it (`max_pending`): a larger answer would only make it
/// a slow consumer, and cost the server as much memory as somebody likes to ask for.
final class PageSize: Sendable {
    /// The page is too large.
    struct Exceeded: Error {}

    private let limit: Int
    private let taken = Atomic<Int>(0)

    /// - Parameter limit: In bytes; about as many as the page has.
    init(limit: Int = .max) { self.limit = limit }

    var isExceeded: Bool { self.taken.load(ordering: .relaxed) > self.limit }

    /// Something more is to be shown.
    ///
    /// - Parameter bytes: About how long it is.
    /// - Returns: `false` if that is too much.
    func take(_ bytes: Int) -> Bool { self.taken.add(bytes, ordering: .relaxed).newValue <= self.limit }
}
