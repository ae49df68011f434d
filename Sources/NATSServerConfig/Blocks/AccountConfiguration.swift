/// An entry of `accounts`.
package struct AccountConfiguration: Sendable, Equatable {
    /// `msg_trace`: where copies of traced messages go.
    package struct MessageTrace: Sendable, Equatable {
        package var dest: String
        /// 1 to 100.
        package var sampling: Int
    }

    /// `limits`; -1 is unlimited.
    package struct Limits: Sendable, Equatable {
        package var maxConnections = -1
        package var maxSubscriptions = -1
        package var maxPayload = -1
        package var maxLeafnodes = -1

        package init() {}
    }

    package var name: String
    package var nkey: String?
    package var users: [UserConfiguration] = []
    /// Already applied to the users that have no permissions of their own.
    package var defaultPermissions: PermissionsConfiguration?
    /// `nil`: JetStream is off for the account.
    package var jetstream: AccountJetStreamConfiguration?
    package var limits = Limits()
    package var mappings: [SubjectMapping] = []
    package var exports: [AccountExport] = []
    package var imports: [AccountImport] = []
    package var msgTrace: MessageTrace?

    package init(name: String) {
        self.name = name
    }
}

/// The limits of an account in JetStream; -1 is unlimited.
package struct AccountJetStreamConfiguration: Sendable, Equatable {
    package var maxMemory = -1
    package var maxStore = -1
    package var maxStreams = -1
    package var maxConsumers = -1
    package var maxAckPending = -1
    package var memMaxStreamBytes = -1
    package var diskMaxStreamBytes = -1
    package var maxBytesRequired = false
    /// `cluster_traffic: owner`.
    package var clusterTrafficByOwner = false

    package init() {}
}

/// `src: "dst"` of `mappings`, with weights.
package struct SubjectMapping: Sendable, Equatable {
    package struct Destination: Sendable, Equatable {
        package var subject: String
        /// Percent.
        package var weight: Int
        /// Only for messages of this cluster.
        package var cluster: String?
    }

    package var source: String
    package var destinations: [Destination]
}

/// An entry of `exports`.
package struct AccountExport: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case stream
        case service
    }

    package enum ResponseType: Sendable, Equatable {
        case single
        case stream
        case chunked
    }

    /// Where latencies of a service are published.
    package struct Latency: Sendable, Equatable {
        /// 1 to 100 percent; 0: requests ask for it by a header.
        package var sampling = 100
        package var subject = ""

        package init() {}
    }

    package var kind: Kind
    package var subject: String
    /// `nil`: every account may import.
    package var accounts: [String]?
    package var accountTokenPosition = 0
    /// Importers need an activation token; only JWTs can say so.
    package var tokenRequired = false
    package var responseType: ResponseType = .single
    package var responseThreshold: Duration?
    package var latency: Latency?
    package var allowTrace = false

    package init(kind: Kind, subject: String) {
        self.kind = kind
        self.subject = subject
    }
}

/// An entry of `imports`.
package struct AccountImport: Sendable, Equatable {
    package var kind: AccountExport.Kind
    package var account: String
    package var subject: String
    /// `prefix` of a stream.
    package var prefix: String?
    package var to: String?
    package var share = false
    package var allowTrace = false

    package init(kind: AccountExport.Kind, account: String, subject: String) {
        self.kind = kind
        self.account = account
        self.subject = subject
    }
}
