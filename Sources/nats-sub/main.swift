import NATSCommandSupport

ToolProcess.run(
    SubscribeOptions.self,
    flags: CommandFlag.subscribe,
    connectionName: "NATS Sample Subscriber",
    connection: { $0.connection },
    isQuiet: { $0.quiet },
    body: { options, context in try await SubscribeProgram(options: options, context: context).run() }
)
