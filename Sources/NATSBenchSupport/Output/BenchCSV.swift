/// A run as lines with commas, column by column as Go's nats-bench writes them.
package enum BenchCSV {
    package static func text(_ run: BenchRun, runID: String) -> String {
        var text = "#RunID,ClientID,MsgCount,MsgBytes,MsgsPerSec,BytesPerSec,DurationSecs\n"
        for group in [run.receivers, run.senders] {
            for (index, sample) in group.samples.enumerated() {
                let columns = [
                    runID,
                    "\(group.role.letter)\(index)",
                    String(sample.messages),
                    String(sample.bytes),
                    String(sample.rate),
                    FixedDecimal.text(sample.throughput, digits: 6),
                    FixedDecimal.text(sample.seconds, digits: 6),
                ]
                text += columns.joined(separator: ",") + "\n"
            }
        }
        return text
    }
}
