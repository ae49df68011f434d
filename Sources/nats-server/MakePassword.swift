import NATSServerCore
import NATSText

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// `nats-server mkpasswd [-p] [-c COST]`: makes a password, or asks for one, and prints its bcrypt hash.
///
/// The old mkpasswd utility of the official server, in its words.
enum MakePassword {
    struct Arguments: Equatable, Sendable {
        var asks = false
        var cost = 11
    }

    enum Failure: Error, Equatable {
        /// Go's `flag` failed: the message and the usage, exit code 2.
        case misuse(String)
        case refused(String)
        case helpRequested
    }

    static let usage =
        "Usage: nats-server mkpasswd [-p] [-c <cost>]\n"
        + "    -p           Ask for the password, twice, instead of making one\n"
        + "    -c <cost>    Cost of the hash: 4 to 31, each step doubles the time (default: 11)\n"

    private static let length = 22
    private static let characters = Array(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!@#$%^&*()".utf8
    )

    /// Carries it out and returns the exit code.
    static func run(_ arguments: [String]) -> CInt {
        do throws(Failure) {
            let parsed = try self.parse(arguments)
            let password: String
            if parsed.asks {
                password = try self.ask()
            } else {
                var generator = SystemRandomNumberGenerator()
                password = self.generate(using: &generator)
                StandardStreams.output("pass: \(password)\n")
            }
            var generator = SystemRandomNumberGenerator()
            let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
            guard let hash = Bcrypt.hash(password: password, cost: parsed.cost, salt: salt) else {
                throw Failure.refused("this system has no bcrypt")
            }
            StandardStreams.output("bcrypt hash: \(hash)\n")
            return 0
        } catch {
            switch error {
            case .helpRequested:
                StandardStreams.output(self.usage)
                return 0
            case .misuse(let message):
                StandardStreams.error("\(message)\n\(self.usage)")
                return 2
            case .refused(let message):
                StandardStreams.error("Error, \(message)\n")
                return 1
            }
        }
    }

    static func parse(_ arguments: [String]) throws(Failure) -> Arguments {
        let flags = [
            Flag(["p"], .boolean, .test, .common, nil, ""), Flag(["c"], .integer, .port, .common, nil, ""),
            Flag(["h", "help"], .boolean, .help, .common, nil, ""),
        ]
        let result: FlagParser.Result
        do {
            result = try FlagParser(flags).parse(arguments)
        } catch {
            throw Failure.misuse(error.message)
        }
        if let operand = result.operands.first {
            throw Failure.misuse("unrecognized argument: \(GoString.quoted(operand))")
        }
        var parsed = Arguments()
        for given in result.given {
            switch given.value {
            case .boolean(let value) where given.flag.setting == .help:
                if value { throw Failure.helpRequested }
            case .boolean(let value): parsed.asks = value
            case .integer(let value): parsed.cost = value
            case .string: break
            }
        }
        guard (4...31).contains(parsed.cost) else {
            throw Failure.refused("bcrypt cost should be between 4 and 31")
        }
        return parsed
    }

    /// Letters, digits and a few signs, each as likely as any other.
    static func generate(using generator: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<self.length).map { _ in
            self.characters[Int.random(in: 0..<self.characters.count, using: &generator)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func ask() throws(Failure) -> String {
        let first = try self.read(prompt: "Enter Password: ")
        let second = try self.read(prompt: "Reenter Password: ")
        guard first == second else { throw Failure.refused("passwords do not match") }
        // Go's bcrypt refuses what bcrypt would cut off.
        guard first.utf8.count <= Bcrypt.maxPasswordLength else {
            throw Failure.refused("bcrypt: password length exceeds \(Bcrypt.maxPasswordLength) bytes")
        }
        guard !first.utf8.contains(0) else { throw Failure.refused("a password has no NUL byte") }
        return first
    }

    /// Reads a line from standard input, without echo if that is a terminal.
    private static func read(prompt: String) throws(Failure) -> String {
        StandardStreams.output(prompt)
        var before = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &before) == 0
        if isTerminal {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        }
        // Up to the line end and not further: what follows may be the answer to the next question.
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = Self.readByte(&byte)
            if count == 0, line.isEmpty {
                StandardStreams.output("\n")
                throw Failure.refused("reading the password failed")
            }
            if count == 0 || byte == UInt8(ascii: "\n") { break }
            line.append(byte)
            guard line.count <= 4096 else { throw Failure.refused("password too long") }
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        StandardStreams.output("\n")
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Failure.refused("the password is not UTF-8")
        }
        return text
    }

    /// The next byte of standard input; returns 0 at the end and on errors.
    private static func readByte(_ byte: inout UInt8) -> Int {
        while true {
            let count = withUnsafeMutableBytes(of: &byte) { bytes in
                #if canImport(Darwin)
                Darwin.read(STDIN_FILENO, bytes.baseAddress, 1)
                #elseif canImport(Musl)
                Musl.read(STDIN_FILENO, bytes.baseAddress, 1)
                #else
                Glibc.read(STDIN_FILENO, bytes.baseAddress, 1)
                #endif
            }
            if count >= 0 { return count }
            if errno != EINTR { return 0 }
        }
    }
}
