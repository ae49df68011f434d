import NATSCommandSupport

ToolProcess.run(
    RequestOptions.self,
    flags: CommandFlag.request,
    connectionName: "NATS Sample Requestor",
    operandsUnderPOSIX: 2,
    connection: { $0.connection },
    isQuiet: { $0.quiet },
    message: { $0.message },
    body: { options, context in try await RequestProgram(options: options, context: context).run() }
)
