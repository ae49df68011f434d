import NATSServerCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

let help = HelpText(release: ServerVersion.release, compatibleVersion: ServerVersion.compatible)

/// Ends with a message, as the official server's `PrintAndDie` does.
func refuse(_ message: String) -> Never {
    StandardStreams.error("nats-server: \(message)\n")
    exit(1)
}

switch Invocation(arguments: Array(CommandLine.arguments.dropFirst())) {
case .showVersion:
    StandardStreams.output("nats-server: v\(ServerVersion.compatible)\n")
    exit(0)
case .showHelp:
    StandardStreams.output(help.render(Flag.all))
    exit(0)
case .showTLSHelp:
    StandardStreams.output(TLSHelpText.render())
    exit(0)
case .misuse(let message):
    StandardStreams.error(message + "\n")
    StandardStreams.output(help.render(Flag.all))
    exit(0)
case .refuse(let message):
    refuse(message)
case .makePassword(let arguments):
    exit(MakePassword.run(arguments))
case .signal(let command):
    do {
        try SignalCommand(command, .system).run(.system)
    } catch {
        refuse("\(error)")
    }
    exit(0)
case .start(let request):
    do {
        if request.onlyTests, let path = request.configFile {
            let digest = try StartConfiguration.test(path)
            StandardStreams.error("nats-server: configuration file \(path) is valid (\(digest))\n")
            exit(0)
        }
        let start = try StartConfiguration(request)
        if let problem = start.problem { refuse(problem) }
        if let part = start.firstUnsupported { refuse("not supported yet: \(part)") }
        StandardStreams.error(start.warnings)
        ServerProgram.run(start, request)
    } catch {
        refuse("\(error)")
    }
}
