import NATSText
import NATSWire

/// `/healthz`: whether the server can be used.
struct HealthzDocument: Equatable {
    struct Query: Sendable {
        var details = false
        var account = ""
        var stream = ""
        var consumer = ""
    }

    let status: Int
    /// What the log says; `nil` if all is well.
    let warning: String?
    let json: [UInt8]
    /// The answer of the system account, which has the status within.
    var statusJSON: [UInt8] {
        // {"status":"ok"} becomes {"status":"ok","status_code":200}, whatever else follows.
        let member = Array(",\"status_code\":\(self.status)".utf8)
        guard let place = self.json.firstIndex(of: UInt8(ascii: ",")) ?? self.json.lastIndex(of: UInt8(ascii: "}"))
        else {
            return self.json
        }
        return Array(self.json[..<place]) + member + Array(self.json[place...])
    }

    /// - Parameters:
    ///   - query: What was asked for.
    ///   - isReady: Whether clients can connect.
    init(_ query: Query, isReady: Bool) {
        if query.account.isEmpty, !query.stream.isEmpty {
            self.init(
                400,
                "BAD_REQUEST",
                "\"account\" must not be empty when checking stream health",
                details: query.details
            )
        } else if query.stream.isEmpty, !query.consumer.isEmpty {
            self.init(
                400,
                "BAD_REQUEST",
                "\"stream\" must not be empty when checking consumer health",
                details: query.details
            )
        } else if !isReady {
            self.init(
                500,
                "CONNECTION",
                "failed to be ready for connections after 1ms: server",
                details: query.details
            )
        } else {
            // Without JetStream there is nothing more to look at, whatever else was asked for.
            var writer = JSONDocumentWriter(indentation: nil)
            writer.object { $0.write("status", "ok") }
            self.init(status: 200, warning: nil, json: writer.bytes)
        }
    }

    private init(status: Int, warning: String?, json: [UInt8]) {
        self.status = status
        self.warning = warning
        self.json = json
    }

    private init(_ status: Int, _ type: String, _ error: String, details: Bool) {
        var writer = JSONDocumentWriter(indentation: nil)
        writer.object { writer in
            writer.write("status", "error")
            if details {
                writer.array("errors") { writer in
                    writer.object { writer in
                        writer.write("type", type)
                        writer.write("error", error)
                    }
                }
            } else {
                writer.write("error", error)
            }
        }
        let text = details ? "1 errors" : GoString.quoted(Array(error.utf8))
        self.init(status: status, warning: "Healthcheck failed: \(text)", json: writer.bytes)
    }
}
