public import NATSServices
public import ServiceLifecycle

/// Runs a `NATSService` in a `ServiceGroup`: when the group shuts down, the service answers what has arrived and ends.
///
/// List it behind the client that the service uses.
public struct NATSServiceRunner: Service {
    /// The service that is run.
    public let service: NATSService

    /// Runs a service, which must not have been run or stopped before.
    public init(_ service: NATSService) {
        self.service = service
    }

    /// Runs the service until it ends.
    ///
    /// - Throws: As `NATSService.run()`.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            try await self.service.run()
        } onGracefulShutdown: {
            self.service.stop()
        }
    }
}
