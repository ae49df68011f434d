/// A flag of the official server: its spellings, its kind of value, and what it does here.
struct Flag: Sendable {
    /// What Go's `flag` package parses the value as.
    enum Kind: Sendable {
        case boolean, integer, string
    }

    /// The heading under which the help lists it.
    enum Group: String, Sendable, CaseIterable {
        case server = "Server Options"
        case logging = "Logging Options"
        case authorization = "Authorization Options"
        case common = "Common Options"
    }

    /// What a supported flag sets.
    enum Setting: Sendable {
        case host, port, serverName, pidFile
        case debug, trace, debugAndTrace, logTime, logFile
        case user, password, token
        case help, version
    }

    /// How the help shows a supported flag.
    struct Help: Sendable {
        let group: Group
        let placeholder: String?
        let text: String
    }

    /// All spellings without dashes; Go treats `-x` and `--x` alike.
    let names: [String]
    let kind: Kind
    /// `nil` for a flag that the official server has and this one does not have yet.
    let setting: Setting?
    let help: Help?

    static func supported(
        _ names: [String],
        _ kind: Kind,
        _ setting: Setting,
        _ group: Group,
        _ placeholder: String?,
        _ text: String
    ) -> Flag {
        Flag(
            names: names,
            kind: kind,
            setting: setting,
            help: Help(group: group, placeholder: placeholder, text: text)
        )
    }

    static func unsupported(_ kind: Kind, _ names: String...) -> Flag {
        Flag(names: names, kind: kind, setting: nil, help: nil)
    }
}
