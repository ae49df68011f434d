import NATSTestSupport
import NIOConcurrencyHelpers
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

/// What a signal, which cancels the work of a tool, must not do to its input and output.
@Suite struct SignalTests {
    private func waitForCancellation() async {
        while !Task.isCancelled {
            await Task.yield()
        }
    }

    @Test("a record that has no end yet is not handed out when the task is cancelled", arguments: [true, false])
    func halfRecord(hasLineEnds: Bool) async throws {
        let ends = try PipeEnds()
        // The reader's thread may still be on its way to the other one.
        defer { ends.closeWriter() }
        let text = Array("half a message".utf8)
        #expect(text.withUnsafeBytes { POSIX.writeAll($0, to: ends.write) } == 0)
        let reader = InputReader([.descriptor(ends.read)])
        let rules = RecordRules(mode: hasLineEnds ? .newline : .endOfFile)
        var records = PayloadRecords(reader: reader, rules: rules, limit: 1024)
        #expect(try await records.waitForMore())
        #expect(try records.next() == nil)
        let cancelled = Task { [records] in
            var records = records
            await self.waitForCancellation()
            let hasMore = try await records.waitForMore()
            return (hasMore, try records.next())
        }
        cancelled.cancel()
        let (hasMore, record) = try await cancelled.value
        #expect(!hasMore && record == nil)
        reader.stop()
    }

    @Test("a flush in a cancelled task waits until everything is written")
    func flush() async throws {
        let ends = try PipeEnds()
        defer { ends.closeAll() }
        let writer = try OutputWriter(descriptor: ends.write)
        let size = 4 << 20
        var output = ByteBuffer(repeating: 1, count: size)
        try writer.submit(&output)
        let taken = NIOLockedValueBox(0)
        let flushing = Task {
            await self.waitForCancellation()
            try await writer.flush()
            return taken.withLockedValue { $0 }
        }
        flushing.cancel()
        let reading = Task.detached {
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            var total = 0
            while total < size {
                let count = buffer.withUnsafeMutableBytes { read(ends.read, $0.baseAddress, $0.count) }
                guard count > 0 else {
                    return total
                }
                total += count
                taken.withLockedValue { $0 = total }
            }
            return total
        }
        // All but what the pipe itself holds was read before.
        #expect(try await flushing.value >= size - (1 << 20))
        #expect(await reading.value == size)
    }

    @Test("a senseless max_payload allows what the client allows")
    func maximumPayload() throws {
        #expect(ToolConnection.maximumPayload(announced: .min) == 64 << 20)
        #expect(ToolConnection.maximumPayload(announced: 0) == 64 << 20)
        #expect(ToolConnection.maximumPayload(announced: .max) == 64 << 20)
        #expect(ToolConnection.maximumPayload(announced: 1024) == 1024)
        var splitter = RecordSplitter(delimiter: [10], maximumLength: .min)
        splitter.append(ByteBuffer(string: "x"))
        #expect(try splitter.next() == nil)
        splitter.append(ByteBuffer(string: "\n"))
        #expect(throws: RecordSplitter.RecordTooLarge.self) { try splitter.next() }
    }
}
