/// What a piece of text is, which decides how it looks.
package enum Role: Sendable, Hashable, CaseIterable {
    case plain
    case label
    case title
    case columnTitle
    case sortedTitle
    case selected
    case slow
    case idle
    case problem
    case notice
    /// Values of a server that does not answer.
    case stale
    case prompt
    case graph
    case footer
    case currentView

    package enum Color: Sendable, Hashable {
        case red
        case green
        case yellow
        case blue
        case cyan
    }

    /// How a terminal draws a role.
    package struct Attributes: Sendable, Hashable {
        package var color: Color?
        package var isBold = false
        package var isDim = false
        package var isReversed = false
        package var isUnderlined = false
    }

    /// What matters differs without colours too.
    package func attributes(hasColors: Bool) -> Attributes {
        func with(
            _ color: Color? = nil,
            bold: Bool = false,
            dim: Bool = false,
            reversed: Bool = false,
            underlined: Bool = false
        ) -> Attributes {
            Attributes(
                color: hasColors ? color : nil,
                isBold: bold,
                isDim: dim,
                isReversed: reversed,
                isUnderlined: underlined
            )
        }
        switch self {
        case .plain: return with()
        case .label: return with(.cyan)
        case .title: return with(bold: true)
        case .columnTitle: return with(reversed: true)
        case .sortedTitle: return with(bold: true, reversed: true, underlined: true)
        case .selected: return with(bold: true, reversed: true)
        case .slow: return with(.red, bold: true)
        case .idle: return with(dim: true)
        case .problem: return with(.red, bold: true, reversed: !hasColors)
        case .notice: return with(.yellow, bold: true)
        case .stale: return with(dim: true)
        case .prompt: return with(bold: true)
        case .graph: return with(.green)
        case .footer: return with(dim: true)
        case .currentView: return with(bold: true, reversed: true)
        }
    }
}
