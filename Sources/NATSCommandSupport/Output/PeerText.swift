import NATSText

/// Text that a server or a client elsewhere has chosen, for people.
package enum PeerText {
    /// `text` with escapes in the place of control characters.
    package static func harmless(_ text: String) -> String {
        GoString.harmless(text.utf8)
    }
}
