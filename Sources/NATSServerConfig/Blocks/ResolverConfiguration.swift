/// `resolver`: where account JWTs come from.
package enum ResolverConfiguration: Sendable, Equatable {
    case memory
    case url(String)
    case full(Directory)
    case cache(Directory)

    /// JWTs in a directory.
    package struct Directory: Sendable, Equatable {
        package var dir = ""
        package var allowDelete = false
        package var hardDelete = false
        /// 0: unlimited for a full resolver, 1000 for a cache.
        package var limit = 0
        package var ttl: Duration = .zero
        package var interval: Duration = .zero
        package var timeout: Duration = .milliseconds(1900)
    }
}
