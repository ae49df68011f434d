import NATSCommandSupport
import NIOCore
import Testing

@Suite("Record splitter")
struct RecordSplitterTests {
    /// All records of `blocks`, with the error that ended it; one by one and in runs they are the same.
    private func records(
        _ blocks: [String],
        delimiter: [UInt8] = [0x0A],
        limit: Int = 1000,
        stripsCarriageReturn: Bool = false
    ) -> (records: [String], error: RecordSplitter.RecordTooLarge?) {
        let single = self.records(blocks, delimiter, limit, stripsCarriageReturn, inRuns: false)
        let inRuns = self.records(blocks, delimiter, limit, stripsCarriageReturn, inRuns: true)
        #expect(single.records == inRuns.records)
        #expect(single.error == inRuns.error)
        return single
    }

    private func records(
        _ blocks: [String],
        _ delimiter: [UInt8],
        _ limit: Int,
        _ stripsCarriageReturn: Bool,
        inRuns: Bool
    ) -> (records: [String], error: RecordSplitter.RecordTooLarge?) {
        var splitter = RecordSplitter(
            delimiter: delimiter,
            maximumLength: limit,
            stripsCarriageReturn: stripsCarriageReturn
        )
        var result: [String] = []
        var run = RecordRun()
        do throws(RecordSplitter.RecordTooLarge) {
            for block in blocks {
                splitter.append(ByteBuffer(string: block))
                while true {
                    if inRuns {
                        splitter.takeRun(into: &run)
                        result += run.records.map { String(buffer: run.record($0)) }
                        #expect(splitter.recordNumber == result.count)
                    }
                    guard let record = try splitter.next() else { break }
                    result.append(String(buffer: record))
                }
            }
            if let record = try splitter.finish() { result.append(String(buffer: record)) }
            return (result, nil)
        } catch {
            return (result, error)
        }
    }

    @Test(
        "lines",
        arguments: [
            ("a\nb", ["a", "b"]), ("a\nb\n", ["a", "b"]), ("", []), ("\n", [""]), ("\n\na", ["", "", "a"]),
            ("a\r\nb\r\n", ["a\r", "b\r"]), ("a", ["a"]),
        ]
    )
    func lines(input: String, expected: [String]) {
        #expect(self.records([input]).records == expected)
    }

    @Test("a split after any byte yields the same records")
    func everySplit() {
        let input = "first\n\nthird is longer\nx\n\n\nlast"
        let expected = ["first", "", "third is longer", "x", "", "", "last"]
        for first in 0...input.utf8.count {
            for second in first...input.utf8.count {
                let bytes = Array(input.utf8)
                let blocks = [bytes[..<first], bytes[first..<second], bytes[second...]]
                    .map { String(decoding: $0, as: UTF8.self) }
                #expect(self.records(blocks).records == expected)
            }
        }
        #expect(self.records(input.map { String($0) }).records == expected)
    }

    @Test("a block's records come in one run, but the first and the last of it where they go on in another block")
    func runs() throws {
        var splitter = RecordSplitter(delimiter: [0x0A], maximumLength: 10)
        var run = RecordRun()
        func taken() -> [String] {
            splitter.takeRun(into: &run)
            return run.records.map { String(buffer: run.record($0)) }
        }
        splitter.append(ByteBuffer(string: "a\n\nbc\nd"))
        #expect(taken() == ["a", "", "bc"])
        #expect(taken() == [])
        #expect(try splitter.next() == nil)
        splitter.append(ByteBuffer(string: "e\nf\n01234567890\ng\n"))
        #expect(taken() == [])
        #expect(try splitter.next() == ByteBuffer(string: "de"))
        #expect(taken() == ["f"])
        #expect(splitter.recordNumber == 5)
        #expect(throws: RecordSplitter.RecordTooLarge.self) { try splitter.next() }
        #expect(taken() == ["g"])
        #expect(splitter.recordNumber == 7)
    }

    @Test("NUL ends a record and a line end does not")
    func nul() {
        #expect(self.records(["a\n\0b\0"], delimiter: [0]).records == ["a\n", "b"])
    }

    @Test("without delimiter all of the input is one record, also when there is none")
    func whole() {
        #expect(self.records(["a\n", "b\n"], delimiter: []).records == ["a\nb\n"])
        #expect(self.records([], delimiter: []).records == [""])
        #expect(self.records([""], delimiter: []).records == [""])
    }

    @Test("the largest record passes, one byte more is reported with its number and size")
    func limit() {
        #expect(self.records(["1234\n12345\n"], limit: 5).error == nil)
        for blocks in [
            ["1234\n123456\nx\n"], ["1234\n123", "456\nx\n"], ["1234\n123", "4", "56\nx"], ["1234\n123456"],
        ] {
            let (records, error) = self.records(blocks, limit: 5)
            #expect(records == ["1234"])
            #expect(error?.recordNumber == 2)
            #expect(error?.size == 6)
            #expect(error?.isAtLeast == false)
        }
    }

