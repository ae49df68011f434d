extension NATSClientConfiguration {
    /// How servers with `ws://` and `wss://` URLs are connected to.
    ///
    /// No description shows the values of headers.
    public struct WebSocket: Sendable {
        /// A header of the request that a connection begins with.
        public struct Header: Sendable, Hashable {
            /// The header's name.
            public var name: String
            /// The header's value.
            public var value: String

            /// A header.
            public init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        /// Whether messages are compressed (permessage-deflate), if the server does so too.
        ///
        /// Saves bytes on the way, and costs time on both sides.
        public var compression = false
        /// The path of the request, for all servers, in the place of those in their URLs; discovered servers have none of
        /// their own.
        public var path: String?
        /// Headers that are added to the request.
        public var headers: [Header] = []
        /// Makes the headers, in the place of ``headers``, anew for every connection; has to be done within
        /// ``NATSClientConfiguration/connectTimeout``, and is cancelled if the connection ends before.
        ///
        /// What it throws fails the attempt with ``NATSError/Code/webSocketFailed``.
        public var makeHeaders: (@Sendable () async throws -> [Header])?

        /// No compression, path or headers.
        public init() {}

        func check() throws(NATSError) {
            guard self.makeHeaders == nil || self.headers.isEmpty else {
                throw NATSError(
                    .invalidConfiguration,
                    "headers of WebSocket requests are given or made, not both"
                )
            }
            if let path = self.path, !WebSocketRequest.isValid(path: path) {
                throw NATSError(.invalidConfiguration, "the path of WebSocket requests cannot be sent")
            }
            if let problem = WebSocketRequest.problem(with: self.headers) {
                throw NATSError(.invalidConfiguration, problem)
            }
        }
    }
}

extension NATSClientConfiguration.WebSocket: CustomStringConvertible, CustomReflectable {
    /// The options, and the names of the headers.
    public var description: String {
        let names = self.headers.map(\.name).joined(separator: ", ")
        return
            "compression: \(self.compression), path: \(self.path == nil ? "of the URL" : "given"), headers: [\(names)]"
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(self, children: ["options": self.description])
    }
}

extension NATSClientConfiguration.WebSocket.Header: CustomStringConvertible, CustomReflectable {
    /// The name.
    public var description: String {
        self.name
    }

    /// Shows what ``description`` shows.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": self.name])
    }
}
