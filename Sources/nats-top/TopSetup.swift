import NATSCommandSupport
import NATSTop

/// What the options mean; everything that can be wrong with them is found here, before the screen begins.
struct TopSetup {
    /// Whom the pages are asked of.
    enum Origin {
        /// Monitoring ports; the first one is shown.
        case pages(Target, others: [Target])
        /// Requests on `$SYS`.
        case system(ConnectionSettings)
    }

    let origin: Origin
    let model: Model
    /// Nil is the screen.
    let formatter: BatchFormatter?
    /// Rounds after which the program ends.
    let limit: Int?
    let usesColors: Bool

    /// - Parameters:
    ///   - options: As they were read.
    ///   - flags: Those that were given, by their first names.
    ///   - environment: A variable's value.
    /// - Throws: `UsageError`.
    init(
        _ options: TopOptions,
        flags: [String],
        environment: (String) -> String? = POSIX.environmentVariable
    ) throws {
        if options.replay != nil { try Self.refuseWithReplay(flags) }
        self.origin = try Self.origin(options, environment)
        var settings = Settings()
        settings.limit = options.connections
        let view = View.allCases.first { $0.title.lowercased() == options.view.lowercased() }
        guard let view, view != .subscriptions else { throw UsageError("invalid view: \(options.view)") }
        if options.isBatch, !view.isTable { throw UsageError("the view \(options.view) is for the screen only") }
        settings.startView = view.isTable ? view : .connections
        settings.sort = settings.startView.defaultSort
        if let sort = options.sort {
            guard let order = Settings.order(sort, in: settings.startView) else {
                throw UsageError("invalid option to sort by: \(sort)")
            }
            (settings.sort, settings.isDescending) = order
        }
        settings.isRaw = options.raw
        settings.showsSubscriptions = options.displaySubscriptionsColumn
        settings.looksUpNames = options.lookup
        settings.filter = Filter(options.filter)
        if case .pages(let target, _) = self.origin { settings.target = target.title }
        if let file = options.replay { (settings.target, settings.isRecording) = ("\(file) (recording)", true) }
        if let columns = options.columns {
            let view = settings.startView
            let (chosen, unknown) = Settings.columns(columns, from: view.defaultColumns, in: view)
            guard let chosen else { throw UsageError("invalid column: \(unknown)") }
            settings.columns = chosen
        }
        var model = Model(settings: settings)
        model.open(view)
        self.model = model
        self.formatter = Self.formatter(options)
        self.limit = Self.limit(options)
        self.usesColors =
            switch options.color {
            case .always: true
            case .never: false
            case .auto: environment("NO_COLOR")?.isEmpty ?? true
            }
    }

    /// Flags that say how a recording is shown; all others say whom to ask, and how.
    private static let flagsOfReplay: Set<String> = [
        "replay", "refreshes", "sort", "output", "delimiter", "raw", "display-subscriptions-column", "batch", "json",
        "view", "filter", "columns", "color",
    ]

    private static func refuseWithReplay(_ flags: [String]) throws(UsageError) {
        var names: [String] = []
        for flag in flags where !Self.flagsOfReplay.contains(flag) {
            let spellings = CommandFlag.top.first { $0.names.first == flag }?.names ?? [flag]
            let name = spellings.first { $0.utf8.count <= 2 }.map { "-\($0)" } ?? "--\(flag)"
            if !names.contains(name) { names.append(name) }
        }
        guard !names.isEmpty else { return }
        throw UsageError("--replay asks no server: without effect would be \(names.joined(separator: ", "))")
    }

    private static func origin(_ options: TopOptions, _ environment: (String) -> String?) throws -> Origin {
        if options.asksSystemAccount {
            let settings = try ConnectionSettings(
                options: try options.connectionOptions,
                environment: environment,
                defaultName: "nats-top"
            )
            return .system(settings)
        }
        do throws(Target.Invalid) {
            let servers = options.servers.isEmpty ? ["127.0.0.1"] : options.servers
            var targets: [Target] = []
            for server in servers {
                targets.append(try Target(server: server, port: options.port, securePort: options.httpsPort))
            }
            guard let first = targets.first else { throw Target.Invalid(description: "no server") }
            if !targets.contains(where: \.isSecure), options.usesFilesOfHTTPS {
                throw Target.Invalid(description: "-cert, -key, -cacert and -k are for https: -ms PORT or -s https://…")
            }
            return .pages(first, others: Array(targets.dropFirst()))
        } catch {
            throw UsageError(error.description)
        }
    }

    private static func formatter(_ options: TopOptions) -> BatchFormatter? {
        if options.json { return BatchFormatter(format: .json) }
        if let delimiter = options.delimiter, !delimiter.isEmpty {
            return BatchFormatter(format: .delimited(delimiter))
        }
        if options.batch { return BatchFormatter(format: .log) }
        return options.output == nil ? nil : BatchFormatter(format: .grid)
    }

    /// `-o` alone is the first snapshot.
    private static func limit(_ options: TopOptions) -> Int? {
        if let refreshes = options.refreshes, refreshes > 0 { return refreshes }
        return options.output != nil && !options.batch ? 1 : nil
    }
}
