import NATSClient
package import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What every tool has while it runs.
package struct ToolContext: Sendable {
    package var settings: ConnectionSettings
    package var diagnostics: Diagnostics
    package var shutdown: ShutdownRequest
    /// Where the tool runs, and its connection with it.
    package var eventLoop: any EventLoop
    /// How long cleaning up after a signal may take.
    package var drainTimeout: Duration
    /// The message operand, where it is not UTF-8.
    package var messageBytes: [UInt8]?
    /// Whether the lines of the protocol are printed.
    package var tracesProtocol: Bool

    /// The payload that the message operand stands for.
    package func payload(ofMessage text: String) -> ByteBuffer {
        self.messageBytes.map { ByteBuffer(bytes: $0) } ?? ByteBuffer(string: text)
    }

    /// How long the last flush may take.
    package var flushTimeout: Duration {
        if self.shutdown.signal != nil { return self.drainTimeout }
        return self.settings.hasExplicitTimeout ? self.settings.timeout : .seconds(10)
    }

    /// Waits for `duration`, or until a signal asks the tool to end.
    package func sleep(for duration: Duration) async {
        _ = try? await self.cancelledBySignal { try await Task.sleep(for: duration) }
    }

    /// Runs `body`, and cancels it when a signal asks the tool to end.
    ///
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    package func cancelledBySignal<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            let shutdown = self.shutdown
            group.addTask { try await body() }
            group.addTask {
                _ = await shutdown.wait()
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }
}

extension ToolProcess {
    /// A tool's whole life: reads the command line, runs `body`, ends the process.
    ///
    /// - Parameters:
    ///   - options: The tool's options.
    ///   - flags: The tool's flags.
    ///   - connectionName: The connection's name unless a flag gives another.
    ///   - operandsUnderPOSIX: As in `ParsableCommand.request`.
    ///   - connection: Finds the common options.
    ///   - isQuiet: Finds `--quiet`.
    ///   - message: Finds the message operand, the only argument that need not be UTF-8.
    ///   - body: The work; what it throws is printed and becomes the exit status.
    package static func run<Options: ToolOptions>(
        _ options: Options.Type,
        flags: [CommandFlag],
        connectionName: String,
        operandsUnderPOSIX: Int? = nil,
        connection: @escaping @Sendable (Options) -> ConnectionOptions,
        isQuiet: @escaping @Sendable (Options) -> Bool,
        message: @escaping @Sendable (Options) -> String? = { _ in nil },
        body: @escaping @Sendable (Options, ToolContext) async throws -> ToolStatus
    ) -> Never {
        Self.reopenClosedStandardDescriptors()
        let arguments = ToolArguments.current
        let request = Options.request(
            arguments.texts,
            flags: flags,
            isPOSIX: POSIX.environmentVariable("POSIXLY_CORRECT") != nil,
            operandsUnderPOSIX: operandsUnderPOSIX
        )
        switch request {
        case .print(let text):
            Self.end(Self.write(text, to: 1) ? .success : .failure)
        case .refuse(let text):
            _ = Self.write(text, to: 2)
            Self.end(.usage)
        case .run(let options):
            let drainTimeout = connection(options).drainTimeout.duration
            Self.run(drainTimeout: drainTimeout) { shutdown, eventLoop in
                var diagnostics = Diagnostics()
                diagnostics.isQuiet = isQuiet(options)
                diagnostics.isVerbose = connection(options).verbose
                do {
                    let settings = try ConnectionSettings(
                        options: connection(options),
                        environment: POSIX.environmentVariable,
                        defaultName: connectionName
                    )
                    let context = ToolContext(
                        settings: settings,
                        diagnostics: diagnostics,
                        shutdown: shutdown,
                        eventLoop: eventLoop,
                        drainTimeout: drainTimeout,
                        messageBytes: try arguments.bytes(ofMessage: message(options)),
                        tracesProtocol: connection(options).trace
                    )
                    return try await body(options, context)
                } catch let error as UsageError {
                    _ = Self.write(Options.refusal(error.description), to: 2)
                    return .usage
                } catch {
                    return Self.report(error, diagnostics, shutdown)
                }
            }
        }
    }

    private static func report(
        _ error: any Error,
        _ diagnostics: Diagnostics,
        _ shutdown: ShutdownRequest
    ) -> ToolStatus {
        let failure: ToolFailure
        switch error {
        case let error as ToolFailure:
            failure = error
        case let error as OutputWriter.WriteError:
            if error.isBrokenPipe { return .brokenPipe }
            failure = ToolFailure("standard output: \(POSIX.describe(error.errno))")
        case let error as NATSError:
            failure = ToolFailure(error)
        default:
            failure = ToolFailure("\(error)")
        }
        // What a signal cut short has failed on purpose.
        if shutdown.signal == nil { diagnostics.error(failure.description) }
        return failure.status
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { POSIX.writeAll(UnsafeRawBufferPointer($0), to: descriptor) } == 0
    }
}
