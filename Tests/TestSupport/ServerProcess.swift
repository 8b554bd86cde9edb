import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A program that a test runs, ended with the test.
package final class ServerProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// The running process; 0: none.
    private let process = Mutex<pid_t>(0)

    package init() {}

    deinit { kill() }

    package func start(_ command: [String]) throws {
        let pid = try Self.spawn(command)
        process.withLock { $0 = pid }
    }

    /// As if the machine had failed.
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

    package var isRunning: Bool {
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

    #if canImport(Darwin)
    private typealias FileActions = posix_spawn_file_actions_t?
    #else
    private typealias FileActions = posix_spawn_file_actions_t
    #endif

    private static func spawn(_ command: [String]) throws -> pid_t {
        var words = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // It must not hold the output of a test run that ended without it.
        var actions = FileActions()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, command[0], &actions, nil, &words, environ)
        guard result == 0 else {
            throw Failure(description: "\(command[0]) cannot be started: \(String(cString: strerror(result)))")
        }
        return pid
    }

    /// What a command prints, without the last line end; throws where it fails and `mayFail` is not set.
    @discardableResult
    package static func output(_ command: [String], mayFail: Bool = true) throws -> String {
        let task = Process()
        task.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        task.arguments = command
        let output = Pipe()
        task.standardInput = FileHandle.nullDevice
        task.standardOutput = output
        task.standardError = output
        try task.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        task.waitUntilExit()
        guard mayFail || task.terminationStatus == 0 else {
            throw Failure(description: "\(command.joined(separator: " ")) failed: \(text)")
        }
        return text.trimmingCharacters(in: .newlines)
    }

    /// A port that nobody listens on just now.
    package static func freePort() throws -> Int { try freePorts(1)[0] }

    /// So many, all different.
    package static func freePorts(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        // None is free for another one before all are found.
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let socket = socketDescriptor()
            guard socket >= 0 else { throw Failure(description: "no socket") }
            sockets.append(socket)
            return try boundPort(of: socket)
        }
    }

    private static func boundPort(of socket: Int32) throws -> Int {
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
