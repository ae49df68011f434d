// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioConcurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let lifecycleTestKit: Target.Dependency = .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryTracing: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")

let package = Package(
    name: "swift-nats",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "NATSClient", targets: ["NATSClient"]),
        .library(name: "NATSServices", targets: ["NATSServices"]),
        .library(name: "NATSFoundation", targets: ["NATSFoundation"]),
        .library(name: "NATSServiceLifecycle", targets: ["NATSServiceLifecycle"]),
        .library(name: "NATSMetrics", targets: ["NATSMetrics"]),
        .library(name: "NATSTracing", targets: ["NATSTracing"]),
        .library(name: "NATSTestServer", targets: ["NATSTestServer"]),
        .executable(name: "nats-pub", targets: ["nats-pub"]),
        .executable(name: "nats-sub", targets: ["nats-sub"]),
        .executable(name: "nats-req", targets: ["nats-req"]),
        .executable(name: "nats-rply", targets: ["nats-rply"]),
        .executable(name: "nats-bench", targets: ["nats-bench"]),
        .executable(name: "nats-top", targets: ["nats-top"]),
        .executable(name: "nats-server", targets: ["nats-server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Texts in the forms of Go and of nkeys: quoting, durations, base 32; depends on nothing.
        .target(name: "NATSText", swiftSettings: settings),

        // Bytes <-> operations, for every kind of peer.
        .target(name: "NATSWire", dependencies: [nioCore], swiftSettings: settings),

        // Keys, signatures and what is signed: nkeys, JWTs, creds files.
        .target(name: "NATSAuth", dependencies: ["NATSText", "NATSWire", crypto], swiftSettings: settings),

        // bcrypt: the password hashes of the system's libcrypt. Apple's systems have none.
        .systemLibrary(name: "CCrypt"),

        // deflate: compressed WebSocket messages, by the system's zlib.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"])]),

        // WebSocket frames, compressed messages and what both sides of a handshake show.
        .target(name: "NATSWebSocket", dependencies: ["NATSWire", "CZlib", nioCore, crypto], swiftSettings: settings),

        // Sealed boxes of nkeys: auth callout with encryption, by the system's libsodium.
        .systemLibrary(
            name: "CSodium",
            pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"]), .yum(["libsodium-devel"])]
        ),
        .target(name: "NATSXKeys", dependencies: ["NATSAuth", "CSodium"], swiftSettings: settings),

        // The client SDK.
        .target(
            name: "NATSClient",
            dependencies: [
                "NATSWire", "NATSAuth", "NATSWebSocket", nioCore, nioPosix, nioConcurrency, nioSSL, nioTLS, logging,
                deque,
            ],
            swiftSettings: settings
        ),

        // Services that answer requests and say what they are and do (ADR-32), and who looks for them.
        .target(
            name: "NATSServices",
            dependencies: ["NATSClient", "NATSWire", nioCore, nioConcurrency],
            swiftSettings: settings
        ),

        // What joins the client to other packages, a target for each: who does not import it does not build it.
        .target(name: "NATSFoundation", dependencies: ["NATSClient"], swiftSettings: settings),
        .target(
            name: "NATSServiceLifecycle",
            dependencies: ["NATSClient", "NATSServices", lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "NATSMetrics",
            dependencies: ["NATSClient", metrics, nioConcurrency],
            swiftSettings: settings
        ),
        .target(
            name: "NATSTracing",
            dependencies: ["NATSClient", tracing],
            swiftSettings: settings
        ),

        // The language of configuration files, and the options of a server; depends on no package.
        .target(name: "NATSServerConfig", dependencies: ["NATSText"], swiftSettings: settings),

        // The server engine, without process matters.
        .target(
            name: "NATSServerCore",
            dependencies: [
                "NATSServerConfig", "NATSWire", "NATSAuth", "NATSText", "NATSXKeys", "NATSWebSocket",
                .target(name: "CCrypt", condition: .when(platforms: [.linux])), nioCore, nioPosix, nioHTTP,
                nioConcurrency, logging, heap, deque, crypto, nioSSL, nioTLS,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "NATSTestServer",
            dependencies: [
                "NATSServerCore", "NATSAuth", "NATSWire", nioCore, nioPosix, nioConcurrency, logging,
            ],
            swiftSettings: settings
        ),

        // The programs.
        .target(
            name: "NATSCommandSupport",
            dependencies: [
                "NATSClient", "NATSWire", "NATSText", nioCore, nioPosix, nioConcurrency, logging, argumentParser,
            ],
            swiftSettings: settings
        ),
        // What nats-top knows and draws: monitoring pages and keys go in, lines of text come out.
        .target(name: "NATSTop", dependencies: ["NATSWire"], swiftSettings: settings),
        .executableTarget(
            name: "nats-pub",
            dependencies: ["NATSCommandSupport", "NATSClient", nioCore],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "nats-sub",
            dependencies: ["NATSCommandSupport", "NATSClient", nioCore, nioConcurrency],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "nats-req",
            dependencies: ["NATSCommandSupport", "NATSClient", nioCore, nioConcurrency],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "nats-rply",
            dependencies: ["NATSCommandSupport", "NATSClient", nioCore],
            swiftSettings: settings
        ),
        // What nats-bench computes and prints; apart, because only it needs histograms.
        .target(
            name: "NATSBenchSupport",
            dependencies: ["NATSCommandSupport", "NATSWire", nioCore, argumentParser, histogram],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "nats-bench",
            dependencies: ["NATSBenchSupport", "NATSCommandSupport", "NATSClient", "NATSWire", nioCore, nioPosix],
            swiftSettings: settings
        ),
        // The terminal, by the system's ncurses.
        .systemLibrary(name: "CNCurses", providers: [.apt(["libncurses-dev"]), .yum(["ncurses-devel"])]),
        .executableTarget(
            name: "nats-top",
            dependencies: [
                "NATSTop", "NATSCommandSupport", "NATSClient", "CNCurses", nioCore, nioPosix, nioConcurrency, nioHTTP,
                nioSSL,
            ],
            swiftSettings: settings,
            linkerSettings: [
                .linkedLibrary("ncursesw", .when(platforms: [.linux])),
                .linkedLibrary("ncurses", .when(platforms: [.macOS])),
            ]
        ),
        .executableTarget(
            name: "nats-server",
            dependencies: [
                "NATSServerCore", "NATSServerConfig", "NATSWire", "NATSText", nioCore, nioPosix, nioConcurrency,
                logging,
                crypto,
            ],
            swiftSettings: settings
        ),

        // Tests.
        .target(
            name: "NATSTestSupport",
            dependencies: [
                "NATSWire", "NATSAuth", "NATSXKeys", "NATSClient", "NATSTestServer", nioCore, nioPosix, nioConcurrency,
                logging, nioSSL, x509, asn1, crypto,
            ],
            path: "Tests/NATSTestSupport",
            swiftSettings: settings
        ),
        // The rolling upgrade drill; no product, so that nobody else builds it.
        .target(
            name: "NATSDrill",
            dependencies: ["NATSClient", "NATSTestSupport", nioCore, nioConcurrency],
            path: "Drill/NATSDrill",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "nats-drill",
            dependencies: ["NATSDrill", "NATSTestSupport", argumentParser],
            path: "Drill/nats-drill",
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSDrillTests",
            dependencies: ["NATSDrill", "NATSClient", "NATSTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(name: "NATSTextTests", dependencies: ["NATSText"], swiftSettings: settings),
        .testTarget(
            name: "NATSWireTests",
            dependencies: ["NATSWire", "NATSTestSupport", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSAuthTests",
            dependencies: ["NATSAuth", "NATSText", "NATSWire", "NATSTestServer", "NATSTestSupport"],
            swiftSettings: settings
        ),
        .testTarget(name: "NATSXKeysTests", dependencies: ["NATSXKeys", "NATSAuth"], swiftSettings: settings),
        .testTarget(
            name: "NATSServerConfigTests",
            dependencies: [
                "NATSServerConfig", "NATSServerCore", "NATSAuth", "NATSWire", "NATSTestSupport", crypto,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSServerCoreTests",
            dependencies: [
                "NATSServerCore", "NATSServerConfig", "NATSAuth", "NATSXKeys", "NATSWire", "NATSWebSocket",
                "NATSTestServer", "NATSTestSupport", nioCore,
                nioPosix, nioHTTP, nioEmbedded, nioConcurrency, nioSSL, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSClientTests",
            dependencies: [
                "NATSClient", "NATSWire", "NATSAuth", "NATSWebSocket", "NATSTestServer", "NATSTestSupport", nioCore,
                nioPosix,
                nioEmbedded, nioConcurrency, nioSSL, nioTLS, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSServicesTests",
            dependencies: ["NATSServices", "NATSClient", "NATSWire", "NATSTestSupport", "NATSTestServer"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSEcosystemTests",
            dependencies: [
                "NATSClient", "NATSServices", "NATSFoundation", "NATSServiceLifecycle", "NATSMetrics", "NATSTracing",
                "NATSTestServer", "NATSTestSupport", lifecycle, lifecycleTestKit, metricsTestKit, tracing,
                inMemoryTracing, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSTestServerTests",
            dependencies: ["NATSTestServer", "NATSTestSupport", "NATSClient", nioCore, logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSCommandSupportTests",
            dependencies: [
                "NATSCommandSupport", "NATSWire", "NATSTestServer", "NATSTestSupport", nioCore, nioConcurrency,
                argumentParser, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSTopTests",
            dependencies: [
                "nats-top", "NATSTop", "NATSCommandSupport", "NATSClient", "NATSWire", "NATSTestServer",
                "NATSTestSupport", nioCore, nioPosix, nioConcurrency, nioHTTP, nioSSL, argumentParser,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSBenchSupportTests",
            dependencies: ["NATSBenchSupport", "NATSCommandSupport", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NATSServerProgramTests",
            dependencies: [
                "nats-server", "NATSServerCore", "NATSServerConfig", "NATSClient", "NATSTestSupport", nioCore, nioPosix,
                nioConcurrency, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["NATSTestServer", "NATSAuth", "NATSTestSupport", "NATSWire", logging, nioSSL],
            swiftSettings: settings
        ),
    ]
)
