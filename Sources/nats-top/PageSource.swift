import NATSTop

/// Whom the pages are asked of: one server at a time, which can be exchanged for another one of its cluster.
protocol PageSource: Sendable {
    /// Where the server is asked, for people; without secrets.
    var title: String { get }

    /// Stands before what went wrong at the start.
    var introduction: String { get }

    /// Begins a round: all its pages, but that of the cluster, are asked of the same server.
    func begin()

    /// Asks for a page.
    ///
    /// A server that has not answered for the cluster's page of this round, and is known, is not asked once more: it would
    /// hold all up.
    ///
    /// - Returns: The answer, also one that is a refusal.
    /// - Throws: `FetchError` if there is none.
    func fetch(_ request: Request) async throws(FetchError) -> PageAnswer

    /// What is asked for a page, as it stands before what went wrong.
    func question(_ request: Request) -> String

    /// Asks another server from the next round on, by its key in the page of the cluster.
    func watch(_ server: String)

    /// Asks the next of the servers that the user named from the next round on; false if there is none left.
    func watchNext() -> Bool
}

/// What a server answered.
enum PageAnswer: Sendable {
    case body([UInt8])
    /// A page that was read already.
    case page(Page)
    /// Not the page, but a status and a text.
    case refusal(status: Int, [UInt8])
}
