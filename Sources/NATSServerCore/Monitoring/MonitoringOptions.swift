/// Where a server tells what it does, and what it tells of its configuration.
///
/// Names and defaults are those of the official configuration keys.
package struct MonitoringOptions: Sendable {
    /// `http_host`; the clients' host if empty.
    package var host = ""
    /// `http_port`: 0 for none, -1 for any free one.
    package var port = 0
    /// `https_port`: 0 for none, -1 for any free one; needs ``ServerOptions/tls``.
    package var httpsPort = 0
    /// `http_base_path`, as configured.
    package var basePath = ""

    /// `sha256:…` of the configuration; empty without a file.
    package var configurationDigest = ""
    /// `server_tags`.
    package var tags: [String] = []
    /// `server_metadata`.
    package var metadata: [String: String] = [:]
    /// `feature_flags`, on top of the defaults of the official release.
    package var featureFlags: [String: Bool] = [
        "js_ack_fc_v2": false, "js_api_reply_v2": false, "js_raft_delete_range": true, "js_snapshot_sources": false,
    ]
    /// The command line for `/debug/vars`, its secrets redacted.
    package var commandLine: [String] = []

    /// Bytes of answers that HTTP clients may leave untaken before no further list is put together.
    package var maxOutstanding = 64 << 20

    package init() {}

    var isEnabled: Bool { self.port != 0 || self.httpsPort != 0 }
}
