internal import NATSServerConfig

/// A subject that becomes others, as an entry of `mappings` describes it.
package struct MappingOptions: Sendable, Equatable {
    package struct Destination: Sendable, Equatable {
        package var subject: String
        /// Percent.
        package var weight: Int
        /// Only in this cluster.
        package var cluster: String?

        package init(subject: String, weight: Int = 100, cluster: String? = nil) {
            self.subject = subject
            self.weight = weight
            self.cluster = cluster
        }
    }

    package var source: String
    package var destinations: [Destination]

    package init(source: String, destinations: [Destination]) {
        self.source = source
        self.destinations = destinations
    }

    /// The source as a destination.
    var unchanged: String { TransformRules.tokenized(self.source) }
}

extension MappingOptions {
    /// The same from a configuration.
    init(_ configuration: SubjectMapping) {
        self.init(
            source: configuration.source,
            destinations: configuration.destinations.map {
                Destination(subject: $0.subject, weight: $0.weight, cluster: $0.cluster)
            }
        )
    }
}
