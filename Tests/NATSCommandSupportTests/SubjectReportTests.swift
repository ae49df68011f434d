import NATSClient
import NATSCommandSupport
import Testing

@Suite("Subject report")
struct SubjectReportTests {
    private func report(_ messages: [(String, Int)], maximumSubjects: Int = 100) -> SubjectReport {
        var report = SubjectReport(maximumSubjects: maximumSubjects)
        for (subject, size) in messages {
            let message = NATSMessage(subject: subject, payload: String(repeating: "x", count: size))
            message.withParts { report.count($0) }
        }
        return report
    }

    @Test("the busiest subjects first, then by name; the rest and all together")
    func table() {
        let report = self.report([("b", 10), ("a", 1), ("c.long", 0), ("c.long", 100), ("d", 5)])
        #expect(
            report.table(top: 10) == """
                Subject  Messages  Bytes
                c.long          2    100
                a               1      1
                b               1     10
                d               1      5
                Total           5    116

                """
        )
        #expect(
            report.table(top: 2) == """
                Subject   Messages  Bytes
                c.long           2    100
                a                1      1
                (others)         2     15
                Total            5    116

                """
        )
        #expect(self.report([]).table(top: 2) == "Subject  Messages  Bytes\nTotal           0      0\n")
    }

    @Test("whoever publishes neither fills the memory nor steers the terminal")
    func hostile() {
        let many = self.report((0..<10).map { ("s.\($0)", 1) } + [("s.0", 1)], maximumSubjects: 3)
        #expect(
            many.table(top: 1) == """
                Subject   Messages  Bytes
                s.0              2      2
                (others)         9      9
                Total           11     11

                """
        )
        #expect(!self.report([("a\u{1B}[2J", 1)]).table(top: 1).contains("\u{1B}"))
    }
}
