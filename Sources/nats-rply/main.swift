import NATSCommandSupport

ToolProcess.run(
    ReplyOptions.self,
    flags: CommandFlag.reply,
    connectionName: "NATS Sample Responder",
    operandsUnderPOSIX: 2,
    connection: { $0.connection },
    isQuiet: { $0.quiet },
    message: { $0.response },
    body: { options, context in try await ReplyProgram(options: options, context: context).run() }
)
