import Glibc

/// A descriptor that lines are written to. Only the thread that writes uses it.
struct LogOutput: Sendable {
    private var descriptor: Int32
    /// nil: standard output.
    private let path: String?
    /// Whether the last write stopped within a line, which the next one must not continue.
    private var isWithinLine = false

    static let standardOutput = LogOutput(descriptor: STDOUT_FILENO, path: nil)

    private init(descriptor: Int32, path: String?) {
        self.descriptor = descriptor
        self.path = path
    }

    init(appendingTo path: String) throws(TelemetryError) {
        self.init(descriptor: try Self.open(path), path: path)
    }

    private static func open(_ path: String) throws(TelemetryError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
            if descriptor >= 0 { return descriptor }
            let error = errno
            guard error == EINTR else {
                throw TelemetryError(
                    .cannotOpen, "the access log `\(path)` cannot be opened: \(Self.describe(error))")
            }
        }
    }

    mutating func reopen() throws(TelemetryError) {
        guard let path else { return }
        let fresh = try Self.open(path)
        Glibc.close(descriptor)
        descriptor = fresh
        isWithinLine = false
    }

    func close() {
        if path != nil { Glibc.close(descriptor) }
    }

    /// Writes whole lines. What could not be written is lost: the number of those lines, and why.
    mutating func write(_ bytes: [UInt8]) -> (lostLines: Int, reason: String)? {
        if isWithinLine {
            if let error = write(bytes: [UInt8(ascii: "\n")]).error { return lost(bytes, from: 0, error) }
            isWithinLine = false
        }
        let (written, error) = write(bytes: bytes)
        guard let error else { return nil }
        isWithinLine = written > 0 && bytes[written - 1] != UInt8(ascii: "\n")
        return lost(bytes, from: written, error)
    }

    private func lost(_ bytes: [UInt8], from start: Int, _ error: Int32) -> (lostLines: Int, reason: String) {
        (bytes[start...].reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }, Self.describe(error))
    }

    private func write(bytes: [UInt8]) -> (written: Int, error: Int32?) {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + position, $0.count - position)
            }
            if count >= 0 {
                position += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Standard output may be a pipe that its other owner made non-blocking. This thread may wait.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, 1000)
            case let error: return (position, error)
            }
        }
        return (position, nil)
    }

    private static func describe(_ error: Int32) -> String { String(cString: strerror(error)) }
}
