import NATSText
import NATSWire

/// One of the subjects that messages of an account are mapped to.
package struct WeightedMapping: Sendable, Equatable {
    package var subject: String
    /// Percent of the messages; 0 stands for 100.
    package var weight: UInt8
    /// The cluster in which it holds; all if empty.
    package var cluster: String

    package init(_ subject: String, weight: UInt8 = 0, cluster: String = "") {
        self.subject = subject
        self.weight = weight
        self.cluster = cluster
    }

    init(_ reader: ClaimReader) throws(JSONError) {
        self.init("")
        try reader.read("subject", into: &self.subject)
        try reader.read("weight", into: &self.weight)
        try reader.read("cluster", into: &self.cluster)
    }

    /// Percent of the messages.
    package var percent: Int { self.weight == 0 ? 100 : Int(self.weight) }

    var object: JSONValue {
        var writer = ClaimWriter()
        writer.write("subject", self.subject)
        writer.writeUnlessZero("weight", self.weight)
        writer.writeUnlessEmpty("cluster", self.cluster)
        return writer.object
    }

    static func validate(_ mappings: [String: [WeightedMapping]], into report: inout ValidationReport) {
        for (subject, destinations) in mappings.sorted(by: { $0.key < $1.key }) where !report.isFull {
            let quoted = GoString.quoted(subject)
            ClaimSubject.validate(subject, into: &report)
            var total = 0
            var totals: [String: Int] = [:]
            for destination in destinations {
                ClaimSubject.validate(destination.subject, into: &report)
                if destination.percent > 100 {
                    report.error("Mapping \(quoted) has a weight \(destination.percent) that exceeds 100")
                }
                guard !destination.cluster.isEmpty else {
                    total += destination.percent
                    continue
                }
                totals[destination.cluster, default: 0] += destination.percent
                if totals[destination.cluster, default: 0] > 100 {
                    report.error(
                        "Mapping \(quoted) in cluster \(GoString.quoted(destination.cluster)) exceeds 100% among all of "
                            + "it's weighted to mappings"
                    )
                }
            }
            if total > 100 {
                report.error("Mapping \(quoted) exceeds 100% among all of it's weighted to mappings")
            }
        }
    }
}
