// swift-tools-version: 6.1
import PackageDescription

// One package, so that what the examples depend on is built once; each folder of Sources stands for itself.
let client: Target.Dependency = .product(name: "NATSClient", package: "swift-nats")
let services: Target.Dependency = .product(name: "NATSServices", package: "swift-nats")
let lifecycle: Target.Dependency = .product(name: "NATSServiceLifecycle", package: "swift-nats")
let testServer: Target.Dependency = .product(name: "NATSTestServer", package: "swift-nats")
let serviceGroup: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "swift-nats-examples",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-nats", path: ".."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        .executableTarget(name: "greeter", dependencies: [client, services, lifecycle, serviceGroup, logging]),
        .executableTarget(name: "workers", dependencies: [client]),
        .executableTarget(name: "listen", dependencies: [client]),
        .executableTarget(name: "talk", dependencies: [client]),
        .executableTarget(name: "slow-consumers", dependencies: [client]),
        .target(name: "Orders", dependencies: [client]),
        .testTarget(name: "OrdersTests", dependencies: ["Orders", client, testServer]),
    ]
)
