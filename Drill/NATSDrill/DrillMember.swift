/// A client that takes part: it publishes, works, asks and answers, all on one connection.
protocol DrillMember: Sendable {
    /// What it has done and seen up to now.
    var record: DrillRecord { get }

    /// Throws if it has ended by itself.
    func check() throws

    /// Begins to publish and to ask.
    func startLoad()

    /// Ends that, and waits until the server has what was published and requests have come to their end.
    ///
    /// - Throws: If that does not happen within two minutes.
    func stopLoad() async throws

    /// Ends the client.
    func end() async
}

/// The subjects of the drill.
enum DrillSubject {
    /// Numbered messages of a publisher, for everybody.
    static func plain(_ publisher: String) -> String { "plain.\(publisher)" }
    /// The same once for each queue group; there is one for each family.
    static func job(_ publisher: String) -> String { "job.\(publisher)" }
    /// Requests to a family, whose clients are a queue group.
    static func ask(_ family: DrillFamily) -> String { "ask.\(family.rawValue)" }

    /// The last token of a subject.
    static func publisher(_ subject: String) -> String {
        String(subject.split(separator: ".").last ?? "")
    }
}
