/// What a command line asks for.
///
/// Pure: nothing is printed or started here.
enum Invocation: Equatable, Sendable {
    case showVersion
    case showHelp
    /// Go's `flag` failed: the message goes to stderr, the help to stdout, and the exit code is 0.
    case misuse(String)
    /// A message after `nats-server: ` on stderr; the exit code is 1.
    case refuse(String)
    case run(ProgramSettings)

    init(arguments: [String], flags: [Flag] = Flag.all) {
        let parsed: FlagParser.Result
        do {
            parsed = try FlagParser(flags).parse(arguments)
        } catch {
            self = .misuse(error.message)
            return
        }

        var settings = ProgramSettings()
        var version = false
        var help = false
        for given in parsed.given {
            switch given.flag.setting {
            case .version: version = given.value == .boolean(true)
            case .help: help = given.value == .boolean(true)
            case .some(let setting): settings.apply(setting, given.value)
            case nil: break
            }
        }
        // nats-server opts.go ConfigureOptions: version, then help, then operands, and only then what the flags say.
        if version {
            self = .showVersion
        } else if help {
            self = .showHelp
        } else if let operand = parsed.operands.first {
            switch operand.lowercased() {
            case "version": self = .showVersion
            case "help": self = .showHelp
            default: self = .refuse("unrecognized command: \(GoSyntax.quoted(operand))")
            }
        } else if let given = parsed.given.first(where: { $0.flag.setting == nil }) {
            self = .refuse("flag not supported yet: -\(given.name)")
        } else if let problem = settings.problem {
            self = .refuse(problem)
        } else {
            self = .run(settings.completed())
        }
    }
}
