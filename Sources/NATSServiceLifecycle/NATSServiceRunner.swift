public import NATSServices
public import ServiceLifecycle

/// Runs a `NATSService` in a `ServiceGroup`: when the group shuts down, the service answers what has arrived and ends.
///
/// List it behind the client that the service uses.
public struct NATSServiceRunner: Service {
    /// The service that is run.
    public let service: NATSService

    /// Runs a service, which must not have been run before.
    public init(_ service: NATSService) {
        self.service = service
    }

    /// Runs the service until it ends; not at all if it was stopped before, or the group is shutting down.
    ///
    /// - Throws: As `NATSService.run()`.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            // A shutdown that has begun stops the service before this.
            try await self.service.runUnlessStopped()
        } onGracefulShutdown: {
            self.service.stop()
        }
    }
}
