import Foundation
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A process of `redis-server` that the tester started: on loopback, in memory, with a folder of its own that ends with it.
final class RedisProcess: Sendable {
    enum Role: Sendable {
        case primary
        /// Of the primary on that port.
        case replica(of: Int)
        /// Watches the primary on that port; two of the sentinels must agree.
        case sentinel(of: Int)
    }

    /// What sentinels call the primary.
    static let primaryName = "main"

    let port: Int
    private let role: Role
    private let folder: URL
    private let process = Mutex<Process?>(nil)

    private static let patience = Duration.seconds(10)

    /// Starts `redis-server` and waits until it answers.
    init(port: Int, _ role: Role = .primary) async throws(LoadError) {
        self.port = port
        self.role = role
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-redis-\(UUID().uuidString)")
        guard (try? RedisConnection(port: port)) == nil else {
            throw .failed("something listens on port \(port) already; give another --redis-port")
        }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            if case .sentinel(let primary) = role {
                try sentinelSettings(primary).write(to: sentinelFile, atomically: true, encoding: .utf8)
            }
        } catch { throw .failed("\(folder.path) cannot be made: \(error.localizedDescription)") }
        do { try await start() } catch {
            end()
            throw error
        }
    }

    deinit { end() }

    /// The same on a port that nobody listens on.
    static func onFreePort(_ role: Role) async throws(LoadError) -> RedisProcess {
        // Somebody else may take the port before Redis does.
        for _ in 0..<4 { if let process = try? await RedisProcess(port: await freePort(), role) { return process } }
        return try await RedisProcess(port: await freePort(), role)
    }

    func end() {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private var arguments: [String] {
        let alone = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder.path, "--save", "", "--appendonly", "no",
        ]
        switch role {
        case .primary: return alone
        case .replica(let primary):
            return alone + ["--replicaof", "127.0.0.1", "\(primary)", "--repl-diskless-sync-delay", "0"]
        case .sentinel: return [sentinelFile.path, "--sentinel"]
        }
    }

    /// Sentinels keep what they know in this file.
    private var sentinelFile: URL { folder.appendingPathComponent("sentinel.conf") }

    private func sentinelSettings(_ primary: Int) -> String {
        let name = Self.primaryName
        return """
            port \(port)
            bind 127.0.0.1
            dir \(folder.path)
            sentinel monitor \(name) 127.0.0.1 \(primary) 2
            sentinel down-after-milliseconds \(name) 500
            sentinel failover-timeout \(name) 2000

            """
    }

    private static func freePort() async throws(LoadError) -> Int {
        let binding = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0)
        guard let channel = try? await binding.get(), let port = channel.localAddress?.port else {
            throw .failed("no free port is found")
        }
        try? await channel.close()
        return port
    }

    // MARK: What faults do

    func start() async throws(LoadError) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["redis-server"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch {
            throw .failed("redis-server cannot be started: \(error.localizedDescription)")
        }
        self.process.withLock { $0 = process }
        let clock = ContinuousClock()
        let deadline = clock.now + Self.patience
        while (try? RedisConnection(port: port).ask("PING")) != "+PONG" {
            guard process.isRunning else { throw .failed("redis-server ended at once; is it installed?") }
            guard clock.now < deadline else { throw .failed("redis-server does not answer on port \(port)") }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// As if the machine had failed: nothing is kept.
    func kill() {
        let process = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let process else { return }
        send(SIGKILL, to: process)
        process.waitUntilExit()
    }

    func halt() { process.withLock { $0.map { send(SIGSTOP, to: $0) } } }

    func goOn() { process.withLock { $0.map { send(SIGCONT, to: $0) } } }

    func flush() throws(LoadError) {
        guard (try? RedisConnection(port: port).ask("FLUSHALL")) == "+OK" else {
            throw .failed("Redis could not be flushed")
        }
    }

    private func send(_ signal: Int32, to process: Process) {
        #if canImport(Glibc)
        _ = Glibc.kill(process.processIdentifier, signal)
        #elseif canImport(Musl)
        _ = Musl.kill(process.processIdentifier, signal)
        #else
        _ = Darwin.kill(process.processIdentifier, signal)
        #endif
    }
}
