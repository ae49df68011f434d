/// What a user pressed.
package enum Key: Sendable, Hashable {
    case character(Character)
    case enter
    case escape
    case backspace
    /// Ctrl-U: the whole line of a prompt.
    case deleteLine
    case tab
    case backTab
    case up
    case down
    case left
    case right
    case pageUp
    case pageDown
    case home
    case end
    /// Ctrl-C.
    case interrupt
}

/// What the program has to do after a key.
package enum Effect: Sendable, Equatable {
    case none
    /// Other pages are wanted than before: ask at once.
    case poll
    /// Another server is wanted, by its ``ClusterServer/key``.
    case watch(String)
    case quit
}
