package import ArgumentParser

/// The flags of every tool.
package struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("s")],
        help: ArgumentHelp("Server URLs, separated by commas (NATS_URL).", valueName: "urls")
    )
    package var server: String?

    @Option(help: ArgumentHelp("User name; without a password it is a token (NATS_USER).", valueName: "name"))
    package var user: String?

    @Option(help: ArgumentHelp("Password (NATS_PASSWORD; not visible to other users there).", valueName: "password"))
    package var password: String?

    @Option(help: ArgumentHelp("Authentication token (NATS_TOKEN).", valueName: "token"))
    package var token: String?

    @Option(
        help: ArgumentHelp("Limit for connecting and for a reply (NATS_TIMEOUT; default: 2s).", valueName: "duration")
    )
    package var timeout: DurationArgument?

    @Option(help: ArgumentHelp("Name of the connection, as the server lists it.", valueName: "name"))
    package var connectionName: String?

    @Flag(name: [.long, .customShort("v")], help: "Say more on standard error.")
    package var verbose = false

    package init() {}
}
