import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A Redis that the tester started, to do harm to: on loopback, in memory, with an empty folder that ends with it.
package final class RedisProcess: Sendable {
    package let port: Int
    private let folder: URL
    private let process = Mutex<Process?>(nil)

    private static let patience = Duration.seconds(10)

    /// Starts `redis-server` and waits until it answers.
    package init(port: Int) async throws(LoadError) {
        self.port = port
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-redis-\(UUID().uuidString)")
        guard (try? RedisConnection(port: port)) == nil else {
            throw .failed("something listens on port \(port) already; give another --redis-port")
        }
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw .failed("\(folder.path) cannot be made: \(error.localizedDescription)")
        }
        do { try await start() } catch {
            end()
            throw error
        }
    }

    deinit { end() }

    package var url: String { "redis://127.0.0.1:\(port)" }

    package func end() {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: What faults do

    func start() async throws(LoadError) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder.path, "--save", "",
            "--appendonly", "no",
        ]
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

/// Asks the Redis on a port of this machine one thing at a time, and waits for the answer.
private struct RedisConnection: ~Copyable {
    struct NoAnswer: Error {}

    private let descriptor: Int32

    init(port: Int) throws {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw NoAnswer() }
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            close(descriptor)
            throw NoAnswer()
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The answer's first line.
    func ask(_ command: String) throws -> String {
        let bytes = Array("\(command)\r\n".utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw NoAnswer() }
        var answer = [UInt8](repeating: 0, count: 512)
        let length = read(descriptor, &answer, answer.count)
        guard length > 0 else { throw NoAnswer() }
        return String(decoding: answer[..<length].prefix { $0 != 13 }, as: UTF8.self)
    }
}
