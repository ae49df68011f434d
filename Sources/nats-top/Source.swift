import NATSCommandSupport
import NATSTop

/// Where rounds come from.
enum Source {
    /// Servers that answer.
    case server(Poller, HostNames)
    /// A recording; ``Replay`` holds the round that comes next.
    case recording(Replay)
}

/// A recording as it is played: each round at its time after the first one.
final class Replay {
    private let reader: RecordingReader
    private let first: Duration
    private(set) var next: Recording?

    /// - Throws: `ToolFailure` if there is nothing to play.
    init(file: String) throws {
        self.reader = try RecordingReader(file)
        self.next = try self.reader.next()
        self.first = self.next?.time ?? .zero
    }

    /// When the next round comes, since the beginning; nil at the end.
    var nextTime: Duration? {
        self.next.map { max(.zero, $0.time - self.first) }
    }

    /// Takes the next round.
    func take() throws -> Recording? {
        let recording = self.next
        self.next = recording == nil ? nil : try self.reader.next()
        return recording
    }
}
