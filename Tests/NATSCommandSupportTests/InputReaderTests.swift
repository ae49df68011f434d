import NATSTestSupport
import NIOCore
import Testing

@testable import NATSCommandSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite(.timeLimit(.minutes(1))) struct InputReaderTests {
    /// All that a reader has, each input by itself.
    private func inputs(of reader: InputReader) async throws -> [String] {
        var inputs: [String] = []
        var current = ByteBuffer()
        while let piece = try await reader.next() {
            switch piece {
            case .bytes(let block):
                #expect(block.readableBytes > 0)
                current.writeImmutableBuffer(block)
            case .end:
                inputs.append(String(buffer: current))
                current.clear()
            }
        }
        #expect(current.readableBytes == 0)
        return inputs
    }

    private func write(_ text: String, to descriptor: Int32) {
        #expect(Array(text.utf8).withUnsafeBytes { POSIX.writeAll($0, to: descriptor) } == 0)
    }

    @Test("pipes, FIFOs and files come one after the other, each to its end")
    func kinds() async throws {
        let directory = try TemporaryDirectory()
        let (file, empty) = (directory.path + "/file", directory.path + "/empty")
        let fifos = ["/fifo1", "/fifo2"].map { directory.path + $0 }
        let text = String(repeating: "0123456789abcdef", count: 50_000)
        try directory.write(text, to: "file")
        try directory.write("", to: "empty")
        for fifo in fifos { try #require(mkfifo(fifo, 0o600) == 0) }
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        let reader = InputReader([
            .file(empty), .descriptor(ends.read), .file(file), .file(fifos[0]), .file(empty), .file(fifos[1]),
        ])
        async let inputs = self.inputs(of: reader)
        // Each is more than a pipe holds, so its writer waits for the reader.
        let isWritten = POSIX.startThread {
            self.write(text, to: ends.write)
            ends.closeWriter()
            for (number, fifo) in fifos.enumerated() {
                let descriptor = open(fifo, O_WRONLY)
                self.write("\(number)" + text, to: descriptor)
                close(descriptor)
            }
        }
        #expect(isWritten)
        #expect(try await inputs == ["", text, text, "0" + text, "", "1" + text])
    }

    @Test("what is written is there while the pipe stays open, however often it runs dry")
    func runsDry() async throws {
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        let reader = InputReader([.descriptor(ends.read)])
        for number in 0..<200 {
            self.write("line \(number)\n", to: ends.write)
            #expect(try await reader.next() == .bytes(ByteBuffer(string: "line \(number)\n")))
        }
        ends.closeWriter()
        #expect(try await reader.next() == .end)
        #expect(try await reader.next() == nil)
    }

    @Test("who cannot wait is told that nothing is there yet, and has what is")
    func doesNotWait() async throws {
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        let reader = InputReader([.descriptor(ends.read)])
        #expect(try await reader.next(waits: false) == nil)
        self.write("one", to: ends.write)
        #expect(try await reader.next() == .bytes(ByteBuffer(string: "one")))
        self.write("two", to: ends.write)
        #expect(try await reader.next(waits: false) == .bytes(ByteBuffer(string: "two")))
        #expect(try await reader.next(waits: false) == nil)
        ends.closeWriter()
        #expect(try await reader.next() == .end)
    }

    @Test("records of a full pipe come without a pause, and there is one before more is waited for")
    func pauses() async throws {
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        let line = String(repeating: "x", count: 99) + "\n"
        // More than one block.
        let count = 6000
        let isWritten = POSIX.startThread {
            self.write(String(repeating: line, count: count), to: ends.write)
            ends.closeWriter()
        }
        #expect(isWritten)
        let reader = InputReader([.descriptor(ends.read)])
        var records = PayloadRecords(reader: reader, rules: RecordRules(mode: .newline), limit: 1024)
        var (found, foundAtPause) = (0, [Int]())
        while try await records.waitForMore(pause: { foundAtPause.append(found) }) {
            while try records.next() != nil { found += 1 }
        }
        #expect(found == count)
        // At the end all have been handed out.
        #expect(foundAtPause.last == count)
    }

    @Test("a pipe that nobody has written to for a while can be stopped, and so can a full one")
    func stop() async throws {
        for isFull in [false, true] {
            let ends = try PipeEnds()
            // The thread may still be on its way to it.
            defer { ends.closeWriter() }
            if isFull { self.write(String(repeating: "x", count: 60_000), to: ends.write) }
            let reader = InputReader([.descriptor(ends.read)])
            let reading = Task {
                var count = 0
                while let piece = try await reader.next() {
                    if case .bytes(let block) = piece { count += block.readableBytes }
                }
                return count
            }
            reader.stop()
            #expect(try await reading.value <= 60_000)
            #expect(reader.isStopped)
            #expect(try await reader.next() == nil)
        }
    }

    @Test("an input that cannot be read is an error that names it, after what came before")
    func missing() async throws {
        let directory = try TemporaryDirectory()
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        self.write("before", to: ends.write)
        ends.closeWriter()
        let missing = InputSource.file(directory.path + "/missing")
        let reader = InputReader([.descriptor(ends.read), missing])
        #expect(try await reader.next() == .bytes(ByteBuffer(string: "before")))
        #expect(try await reader.next() == .end)
        await #expect(throws: InputReader.ReadError(errno: ENOENT, source: missing)) { try await reader.next() }
        let folder = InputReader([.file(directory.path)])
        await #expect(throws: InputReader.ReadError(errno: EISDIR, source: .file(directory.path))) {
            try await folder.next()
        }
    }
}
