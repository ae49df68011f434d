import NATSServerCore
import NATSTestSupport
import Testing

@testable import nats_server

@Suite struct MakePasswordTests {
    /// Runs it with lines on its standard input.
    private func run(_ arguments: [String], input: String = "") async throws -> (code: Int?, output: String) {
        let process = try ChildProcess(
            "/bin/sh",
            ["-c", "printf '%s' \"$INPUT\" | \"$0\" mkpasswd \"$@\"", try Program.ours.path()] + arguments,
            environment: ["INPUT": input]
        )
        guard case .exited(let code) = await process.waitForExit() else { return (nil, process.output) }
        return (code, process.output)
    }

    @Test("without arguments it makes a password of 22 characters and its hash", .enabled(if: Bcrypt.isAvailable))
    func generated() async throws {
        let (code, output) = try await self.run([])
        #expect(code == 0)
        let lines = output.split(separator: "\n")
        try #require(lines.count == 2)
        let password = String(lines[0].dropFirst("pass: ".count))
        let hash = String(lines[1].dropFirst("bcrypt hash: ".count))
        #expect(lines[0].hasPrefix("pass: ") && password.count == 22)
        #expect(lines[1].hasPrefix("bcrypt hash: $2a$11$"))
        #expect(Bcrypt.verify(password: password, hash: hash))
    }

    @Test("-p asks twice, -c sets the cost", .enabled(if: Bcrypt.isAvailable))
    func asked() async throws {
        let (code, output) = try await self.run(["-p", "-c", "4"], input: "sécret\nsécret\n")
        #expect(code == 0)
        let start = "Enter Password: \nReenter Password: \nbcrypt hash: "
        #expect(output.hasPrefix(start + "$2a$04$"))
        let hash = String(output.dropFirst(start.count).dropLast())
        #expect(Bcrypt.verify(password: "sécret", hash: hash))
        #expect(!Bcrypt.verify(password: "secret", hash: hash))
    }

    @Test(
        "what is wrong is told, exit 1",
        arguments: [
            (["-p"], "a\nb\n", "Enter Password: \nReenter Password: \nError, passwords do not match\n"),
            (["-p"], "", "Enter Password: \nError, reading the password failed\n"),
            (["-c", "3"], "", "Error, bcrypt cost should be between 4 and 31\n"),
            (["-c", "32"], "", "Error, bcrypt cost should be between 4 and 31\n"),
            (
                ["-p", "-c", "4"], String(repeating: "x", count: 73) + "\n" + String(repeating: "x", count: 73) + "\n",
                "Enter Password: \nReenter Password: \nError, bcrypt: password length exceeds 72 bytes\n"
            ),
        ]
    )
    func refused(arguments: [String], input: String, output: String) async throws {
        let result = try await self.run(arguments, input: input)
        #expect(result.code == 1)
        #expect(result.output == output)
    }

    @Test("arguments are read as flags are")
    func arguments() throws {
        #expect(try MakePassword.parse([]) == .init(asks: false, cost: 11))
        #expect(try MakePassword.parse(["--p", "-c=12"]) == .init(asks: true, cost: 12))
        #expect(throws: MakePassword.Failure.misuse("flag provided but not defined: -x")) {
            try MakePassword.parse(["-x"])
        }
        #expect(throws: MakePassword.Failure.misuse(#"unrecognized argument: "x""#)) { try MakePassword.parse(["x"]) }
        #expect(throws: MakePassword.Failure.helpRequested) { try MakePassword.parse(["-h"]) }
    }

    @Test("passwords are of letters, digits and signs, and no two alike")
    func characters() {
        var generator = SeededGenerator(seed: 5)
        let passwords = (0..<200).map { _ in MakePassword.generate(using: &generator) }
        #expect(Set(passwords).count == 200)
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!@#$%^&*()")
        #expect(passwords.allSatisfy { $0.count == 22 && allowed.isSuperset(of: $0) })
        #expect(Set(passwords.joined()) == allowed)
    }
}
