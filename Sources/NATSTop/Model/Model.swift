/// All that the dashboard knows and shows.
///
/// A value: samples, keys, sizes and times go in, ``requests`` and the lines of ``Layout`` come out.
package struct Model: Sendable {
    /// A line that is being typed.
    package struct Prompt: Sendable, Equatable {
        package enum Purpose: Sendable, Equatable {
            case sort
            case limit
            case filter
            case columns
        }

        package var purpose: Purpose
        package var label: String
        package var text = ""
    }

    /// How a view stands.
    package struct TableState: Sendable, Equatable {
        package internal(set) var sort: Column
        package internal(set) var isDescending: Bool
        /// Nil is the usual choice.
        package internal(set) var columns: [Column]?
        package internal(set) var selected: Row.ID?
        /// Whether the selection stays with its row; it stays at the top until somebody moves it.
        package internal(set) var followsRow = false
        /// Where the selection is, among the rows that are shown.
        package internal(set) var index = 0
        /// The first row on the screen.
        package internal(set) var offset = 0
        /// Columns scrolled out to the left; the first one stays.
        package internal(set) var columnOffset = 0
        /// The longest host and name so far; they never shrink, so that columns stay where they are.
        package internal(set) var hostWidth = Column.host.fullWidth
        package internal(set) var nameWidth = 0

        init(sort: Column) {
            self.sort = sort
            self.isDescending = sort.isDescending
        }
    }

    package internal(set) var settings: Settings
    package internal(set) var view = View.connections
    package internal(set) var size: Size
    package internal(set) var prompt: Prompt?
    package internal(set) var showsHelp = false
    /// The first line of the help that is on the screen.
    package internal(set) var helpOffset = 0
    /// Rows of the view in their order, without those that the filter hides.
    package internal(set) var rows: [Row] = []
    /// How many rows there are with those that the filter hides.
    package internal(set) var rowCount = 0
    /// The connection whose subscriptions are shown.
    package internal(set) var subscriber: UInt64?
    package internal(set) var hostNames: [String: String] = [:]
    /// Our time of the next poll, while the server is lost.
    package internal(set) var nextPoll: Duration?
    /// Our time.
    package internal(set) var now = Duration.zero

    var live = Snapshot()
    var frozen: Snapshot?
    /// Another server answers since the pause began.
    var hasChangedServer = false
    private var states: [View: TableState] = [:]
    /// Where the server was that answered last, as it is shown.
    var answerer: String?
    var passingNotice: (text: String, end: Duration)?

    package init(settings: Settings = Settings(), size: Size = Size(columns: 80, rows: 24)) {
        self.settings = settings
        self.settings.limit = min(max(settings.limit, 1), Settings.maximumLimit)
        self.size = size
        for view in View.allCases { self.states[view] = TableState(sort: view.defaultSort) }
        self.view = settings.startView
        self.updateState { state in
            state.sort = settings.sort
            state.isDescending = settings.isDescending ?? settings.sort.isDescending
            state.columns = settings.columns
        }
    }

    // MARK: What is shown

    /// What is known, or was known when the screen was paused.
    package var snapshot: Snapshot { self.frozen ?? self.live }

    package var isPaused: Bool { self.frozen != nil }

    package var state: TableState { self.states[self.view] ?? TableState(sort: self.view.defaultSort) }

    package var numberStyle: NumberStyle {
        var style = NumberStyle()
        style.isRaw = self.settings.isRaw
        style.showsRates = self.settings.showsRates
        if self.settings.looksUpNames { style.hostNames = self.hostNames }
        return style
    }

    /// A line that says what just happened.
    package var notice: String? { self.passingNotice?.text }

    /// Columns of the view, whether they fit or not.
    package var columns: [Column] {
        var columns = self.state.columns ?? self.view.defaultColumns
        if self.state.columns == nil, ![.accounts, .cluster].contains(self.view), self.view.isTable,
            self.state.nameWidth == 0
        {
            columns.removeAll { $0 == .name }
        }
        if self.view == .connections, self.settings.showsSubscriptions, !columns.contains(.subscriptions) {
            columns.append(.subscriptions)
        }
        return columns
    }

    package var selectedRow: Row? {
        self.rows.indices.contains(self.state.index) ? self.rows[self.state.index] : nil
    }

    // MARK: What is wanted

    /// The pages that the next round has to ask for.
    package var requests: [Request] {
        switch self.view {
        case .connections:
            let columns = self.columns
            let identity = !self.settings.filter.isEmpty || [.account, .user].contains { columns.contains($0) }
            let subscriptions = columns.contains(.subscriptions) || self.settings.filter.needsSubjects
            return [
                .server,
                .connections(
                    limit: self.settings.limit,
                    sort: self.state.sort.serverSort,
                    subscriptions: subscriptions,
                    identity: identity || [.account, .user].contains(self.state.sort)
                ),
            ]
        case .closed:
            let sort =
                [.stop, .reason].contains(self.state.sort) ? self.state.sort.rawValue : self.state.sort.serverSort
            return [.server, .closed(limit: self.settings.limit, sort: sort)]
        case .routes: return [.server, .routes]
        case .accounts: return [.server, .accounts]
        case .subscriptions:
            guard let subscriber, !self.hasChangedServer else { return [.server] }
            return [.server, .subscriptions(connection: subscriber)]
        case .server: return [.server, .subscriptionStatistics]
        case .jetStream: return [.server, .jetStream]
        case .graphs: return [.server]
        // In this order: who does not answer as one of many is not waited for once more.
        case .cluster: return [.cluster, .server]
        }
    }

    /// Addresses on the screen whose names are wanted and not known.
    package var unknownAddresses: [String] {
        let height = Geometry(size: self.size, isTable: self.view.isTable).bodyHeight
        return self.unknownAddresses(of: self.rows.dropFirst(self.state.offset).prefix(height))
    }

    /// The same of all rows.
    package var allUnknownAddresses: [String] { self.unknownAddresses(of: self.rows[...]) }

    private func unknownAddresses(of rows: ArraySlice<Row>) -> [String] {
        guard self.settings.looksUpNames else { return [] }
        var seen: Set<String> = []
        return rows.compactMap { row in
            guard case .connection(let connection) = row.content, self.hostNames[connection.ip] == nil,
                !connection.ip.isEmpty, seen.insert(connection.ip).inserted
            else { return nil }
            return connection.ip
        }
    }

    // MARK: Changes that keys make

    mutating func updateState(_ body: (inout TableState) -> Void) {
        var state = self.state
        body(&state)
        self.states[self.view] = state
    }

    /// Another server: the numbers of connections are others' there, and nothing is selected in any view that shows one
    /// server.
    mutating func forgetServer() {
        self.hasChangedServer = false
        self.subscriber = nil
        for view in View.allCases where view != .cluster {
            guard var state = self.states[view] else { continue }
            (state.selected, state.followsRow, state.index, state.offset) = (nil, false, 0, 0)
            self.states[view] = state
        }
    }

    mutating func updateSettings(_ body: (inout Settings) -> Void) {
        body(&self.settings)
        self.arrange()
    }

    mutating func sort(by column: Column, isDescending: Bool? = nil) {
        self.updateState { state in
            // The same column again turns the order round.
            state.isDescending = isDescending ?? (state.sort == column ? !state.isDescending : column.isDescending)
            state.sort = column
            (state.index, state.offset, state.followsRow) = (0, 0, false)
        }
        self.arrange()
    }

    mutating func togglePause() {
        self.frozen = self.frozen == nil ? self.live : nil
        if self.hasChangedServer { self.forgetServer() }
        self.arrange()
    }

    mutating func show(_ text: String, seconds: Int) {
        self.passingNotice = (HarmlessText.make(text), self.now + .seconds(seconds))
    }

    /// Puts the rows of the view in order.
    mutating func arrange() {
        let snapshot = self.snapshot
        let all: [Row]
        switch self.view {
        case .connections: all = snapshot.connections
        case .closed: all = snapshot.closed
        case .routes: all = snapshot.routes
        case .accounts: all = snapshot.accounts
        case .cluster: all = snapshot.servers
        case .subscriptions: all = snapshot.subscriber == self.subscriber ? snapshot.subscriptions : []
        case .server, .jetStream, .graphs: all = []
        }
        let filter = self.settings.filter
        let state = self.state
        self.rowCount = all.count
        self.rows = Row.sorted(
            filter.isEmpty ? all : all.filter { filter.accepts($0) },
            by: state.sort,
            isDescending: state.isDescending,
            showsRates: self.settings.showsRates
        )
        let style = self.numberStyle
        let isConnections = self.view == .connections
        self.updateState { state in
            for row in all {
                let host = DisplayWidth.of(row.text(.host, style: style))
                if host > state.hostWidth { state.hostWidth = host + 2 }
                let name = DisplayWidth.of(row.text(.name, style: style))
                if name > state.nameWidth { state.nameWidth = max(4, isConnections ? name + 2 : name) }
            }
        }
        if state.followsRow, let selected = state.selected,
            let index = self.rows.firstIndex(where: { $0.id == selected })
        {
            self.updateState { $0.index = index }
        }
        self.settle()
    }

    /// Brings selection and offsets back to where something is.
    mutating func settle() {
        let height = Geometry(size: self.size, isTable: self.view.isTable).bodyHeight
        self.helpOffset = max(0, min(self.helpOffset, Details.help(self.view).count - self.size.rows + 1))
        let count = self.rows.count
        if self.view.isTable {
            let rows = self.rows
            let columns = self.columns.count
            self.updateState { state in
                state.index = max(0, min(state.index, count - 1))
                state.selected = rows.indices.contains(state.index) ? rows[state.index].id : nil
                if state.index < state.offset { state.offset = state.index }
                if state.index >= state.offset + height { state.offset = state.index - max(height, 1) + 1 }
                state.offset = max(0, min(state.offset, count - height))
                state.columnOffset = max(0, min(state.columnOffset, columns - 2))
            }
        } else {
            let lines = Details.lines(of: self).count
            self.updateState { state in
                state.offset = max(0, min(state.offset, lines - height))
            }
        }
    }
}
