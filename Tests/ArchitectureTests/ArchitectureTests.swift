import Foundation
import Testing

/// Which way imports point, and how large a file may be.
@Suite struct ArchitectureTests {
    private static let system: Set<String> = [
        "Glibc", "Darwin", "Musl", "Dispatch", "Foundation", "FoundationEssentials",
    ]

    /// What the sources of each target may import, beside one another.
    private static let allowed: [String: Set<String>] = [
        "LimiterCore": ["Synchronization"],
        "HTTPWire": ["NIOCore"],
        "Telemetry": ["Glibc", "Darwin", "Musl", "Logging", "Synchronization"],
        "Tokens": ["Crypto", "CryptoExtras"],
        "Configuration": system.union(["LimiterCore", "Synchronization", "Tokens", "Yams"]),
        "RedisStore": system.union([
            "CHiredis", "LimiterCore", "Logging", "NIOCore", "NIOPosix", "NIOSSL", "Synchronization", "Telemetry",
            "WeirConfiguration",
        ]),
        "Discovery": ["CResolv", "Glibc", "Logging", "NIOPosix", "Synchronization", "WeirConfiguration"],
        "Gateway": [
            "Crypto", "Darwin", "Glibc", "HTTPWire", "LimiterCore", "Logging", "Musl", "NIOConcurrencyHelpers",
            "NIOCore",
            "NIOPosix", "NIOSSL", "NIOTLS", "Synchronization", "Telemetry", "Tokens",
            "WeirConfiguration",
        ],
        "ControlAPI": system.union([
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "LimiterCore", "Logging", "NIOCore", "ServiceLifecycle",
            "Synchronization", "Telemetry", "WeirConfiguration",
        ]),
        "weir": system.union([
            "ArgumentParser", "AsyncHTTPClient", "ControlAPI", "Discovery", "Gateway", "LimiterCore", "Logging",
            "NIOCore", "NIOHTTP1", "NIOPosix", "RedisStore", "ServiceLifecycle", "Synchronization", "Telemetry",
            "Tokens", "UnixSignals", "WeirConfiguration",
        ]),
        "LoadTester": system.union([
            "HTTPWire", "Histogram", "LimiterCore", "NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOSSL",
            "NIOTLS", "Synchronization",
        ]),
        "weir-bench": system.union(["ArgumentParser", "LoadTester"]),
    ]

    @Test func everyTargetHasItsRule() throws {
        let targets = Set(try SourceFile.all().map(\.target))
        #expect(targets.subtracting(["CHiredis", "CResolv"]) == Set(Self.allowed.keys))
    }

    @Test(arguments: allowed.keys.sorted())
    func importsPointOneWay(target: String) throws {
        let allowed = try #require(Self.allowed[target])
        for file in try SourceFile.all() where file.target == target {
            for module in file.imports where !allowed.contains(module) {
                Issue.record("\(file.path) imports \(module), which \(target) must not know")
            }
        }
    }

    @Test func onlyTheCompositionRootNamesConcreteStores() throws {
        let stores = ["RedisStore(", "LeasingStore("]
        for file in try SourceFile.all() where !["weir", "LimiterCore", "RedisStore"].contains(file.target) {
            for store in stores where file.code.contains(store) {
                Issue.record("\(file.path) makes a \(store.dropLast()); only Sources/weir chooses stores")
            }
        }
    }

    @Test func filesStaySmallAndFinished() throws {
        let forbidden = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in try SourceFile.all(under: ["Sources", "Tests", "Benchmarks"]) {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 401, "\(file.path) has \(lines) lines; look for the second noun in it")
            for word in forbidden where file.text.contains(word) { Issue.record("\(file.path) says \(word)") }
        }
    }
}

/// A Swift file of the package.
private struct SourceFile {
    /// From the package's folder.
    let path: String
    let text: String

    /// The folder under `Sources` that it is in.
    var target: String { path.split(separator: "/").drop { $0 != "Sources" }.dropFirst().first.map(String.init) ?? "" }

    /// Without comment lines.
    var code: String {
        text.split(separator: "\n").filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n")
    }

    var imports: [String] {
        text.split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ").drop { $0.hasPrefix("@") }
            if let first = words.first, ["package", "public", "internal", "private", "fileprivate"].contains(first) {
                words = words.dropFirst()
            }
            guard words.first == "import", var name = words.dropFirst().first else { return nil }
            if ["struct", "class", "enum", "protocol", "func", "typealias", "var", "let"].contains(name) {
                name = words.dropFirst(2).first ?? name
            }
            return name.split(separator: ".").first.map(String.init)
        }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func all(under folders: [String] = ["Sources", "Benchmarks/LoadTester/Sources"]) throws -> [SourceFile] {
        var files: [SourceFile] = []
        for folder in folders {
            guard let paths = FileManager.default.enumerator(atPath: root.appending(path: folder).path) else {
                continue
            }
            for case let path as String in paths
            where path.hasSuffix(".swift") && !path.split(separator: "/").contains(".build") {
                let file = root.appending(path: folder).appending(path: path)
                files.append(
                    SourceFile(path: "\(folder)/\(path)", text: try String(contentsOf: file, encoding: .utf8)))
            }
        }
        return files
    }
}