    @Test("without delimiter the input fails as soon as it exceeds the limit")
    func wholeLimit() {
        var splitter = RecordSplitter(delimiter: [], maximumLength: 5)
        splitter.append(ByteBuffer(string: "12345"))
        #expect(throws: Never.self) { try splitter.next() }
        splitter.append(ByteBuffer(string: "6"))
        #expect(throws: RecordSplitter.RecordTooLarge(recordNumber: 1, size: 6, isAtLeast: true)) {
            try splitter.next()
        }
    }

    @Test("a record that never ends is reported, and not kept")
    func endless() {
        var splitter = RecordSplitter(delimiter: [0], maximumLength: 10)
        let block = ByteBuffer(repeating: 1, count: 1024 * 1024)
        var error: RecordSplitter.RecordTooLarge?
        for _ in 0..<100 where error == nil {
            splitter.append(block)
            do throws(RecordSplitter.RecordTooLarge) {
                #expect(try splitter.next() == nil)
            } catch let caught {
                error = caught
            }
        }
        #expect(error?.isAtLeast == true)
        #expect((error?.size ?? 0) > RecordSplitter.countingLimit)
    }

    @Test("records are numbered from one")
    func numbers() throws {
        var splitter = RecordSplitter(delimiter: [0x0A], maximumLength: 10)
        splitter.append(ByteBuffer(string: "a\nb\nc"))
        _ = try splitter.next()
        #expect(splitter.recordNumber == 1)
        _ = try splitter.next()
        #expect(splitter.recordNumber == 2)
        _ = try splitter.next()
        _ = try splitter.finish()
        #expect(splitter.recordNumber == 3)
    }

    @Test(
        "a delimiter of several bytes is found wherever the blocks are cut",
        arguments: [
            ("a--b---c--", "--", ["a", "b", "-c"]), ("--", "--", [""]), ("a-", "--", ["a-"]), ("aab", "ab", ["a"]),
            ("xababac", "abac", ["xab"]), ("---", "--", ["", "-"]), ("a\r\n\r\nb\r\n", "\r\n\r\n", ["a", "b\r\n"]),
        ]
    )
    func severalBytes(input: String, delimiter: String, expected: [String]) {
        let bytes = Array(input.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let blocks = [bytes[..<first], bytes[first..<second], bytes[second...]]
                    .map { String(decoding: $0, as: UTF8.self) }
                // A limit that the longest record just fits.
                let limit = expected.map(\.utf8.count).max() ?? 0
                let (records, error) = self.records(blocks, delimiter: Array(delimiter.utf8), limit: limit)
                #expect(records == expected)
                #expect(error == nil)
            }
        }
        #expect(
            self.records(bytes.map { String(decoding: [$0], as: UTF8.self) }, delimiter: Array(delimiter.utf8)).records
                == expected
        )
    }

    @Test("a carriage return before the line end is dropped, and does not count")
    func carriageReturns() {
        let input = Array("ab\r\n\r\nc\n\rde\r".utf8)
        for split in 0...input.count {
            let blocks = [input[..<split], input[split...]].map { String(decoding: $0, as: UTF8.self) }
            let (records, error) = self.records(blocks, limit: 4, stripsCarriageReturn: true)
            #expect(records == ["ab", "", "c", "\rde\r"])
            #expect(error == nil)
        }
        #expect(self.records(["abc\r\n"], limit: 2, stripsCarriageReturn: true).error?.size == 3)
    }

    @Test("who passes over what is too large hears of each record once, at its end", arguments: [[UInt8](), [0x0A]])
    func passingOver(delimiter: [UInt8]) throws {
        var splitter = RecordSplitter(delimiter: delimiter, maximumLength: 2, reportsUnended: false)
        for _ in 0..<100 {
            splitter.append(ByteBuffer(repeating: 1, count: 1024 * 1024))
            #expect(try splitter.next() == nil)
        }
        if delimiter.isEmpty {
            #expect(throws: RecordSplitter.RecordTooLarge(recordNumber: 1, size: 100 << 20, isAtLeast: false)) {
                try splitter.finish()
            }
        } else {
            splitter.append(ByteBuffer(string: "\nab\n"))
            #expect(throws: RecordSplitter.RecordTooLarge(recordNumber: 1, size: 100 << 20, isAtLeast: false)) {
                try splitter.next()
            }
            #expect(try splitter.next() == ByteBuffer(string: "ab"))
            #expect(splitter.recordNumber == 2)
        }
    }
}
