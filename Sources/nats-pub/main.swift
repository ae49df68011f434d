import NATSCommandSupport

ToolProcess.run(
    PublishOptions.self,
    flags: CommandFlag.publish,
    connectionName: "NATS Sample Publisher",
    connection: { $0.connection },
    isQuiet: { $0.quiet },
    message: { $0.message },
    body: { options, context in try await PublishProgram(options: options, context: context).run() }
)
