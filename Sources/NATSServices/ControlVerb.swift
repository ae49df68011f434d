/// The three questions that each service answers (ADR-32).
enum ControlVerb: String, CaseIterable, Sendable {
    case ping = "PING"
    case info = "INFO"
    case statistics = "STATS"

    var responseType: String {
        switch self {
        case .ping:
            "io.nats.micro.v1.ping_response"
        case .info:
            "io.nats.micro.v1.info_response"
        case .statistics:
            "io.nats.micro.v1.stats_response"
        }
    }

    /// The subject for all services, for those of a name, or for one instance.
    func subject(prefix: String, name: String? = nil, id: String? = nil) -> String {
        var subject = prefix + "." + self.rawValue
        if let name {
            subject += "." + name
            if let id {
                subject += "." + id
            }
        }
        return subject
    }
}
