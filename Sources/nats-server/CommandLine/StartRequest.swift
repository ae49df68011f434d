/// What a command line says about a start: a configuration file, and what wins over it.
struct StartRequest: Equatable, Sendable {
    var configFile: String?
    /// `-t`: check the file and exit.
    var onlyTests = false
    var overrides = FlagOverrides()
}
