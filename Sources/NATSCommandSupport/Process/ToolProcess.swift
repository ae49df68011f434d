import NATSClient
package import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The one place that deals with signals, standard descriptors and the end of the process.
package enum ToolProcess {
    /// How long a tool may take to clean up after the first signal if it is not told.
    package static let drainTimeout: Duration = .seconds(5)

    /// Runs `body` on an event loop, which is the main thread, and ends the process.
    ///
    /// The connection lives on the same loop: to start a group of loops is a good part of what a tool that sends one
    /// message has to do (decision 0013). So `body` never blocks; standard input and output have threads, and signals.
    ///
    /// The first `SIGINT`, `SIGTERM` or `SIGHUP` is told to `body` through its argument; when `body` then returns, the
    /// process dies by that signal whatever it returned; it also does when cleaning up takes longer than
    /// `drainTimeout`, because a peer or a reader takes nothing. A second signal ends the process at once.
    package static func run(
        drainTimeout: Duration = ToolProcess.drainTimeout,
        _ body: @escaping @Sendable (ShutdownRequest, any EventLoop) async -> ToolStatus
    ) -> Never {
        // SwiftNIO does this too; here it also covers what is written before the first connection.
        signal(SIGPIPE, SIG_IGN)
        let signals = Self.blockSignals()

        let shutdown = ShutdownRequest()
        let hasStarted = POSIX.startThread {
            Self.waitForSignals(signals, shutdown, drainTimeout)
        }
        guard hasStarted else {
            Diagnostics().error("no thread can be started: \(POSIX.describe(POSIX.resourceUnavailable))")
            Self.end(.failure)
        }
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
            shutdown.task = Task.detached(executorPreference: NATSTaskExecutor(eventLoop: loop)) {
                let status = await body(shutdown, loop)
                Self.end(shutdown.signal.map { .signal($0) } ?? status)
            }
        }
        // Nobody shuts the loop down.
        Self.end(.failure)
    }

    private static func waitForSignals(
        _ signals: sigset_t,
        _ shutdown: ShutdownRequest,
        _ drainTimeout: Duration
    ) -> Never {
        var signals = signals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            if !shutdown.request(signal: number) { Self.end(.signal(number)) }
            let received = number
            Task.detached {
                try? await Task.sleep(for: drainTimeout)
                Self.end(.signal(received))
            }
        }
    }

    /// Ends the process without running exit handlers: other threads are still at work, and everything that was to be
    /// written has been written with `write`.
    package static func end(_ status: ToolStatus) -> Never {
        switch status {
        case .signal(let number):
            Self.raiseWithDefaultAction(number)
        case .brokenPipe:
            Self.raiseWithDefaultAction(SIGPIPE)
        case .success, .failure, .usage, .timeout, .noResponders, .serviceError:
            break
        }
        _exit(status.code)
    }

    private static func raiseWithDefaultAction(_ number: Int32) {
        signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }

    /// Blocks the three signals before any other thread exists, so that only `sigwait` sees them.
    ///
    /// A `SIGHUP` that is ignored stays so (`nohup`). An ignored `SIGINT` does not: a shell script ignores it for
    /// what it starts in the background, and there a later `kill -INT` is meant.
    private static func blockSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_DFL)
            sigaddset(&set, number)
        }
        if !Self.ignoresHangUp { sigaddset(&set, SIGHUP) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return set
    }

    /// Whether this process was started with `SIGHUP` ignored, as `nohup` does.
    package static var ignoresHangUp: Bool {
        var action = sigaction()
        return sigaction(SIGHUP, nil, &action) == 0 && Self.ignores(action)
    }

    private static func ignores(_ action: sigaction) -> Bool {
        #if canImport(Darwin)
        let handler = action.__sigaction_u.__sa_handler
        #elseif canImport(Musl)
        let handler = action.__sa_handler.sa_handler
        #else
        let handler = action.__sigaction_handler.sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Gives closed descriptors 0 to 2 a target that fails, so that a socket never becomes one of them.
    package static func reopenClosedStandardDescriptors() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The wrong direction on purpose: reading and writing report `EBADF`, as they would on a closed one.
            let opened = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
            if opened != descriptor, opened >= 0 { close(opened) }
        }
    }
}
