import NATSText

/// What a command line asks for.
///
/// Pure: nothing is printed or started here.
enum Invocation: Equatable, Sendable {
    case showVersion
    case showHelp
    case showTLSHelp
    /// Go's `flag` failed: the message goes to stderr, the help to stdout, and the exit code is 0.
    case misuse(String)
    /// A message after `nats-server: ` on stderr; the exit code is 1.
    case refuse(String)
    /// `mkpasswd` with its arguments.
    case makePassword([String])
    /// `--signal` with its value.
    case signal(String)
    case start(StartRequest)

    init(arguments: [String], flags: [Flag] = Flag.all) {
        let parsed: FlagParser.Result
        do {
            parsed = try FlagParser(flags).parse(arguments)
        } catch {
            self = .misuse(error.message)
            return
        }

        // The last of several wins.
        var values: [Flag.Setting: FlagParser.Value] = [:]
        for given in parsed.given {
            values[given.flag.setting] = given.value
        }
        // nats-server opts.go ConfigureOptions: version, help, TLS help, then operands, then the signal, and only then what
        // the other flags say.
        if values[.version] == .boolean(true) {
            self = .showVersion
        } else if values[.help] == .boolean(true) {
            self = .showHelp
        } else if values[.helpTLS] == .boolean(true) {
            self = .showTLSHelp
        } else if let operand = parsed.operands.first {
            switch operand.lowercased() {
            case "version": self = .showVersion
            case "help": self = .showHelp
            case "mkpasswd": self = .makePassword(Array(parsed.operands.dropFirst()))
            default: self = .refuse("unrecognized command: \(GoString.quoted(operand))")
            }
        } else if case .string(let command) = values[.signal], !command.isEmpty {
            self = .signal(command)
        } else {
            var request = StartRequest()
            if case .string(let file) = values[.configFile], !file.isEmpty { request.configFile = file }
            request.onlyTests = values[.test] == .boolean(true)
            request.overrides = FlagOverrides(parsed.given)
            if request.onlyTests, request.configFile == nil {
                self = .refuse("must specify [-c, --config] option to check configuration file syntax")
            } else {
                self = .start(request)
            }
        }
    }
}
