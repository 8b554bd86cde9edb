// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors where the project is checked; a newer compiler's new warning must not stop a user's build.
let isChecked = Context.environment["CI"] != nil

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        // Run-time checks of exclusive access cost a third of a decision; tests run in debug builds, which have them. What
        // dependencies are built with, scripts/build says.
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ] + (isChecked ? [.treatAllWarnings(as: .error)] : [])

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "weir",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "weir", targets: ["weir"]), .executable(name: "weir-bench", targets: ["weir-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .systemLibrary(name: "CResolv", providers: [.apt(["libc6-dev"])]),
        library("LimiterCore", []),
        library("HTTPWire", [nioCore]),
        library("Telemetry", [logging]),
        library("Tokens", [crypto, cryptoExtras]),
        // A package that Hummingbird uses has a target named Configuration, and target names are unique across the graph.
        .target(
            name: "WeirConfiguration", dependencies: ["LimiterCore", "Tokens", yams], path: "Sources/Configuration",
            swiftSettings: settings),
        library(
            "RedisStore",
            ["CHiredis", "LimiterCore", "WeirConfiguration", "Telemetry", nioCore, nioPosix, nioSSL, logging]),
        library("Discovery", ["CResolv", "WeirConfiguration", nioPosix, logging]),
        library(
            "Gateway",
            [
                "HTTPWire", "LimiterCore", "Tokens", "WeirConfiguration", "Telemetry", nioCore, nioPosix, nioSSL,
                crypto,
                logging,
            ]),
        library(
            "ControlAPI",
            [
                "LimiterCore", "WeirConfiguration", "Telemetry", hummingbird, hummingbirdCore, httpTypes, lifecycle,
                nioCore, logging,
            ]),
        .executableTarget(
            name: "weir",
            dependencies: [
                "Gateway", "ControlAPI", "Discovery", "RedisStore", "WeirConfiguration", "LimiterCore", "Telemetry",
                "Tokens",
                nioCore, nioPosix, nioHTTP1, unixSignals, httpClient, argumentParser, logging,
            ],
            swiftSettings: settings),

        .executableTarget(
            name: "StoreBench",
            dependencies: ["RedisStore", "LimiterCore", "WeirConfiguration", "Telemetry", nioCore, nioPosix, logging],
            path: "Benchmarks/StoreBench/Sources/StoreBench", swiftSettings: settings),
        .target(
            name: "Cases",
            dependencies: [
                "Gateway", "HTTPWire", "LimiterCore", "RedisStore", "Tokens", "WeirConfiguration", nioCore,
            ],
            path: "Benchmarks/Cases/Sources/Cases", swiftSettings: settings),
        .executableTarget(
            name: "Counts", dependencies: ["Cases"], path: "Benchmarks/Cases/Sources/Counts", swiftSettings: settings),

        .executableTarget(
            name: "BareEcho", dependencies: [nioCore, nioPosix], path: "Benchmarks/BareEcho/Sources/BareEcho",
            swiftSettings: settings),

        .target(
            name: "LoadTester",
            dependencies: [
                "HTTPWire", "LimiterCore", nioCore, nioPosix, nioTLS, nioHTTP2, nioHPACK, nioSSL, histogram,
            ],
            path: "Benchmarks/LoadTester/Sources/LoadTester", swiftSettings: settings),
        .executableTarget(
            name: "weir-bench", dependencies: ["LoadTester", argumentParser],
            path: "Benchmarks/LoadTester/Sources/weir-bench", swiftSettings: settings),

        .target(
            name: "Simulation", dependencies: ["LimiterCore", "TestSupport"],
            path: "Benchmarks/Simulation/Sources/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "weir-simulate", dependencies: ["Simulation", argumentParser],
            path: "Benchmarks/Simulation/Sources/weir-simulate", swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["LimiterCore", crypto, cryptoExtras], path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(
            name: "Properties",
            dependencies: [
                "HTTPWire", "LimiterCore", "TestSupport", "Tokens", "WeirConfiguration", nioCore, nioHTTP1, nioEmbedded,
            ],
            path: "Tests/Properties", swiftSettings: settings),
        tests("LimiterCoreTests", ["LimiterCore", "TestSupport"]),
        tests("HTTPWireTests", ["HTTPWire", "Properties", "TestSupport", nioCore]),
        tests("PropertyTests", ["Properties", "TestSupport"]),
        tests("TelemetryTests", ["Telemetry", "TestSupport"]),
        tests("TokensTests", ["Tokens", "TestSupport", crypto, cryptoExtras]),
        tests("ConfigurationTests", ["WeirConfiguration", "LimiterCore", "Tokens", "TestSupport"]),
        tests(
            "RedisStoreTests",
            [
                "RedisStore", "LimiterCore", "Telemetry", "WeirConfiguration", "TestSupport", nioCore, nioPosix,
                nioEmbedded, logging,
            ]),
        tests(
            "GatewayTests",
            [
                "Gateway", "HTTPWire", "WeirConfiguration", "LimiterCore", "Telemetry", "Tokens", "TestSupport", "weir",
                nioCore, nioPosix, nioEmbedded, nioSSL, crypto, logging,
            ]),
        tests("DiscoveryTests", ["Discovery", "WeirConfiguration", "TestSupport", logging]),
        tests(
            "ControlAPITests",
            [
                "ControlAPI", "WeirConfiguration", "LimiterCore", "Telemetry", hummingbird, httpTypes, nioCore,
                nioPosix,
                logging,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]),
        tests(
            "StoreConformanceTests",
            ["LimiterCore", "RedisStore", "TestSupport", "WeirConfiguration", nioCore, nioPosix, logging]),
        tests("WeirCommandTests", ["weir", "ControlAPI", "LimiterCore"]),
        tests(
            "LoadTesterTests",
            ["LoadTester", "LimiterCore", "TestSupport", nioCore, nioPosix, nioHTTP1, nioHTTP2, nioHPACK, nioSSL]),
        tests("IntegrationTests", ["TestSupport", "LimiterCore", nioCore, nioPosix, nioHTTP1, httpClient]),
        tests("SimulationTests", ["Simulation", "LimiterCore", "TestSupport"]),
        tests("CasesTests", ["Cases"]),
        tests("ArchitectureTests", []),
    ]
)

// What only people who time the cases need is not fetched for anybody else.
if Context.environment["WEIR_BENCHMARKS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
    package.targets.append(
        .executableTarget(
            name: "Micro", dependencies: ["Cases", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/Micro", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
}

// What scripts/fuzz builds, with a compiler option that nothing else wants.
if Context.environment["WEIR_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "weir-fuzz", dependencies: ["Properties"], path: "Tests/Fuzzing/Sources/weir-fuzz",
            swiftSettings: settings))
}
