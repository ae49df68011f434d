// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "swift-nats-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-nats", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "client-bench",
            dependencies: [
                .product(name: "NATSClient", package: "swift-nats"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        )
    ]
)
