/// What a token of a mapping's destination asks for.
///
/// Wildcards are counted from 1, as they are written; whoever uses them takes any other number for the first token of the
/// subject (nats-server subject_transform.go: the default of a Go map).
package enum TransformFunction: Sendable, Equatable {
    /// The token as it stands.
    case literal
    /// `$1` and `{{wildcard(1)}}`.
    case wildcard(Int)
    /// `{{partition(n,1,2)}}`; without wildcards of the whole subject.
    case partition(count: Int, wildcards: [Int])
    /// `{{random(n)}}`
    case random(Int)
    case splitFromLeft(wildcard: Int, position: Int)
    case splitFromRight(wildcard: Int, position: Int)
    case sliceFromLeft(wildcard: Int, size: Int)
    case sliceFromRight(wildcard: Int, size: Int)
    case left(wildcard: Int, size: Int)
    case right(wildcard: Int, size: Int)
    case split(wildcard: Int, separator: String)

    /// The wildcards of the source that it uses.
    package var wildcards: [Int] {
        switch self {
        case .literal, .random: []
        case .wildcard(let index): [index]
        case .partition(_, let indexes): indexes
        case .splitFromLeft(let index, _), .splitFromRight(let index, _), .sliceFromLeft(let index, _),
            .sliceFromRight(let index, _), .left(let index, _), .right(let index, _), .split(let index, _):
            [index]
        }
    }
}
