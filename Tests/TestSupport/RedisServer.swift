import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A Redis of the test's own: a process on a free port with an empty directory, ended with the test.
package final class RedisServer: Sendable {
    package struct Options: Sendable {
        /// One node that has all slots.
        package var isCluster = false
        /// For the user `default`.
        package var password: String?
        /// Further lines of configuration, each as its words: `["maxmemory", "1mb"]`.
        package var settings: [[String]] = []

        package init(isCluster: Bool = false, password: String? = nil, settings: [[String]] = []) {
            self.isCluster = isCluster
            self.password = password
            self.settings = settings
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: Int
    private let busPort: Int
    private let options: Options
    private let directory: URL
    /// The running process; 0: none.
    private let process: Mutex<pid_t>

    package static func start(_ options: Options = Options()) async throws -> RedisServer {
        var lastError: any Error = Failure(description: "not tried")
        // Another process may take the port between finding and using it.
        for _ in 0..<5 {
            do {
                let server = try RedisServer(options)
                try await server.launch()
                return server
            } catch { lastError = error }
        }
        throw lastError
    }

    private init(_ options: Options) throws {
        self.options = options
        port = try Self.freePort()
        busPort = options.isCluster ? try Self.freePort() : 0
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("weir-redis-\(UUID().uuidString)")
        process = Mutex(0)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        stop()
    }

    /// Ends it at once and forgets its directory.
    package func stop() {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    /// As if the machine had failed. `restart` brings it back, without what it knew.
    package func kill() {
        process.withLock { pid in
            guard pid > 0 else { return }
            _ = send(SIGKILL, to: pid)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            pid = 0
        }
    }

    /// It keeps its connections and says nothing.
    package func pause() { process.withLock { if $0 > 0 { _ = send(SIGSTOP, to: $0) } } }

    package func resume() { process.withLock { if $0 > 0 { _ = send(SIGCONT, to: $0) } } }

    /// Ends it if it runs, and starts it on the same port.
    package func restart() async throws {
        kill()
        try await launch()
    }

    /// What `redis-cli` prints for this command, without the last line end.
    @discardableResult
    package func cli(_ arguments: [String]) throws -> String {
        let task = Process()
        task.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        var all = ["redis-cli", "-h", "127.0.0.1", "-p", "\(port)"]
        if let password = options.password { all += ["--no-auth-warning", "-a", password] }
        task.arguments = all + arguments
        let output = Pipe()
        task.standardOutput = output
        task.standardError = output
        try task.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        task.waitUntilExit()
        return text.trimmingCharacters(in: .newlines)
    }

    // MARK: Starting

    private func launch() async throws {
        let pid = try spawn()
        process.withLock { $0 = pid }
        do {
            try await eventually(within: .seconds(10), "Redis on port \(port)") {
                guard isRunning else { throw Failure(description: "redis-server ended: \(log)") }
                return try cli(["PING"]).contains("PONG")
            }
            if options.isCluster {
                try cli(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
                try await eventually(within: .seconds(10), "a cluster of one") {
                    try cli(["CLUSTER", "INFO"]).contains("cluster_state:ok")
                }
            }
        } catch {
            kill()
            throw error
        }
    }

    #if canImport(Darwin)
    private typealias FileActions = posix_spawn_file_actions_t?
    #else
    private typealias FileActions = posix_spawn_file_actions_t
    #endif

    private func spawn() throws -> pid_t {
        var arguments = [
            "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory.path, "--save", "",
            "--appendonly", "no", "--logfile", "redis.log", "--daemonize", "no",
        ]
        if options.isCluster { arguments += ["--cluster-enabled", "yes", "--cluster-port", "\(busPort)"] }
        if let password = options.password { arguments += ["--requirepass", password] }
        for line in options.settings { arguments += ["--\(line[0])"] + line.dropFirst() }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // It must not hold the output of a test run that ended without it.
        var actions = FileActions()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, "redis-server", &actions, nil, &words, environ)
        guard result == 0 else {
            throw Failure(description: "redis-server cannot be started: \(String(cString: strerror(result)))")
        }
        return pid
    }

    private var isRunning: Bool {
        process.withLock { pid in
            guard pid > 0 else { return false }
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                pid = 0
                return false
            }
            return true
        }
    }

    private var log: String {
        (try? String(contentsOf: directory.appendingPathComponent("redis.log"), encoding: .utf8)) ?? "no log"
    }

    /// A port that nobody listens on just now.
    package static func freePort() throws -> Int {
        let socket = socketDescriptor()
        guard socket >= 0 else { throw Failure(description: "no socket") }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, length) == 0 && getsockname(socket, pointer, &length) == 0
            }
        }
        guard bound else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func socketDescriptor() -> Int32 {
        #if canImport(Glibc)
        socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private func send(_ signal: Int32, to pid: pid_t) -> Int32 {
        #if canImport(Glibc)
        Glibc.kill(pid, signal)
        #elseif canImport(Musl)
        Musl.kill(pid, signal)
        #else
        Darwin.kill(pid, signal)
        #endif
    }
}
