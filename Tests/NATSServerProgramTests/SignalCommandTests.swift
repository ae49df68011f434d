import NIOConcurrencyHelpers
import Testing

@testable import nats_server

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite struct SignalCommandTests {
    /// A machine on which signals are only noted.
    private final class Machine: Sendable {
        let sent = NIOLockedValueBox<[String]>([])
        let processes: [Int]?
        let files: [String: String]

        init(processes: [Int]? = [], files: [String: String] = [:]) {
            self.processes = processes
            self.files = files
        }

        var environment: SignalCommand.Environment {
            SignalCommand.Environment(
                readFile: { self.files[$0] },
                processes: { self.processes },
                kill: { process, signal in
                    self.sent.withLockedValue { $0.append("\(process):\(signal)") }
                    return process == 999 ? ESRCH : 0
                }
            )
        }

        func run(_ value: String) -> String? {
            do {
                try SignalCommand(value, self.environment).run(self.environment)
                return nil
            } catch {
                return error.description
            }
        }
    }

    @Test(
        "each command is its signal",
        arguments: [
            ("stop", SIGKILL), ("quit", SIGINT), ("term", SIGTERM), ("reopen", SIGUSR1), ("reload", SIGHUP),
            ("ldm", SIGUSR2),
        ]
    )
    func commands(command: String, signal: CInt) {
        let machine = Machine()
        #expect(machine.run("\(command)=123") == nil)
        #expect(machine.sent.withLockedValue { $0 } == ["123:\(signal)"])
    }

    @Test("without a target there must be exactly one server")
    func search() {
        #expect(Machine(processes: []).run("reload") == "no nats-server processes running")
        #expect(Machine(processes: [5]).run("reload") == nil)
        #expect(Machine(processes: [5, 6]).run("reload=") == "multiple nats-server processes running:\n5\n6")
        #expect(Machine(processes: nil).run("reload") == "unable to resolve pid, try providing one")
    }

    @Test("a star takes all whose id begins so")
    func pattern() {
        let machine = Machine(processes: [12, 123, 312])
        #expect(machine.run("term=12*") == nil)
        #expect(machine.sent.withLockedValue { $0 } == ["12:\(SIGTERM)", "123:\(SIGTERM)"])
        let all = Machine(processes: [12, 99])
        #expect(all.run("term=*") == nil)
        #expect(all.sent.withLockedValue { $0 }.count == 2)
    }

    @Test("a file that can be read wins over a process id, and is taken to the byte")
    func files() {
        let machine = Machine(files: ["/run/pid": "77", "12": "13", "/bad": "77\n"])
        #expect(machine.run("reload=/run/pid") == nil)
        #expect(machine.run("reload=12") == nil)
        #expect(machine.sent.withLockedValue { $0 } == ["77:\(SIGHUP)", "13:\(SIGHUP)"])
        #expect(machine.run("reload=/bad") == "invalid pid: 77\n")
    }

    @Test("errors are the official ones, and the target is looked at before the command")
    func errors() {
        let machine = Machine()
        #expect(machine.run("foo=1") == #"unknown signal "foo""#)
        #expect(machine.run("foo=abc") == "invalid pid: abc")
        #expect(machine.run("reload=999") == "\nsignal \"reload\" 999: no such process")
        #expect(machine.run("a=b=c=d") == "invalid signal parameters: [c d]")
    }

    @Test("process ids that kill(2) takes for many processes are refused")
    func wideTargets() {
        let machine = Machine()
        for target in ["0", "-1", "-55"] {
            #expect(machine.run("stop=\(target)") == "invalid pid: \(target)")
        }
        #expect(machine.sent.withLockedValue { $0.isEmpty })
    }
}
