package import NIOCore
import NIOPosix

/// A command of the shell that gets each payload on its standard input, and whose output takes the payload's place.
///
/// Each runs in a process of its own, on a thread that waits for it: as many at a time as there are threads.
package final class MessageCommand: Sendable {
    /// How many run at a time at most.
    package let concurrency: Int

    private let command: String
    private let threads: NIOThreadPool
    private let childStop = ChildStop()

    /// Starts the threads, which live as long as the process.
    package init(_ command: String, concurrency: Int = max(2, min(System.coreCount, 16))) {
        self.command = command
        self.concurrency = concurrency
        self.threads = NIOThreadPool(numberOfThreads: concurrency)
        self.threads.start()
    }

    /// Ends all runs, those to come included.
    package func stop() {
        self.childStop.request()
    }

    /// Runs the command for one message.
    ///
    /// - Parameters:
    ///   - payload: What the command reads; it need not.
    ///   - subject: `NATS_SUBJECT` in its environment. The command's text is never put together with it: a subject is
    ///     chosen by whoever publishes.
    ///   - reply: `NATS_REPLY` there.
    /// - Returns: What it wrote.
    /// - Throws: `ChildCommand.Failure` if it cannot be started or does not end with status 0.
    package func run(
        payload: ByteBuffer,
        subject: String,
        reply: String? = nil
    ) async throws(ChildCommand.Failure) -> ByteBuffer {
        var variables = [(name: "NATS_SUBJECT", value: subject)]
        if let reply { variables.append((name: "NATS_REPLY", value: reply)) }
        let command = ChildCommand(command: self.command, environment: variables)
        let result: Result<ByteBuffer, ChildCommand.Failure>
        do {
            result = try await self.threads.runIfActive {
                do throws(ChildCommand.Failure) {
                    return .success(try command.run(input: payload, stop: self.childStop))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw ChildCommand.Failure("\(error)")
        }
        return try result.get()
    }
}
