import NATSCommandSupport
import NIOCore
import Testing

@Suite("Commands for messages", .timeLimit(.minutes(2)))
struct ChildCommandTests {
    private func run(
        _ command: String,
        _ input: ByteBuffer,
        subject: String = "s"
    ) async throws
        -> ByteBuffer
    {
        try await MessageCommand(command, concurrency: 2).run(payload: input, subject: subject)
    }

    private func text(
        _ command: String,
        _ input: String = "",
        subject: String = "s"
    ) async throws
        -> String
    {
        String(buffer: try await self.run(command, ByteBuffer(string: input), subject: subject))
    }

    @Test("payload in, output out, the subject in the environment")
    func works() async throws {
        #expect(try await self.text("tr a-z A-Z", "hello") == "HELLO")
        #expect(
            try await self.text("cat; echo \" $NATS_SUBJECT\"", "x", subject: "a.$(false).`b`")
                == "x a.$(false).`b`\n"
        )
        // It need not read what it is given.
        #expect(try await self.text("echo hi", String(repeating: "x", count: 1_000_000)) == "hi\n")
        #expect(
            try await self.text("exec 0<&-; sleep 0.1; echo late", String(repeating: "x", count: 100_000))
                == "late\n"
        )
    }

    @Test("more than pipes hold goes through in both directions at once")
    func large() async throws {
        let input = ByteBuffer(bytes: (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        #expect(try await self.run("cat", input) == input)
    }

    @Test("signals and SIGPIPE are for the command what they are for any program")
    func signals() async throws {
        // "yes" ends by the signal that this process ignores; a shell that starts with it ignored cannot set a trap.
        #expect(try await self.text("yes | head -n 1") == "y\n")
        #expect(
            try await self.text("trap 'echo trapped' PIPE TERM; kill -PIPE $$; kill -TERM $$")
                == "trapped\ntrapped\n"
        )
    }

    @Test(
        "a failure says what it is",
        arguments: [
            ("exit 3", "exit status 3"), ("kill -9 $$", "signal 9"),
            ("/does/not/exist 2>/dev/null", "exit status 127"),
        ]
    )
    func failures(command: String, description: String) async throws {
        await #expect { try await self.text(command) } throws: { "\($0)" == description }
    }

    @Test("many at a time do not hold each other's pipes open")
    func concurrent() async throws {
        let command = MessageCommand("cat", concurrency: 8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let input = ByteBuffer(string: "\(number)")
                    let output = try await command.run(payload: input, subject: "s")
                    #expect(output == input)
                }
            }
            try await group.waitForAll()
        }
    }
}
