/// What decides where log lines go and what they look like; the official defaults.
struct LogSettings: Equatable, Sendable {
    var debug = false
    var trace = false
    /// `logtime`.
    var showsTime = true
    /// `logtime_utc`.
    var isUTC = false
    /// `log_file`; wins over both kinds of syslog.
    var file: String?
    /// `log_size_limit` in bytes; 0 means no rotation.
    var fileSizeLimit = 0
    /// `log_max_num`: how many files are kept, the current one included; 0 means all.
    var maximumFiles = 0
    var syslog = false
    /// `remote_syslog`, a URL; wins over ``syslog``.
    var remoteSyslog: String?
}
