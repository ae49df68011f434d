/// Where the monitoring pages of the official server and ours may differ, each with its reason.
enum MonitoringDifferences {
    /// Values of a field anywhere; the field itself has to be there, with the same type.
    static let values: [String: String] = [
        "server_id": "each server has its own",
        "server_name": "the id, unless configured",
        "now": "time",
        "start": "time",
        "last_activity": "time",
        "stop": "time",
        "update_time": "time",
        "config_load_time": "time",
        "uptime": "time",
        "idle": "time",
        "rtt": "time",
        "port": "chosen by the system",
        "cid": "the official server's first number depends on its internal clients",
        "go": "ours is no Go program",
        "mem": "another program",
        "cpu": "another program",
        "gomaxprocs": "ours shows its event loops",
        "config_digest": "the official server is started with a file",
        "num_cache": "ours counts the match results of each event loop",
        "num_matches": "ours looks into its cache for every message but repetitions",
        "cache_hit_rate": "follows from num_matches",
        "max_fanout": "follows from num_cache",
        "avg_fanout": "follows from num_cache",
    ]

    /// Values of fields of connections that have ended.
    static let closedValues: [String: String] = [
        "pending_bytes": "the official server counts the last error line unless that is written first"
    ]

    /// Fields that only the official server has.
    static let onlyOfficial: [String: String] = [
        "git_commit": "the official build's commit; ours has another history"
    ]

    /// Pages whose bodies are not compared at all.
    static let bodies: [String: String] = [
        "/": "a page for people, in our words",
        "/stacksz": "goroutines; ours shows its event loops",
        "/debug/vars": "Go's memory statistics; ours shows a few of them",
        "/ipqueuesz?all=1": "names of Go queues that ours has not",
    ]
}
