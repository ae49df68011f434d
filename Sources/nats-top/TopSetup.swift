import NATSCommandSupport
import NATSTop

/// What the options mean; everything that can be wrong with them is found here, before the screen begins.
struct TopSetup {
    let target: Target
    let model: Model
    /// Nil is the screen.
    let formatter: BatchFormatter?
    /// Rounds after which the program ends.
    let limit: Int?
    let usesColors: Bool

    /// - Throws: `UsageError`.
    init(_ options: TopOptions, environment: (String) -> String? = POSIX.environmentVariable) throws {
        do throws(Target.Invalid) {
            self.target = try Target(server: options.server, port: options.port, securePort: options.httpsPort)
        } catch {
            throw UsageError(error.description)
        }
        if !self.target.isSecure, options.cert != nil || options.cacert != nil || options.insecure {
            throw UsageError("-cert, -key, -cacert and -k are for https: -ms PORT or -s https://…")
        }
        var settings = Settings()
        settings.limit = options.connections
        guard let order = Settings.order(options.sort, in: .connections) else {
            throw UsageError("invalid option to sort by: \(options.sort)")
        }
        (settings.sort, settings.isDescending) = order
        settings.isRaw = options.raw
        settings.showsSubscriptions = options.displaySubscriptionsColumn
        settings.looksUpNames = options.lookup
        settings.filter = Filter(options.filter)
        settings.target = options.replay.map { "\($0) (recording)" } ?? self.target.title
        if let columns = options.columns {
            let (chosen, unknown) = Settings.columns(columns, from: View.connections.defaultColumns, in: .connections)
            guard let chosen else { throw UsageError("invalid column: \(unknown)") }
            settings.columns = chosen
        }
        var model = Model(settings: settings)
        let view = View.allCases.first { $0.title.lowercased() == options.view.lowercased() }
        guard let view, view != .subscriptions else { throw UsageError("invalid view: \(options.view)") }
        if options.isBatch, !view.isTable { throw UsageError("the view \(options.view) is for the screen only") }
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
