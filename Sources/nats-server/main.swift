import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

let help = HelpText(release: ServerVersion.release, compatibleVersion: ServerVersion.compatible)

switch Invocation(arguments: Array(CommandLine.arguments.dropFirst())) {
case .showVersion:
    StandardStreams.output("nats-server: v\(ServerVersion.compatible)\n")
    exit(0)
case .showHelp:
    StandardStreams.output(help.render(Flag.all))
    exit(0)
case .misuse(let message):
    StandardStreams.error(message + "\n")
    StandardStreams.output(help.render(Flag.all))
    exit(0)
case .refuse(let message):
    StandardStreams.error("nats-server: \(message)\n")
    exit(1)
case .run(let settings):
    ServerProgram(settings: settings).run()
}
