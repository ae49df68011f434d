/// What the match results of an event loop's accounts may take together.
///
/// `@unchecked Sendable`: confined to its loop.
final class MatchCacheBudget: @unchecked Sendable {
    /// All results of a loop together.
    static let largestSize = 48 << 20

    /// Bytes of all results.
    private(set) var size = 0
    /// Asks for ``ServerLoop/trimCaches()``, once until that has been done.
    var onExceeded: (() -> Void)?
    private var isAsking = false

    var isExceeded: Bool { self.size > Self.largestSize }

    func change(by bytes: Int) {
        self.size += bytes
        guard self.isExceeded, !self.isAsking, let onExceeded = self.onExceeded else { return }
        self.isAsking = true
        onExceeded()
    }

    /// The caches have been trimmed.
    func trimmed() { self.isAsking = false }
}
