import NATSBenchSupport
import NATSCommandSupport

ToolProcess.run(
    BenchOptions.self,
    flags: CommandFlag.bench,
    connectionName: "NATS Benchmark",
    connection: { $0.connection },
    isQuiet: { $0.output.quiet },
    body: { options, context in try await BenchProgram(options: options, context: context).run() }
)
