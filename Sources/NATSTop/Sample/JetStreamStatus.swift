/// What `/varz` and `/jsz` say of JetStream.
package struct JetStreamStatus: Sendable, Equatable {
    /// What one account holds.
    package struct Account: Sendable, Equatable {
        package var name = ""
        package var memory: UInt64 = 0
        package var storage: UInt64 = 0
        package var calls: UInt64 = 0
        package var callErrors: UInt64 = 0
    }

    package var isEnabled = true
    package var domain = ""
    package var storeDirectory = ""
    package var maxMemory: UInt64 = 0
    package var maxStorage: UInt64 = 0
    package var memory: UInt64 = 0
    package var storage: UInt64 = 0
    package var accounts: UInt64 = 0
    package var calls: UInt64 = 0
    package var callErrors: UInt64 = 0
    /// Only `/jsz` tells these five.
    package var streams: UInt64?
    package var consumers: UInt64?
    package var messages: UInt64?
    package var bytes: UInt64?
    package var accountDetails: [Account] = []
    /// The leader of the group that holds the metadata; empty without a cluster.
    package var leader = ""
    package var clusterSize: UInt64 = 0

    init(varz object: LenientObject) {
        let stats = object.object("stats")
        self.readConfiguration(object.object("config"))
        self.readUse(stats)
        self.readCluster(object.object("meta"))
    }

    init(jsz object: LenientObject) {
        self.isEnabled = !object.flag("disabled")
        self.readConfiguration(object.object("config"))
        self.readUse(object)
        self.readCluster(object.object("meta_cluster"))
        self.streams = object.count("streams")
        self.consumers = object.count("consumers")
        self.messages = object.count("messages")
        self.bytes = object.count("bytes")
        self.accountDetails = object.objects("account_details", limit: Sample.maximumAccounts).map { detail in
            Account(
                name: detail.text("name"),
                memory: detail.count("memory"),
                storage: detail.count("storage"),
                calls: detail.object("api").count("total"),
                callErrors: detail.object("api").count("errors")
            )
        }
    }

    private mutating func readConfiguration(_ object: LenientObject) {
        self.maxMemory = object.count("max_memory")
        self.maxStorage = object.count("max_storage")
        self.storeDirectory = object.text("store_dir")
        self.domain = object.text("domain")
    }

    private mutating func readUse(_ object: LenientObject) {
        self.memory = object.count("memory")
        self.storage = object.count("storage")
        self.accounts = object.count("accounts")
        self.calls = object.object("api").count("total")
        self.callErrors = object.object("api").count("errors")
    }

    private mutating func readCluster(_ object: LenientObject) {
        self.leader = object.text("leader")
        self.clusterSize = object.count("cluster_size")
    }
}
