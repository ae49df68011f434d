/// A `jetstream` key or block.
///
/// The directory is ``ServerConfiguration/storeDir``.
package struct JetStreamConfiguration: Sendable, Equatable {
    package enum Cipher: Sendable, Equatable {
        case chacha
        case aes
    }

    package struct Limits: Sendable, Equatable {
        package var maxAckPending = 0
        package var maxHAAssets = 0
        package var maxRequestBatch = 0
        package var duplicateWindow: Duration = .zero
        package var maxBatchInflightPerStream = 0
        package var maxBatchInflightTotal = 0
        package var maxBatchMessages = 0
        package var maxBatchTimeout: Duration = .zero
    }

    package struct TPM: Sendable, Equatable {
        package var keysFile = ""
        package var encryptionPassword = ""
        package var srkPassword = ""
        package var pcr = 0
    }

    package var enabled = true
    package var strict = true
    /// `nil`: 75 % of the memory.
    package var maxMemoryStore: Int?
    /// `nil`: 75 % of the free disk space.
    package var maxFileStore: Int?
    package var domain: String?
    package var syncInterval: Duration = .seconds(120)
    package var syncAlways = false
    package var limits = Limits()
    package var uniqueTag: String?
    package var maxOutstandingCatchup = 0
    package var maxBufferedMsgs = 0
    package var maxBufferedSize = 0
    package var requestQueueLimit = 10_000
    package var infoQueueLimit = 10_000
    package var extensionHint: String?
    package var metaCompact = 0
    package var metaCompactSize = 0
    package var metaCompactSync = false
    package var maxConcurrentIO = 4096
    package var encryptionKey: String?
    package var previousEncryptionKey: String?
    package var cipher: Cipher?
    package var tpm: TPM?

    package init() {}
}
