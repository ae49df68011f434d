/// How input is cut into records, and which of them count.
package struct RecordRules: Sendable, Hashable {
    package var mode: InputMode
    /// Empty records are dropped.
    package var skipsEmpty = false
    /// `\r` before the `\n` that ends a line is dropped.
    package var stripsCarriageReturn = false
    /// A record over the limit is reported and passed over.
    package var skipsLarge = false

    package init(mode: InputMode) {
        self.mode = mode
    }

    /// The largest record worth holding for payloads up to `limit`.
    ///
    /// In JSON a byte may take six (`\u0000`), and subject and headers come on top.
    func maximumRecord(limit: Int) -> Int {
        self.mode == .json ? limit * 6 + 1024 * 1024 : limit
    }
}
