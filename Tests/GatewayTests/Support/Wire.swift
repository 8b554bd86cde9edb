import Glibc
import Synchronization

/// One end of a TCP connection on loopback, blocking, with a deadline for every read.
final class Wire: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    private let reset = Atomic(false)

    /// Whether reading ended with a reset.
    var wasReset: Bool { reset.load(ordering: .relaxed) }

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { Glibc.close(descriptor) }

    static func connect(port: Int) throws -> Wire {
        let wire = Wire(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = loopback(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(wire.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "cannot connect: errno \(errno)") }
        return wire
    }

    static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "cannot send: errno \(errno)") }
            sent += count
        }
    }

    /// nil: the peer has closed.
    func receive(atMost count: Int = 65_536) throws -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
            let result = recv(descriptor, memory.baseAddress!, count, 0)
            if result < 0, errno == ECONNRESET { reset.store(true, ordering: .relaxed) }
            initialized = max(0, result)
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Whether the peer closes without sending anything more.
    func isClosedByPeer() -> Bool {
        var byte: UInt8 = 0
        errno = 0
        let count = recv(descriptor, &byte, 1, 0)
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }

    /// Whether nothing has arrived so far.
    var isSilent: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) < 0
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes so that the peer gets a reset.
    func sendReset() {
        // What dissolves a connection at once without giving the descriptor back, which others may still read from.
        var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
        Glibc.connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// How many bytes could be sent; nil: none, for a while.
    func sendWithoutWaiting(_ bytes: ArraySlice<UInt8>) -> Int? {
        for _ in 0..<100 {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 { return count }
            usleep(2000)
        }
        return nil
    }

    func limitSendBuffer(_ bytes: Int32) {
        var bytes = bytes
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }

    func limitReceiveBuffer(_ bytes: Int32) {
        var bytes = bytes
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// A message as it came: start line, fields, body.
struct Message: Sendable {
    var startLine = ""
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// Everything up to the empty line.
    var head = ""

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// Reads messages from a wire, with what was read too far kept for the next.
final class MessageReader {
    let wire: Wire
    private(set) var rest: [UInt8] = []

    init(_ wire: Wire) { self.wire = wire }

    /// nil: the peer closed before a message began.
    func next(withoutBody: Bool = false, isResponse: Bool = true) throws -> Message? {
        guard var message = try nextHead() else { return nil }
        let hasBody = !withoutBody && ![204, 304].contains(message.status) && !(100..<200).contains(message.status)
        guard hasBody else { return message }
        if message["Transfer-Encoding"]?.lowercased() == "chunked" {
            message.body = try chunks()
        } else if let length = message["Content-Length"].flatMap({ Int($0) }) {
            message.body = try take(length)
        } else if isResponse {
            while let more = try wire.receive() { rest += more }
            message.body = rest
            rest = []
        }
        return message
    }

    func nextHead() throws -> Message? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let position = rest.indices.first(where: { rest[$0...].starts(with: end) }) {
                let head = String(decoding: rest[..<position], as: UTF8.self)
                rest.removeFirst(position + 4)
                var message = Message()
                message.head = head
                let lines = head.components(separatedBy: "\r\n")
                message.startLine = lines[0]
                message.fields = lines.dropFirst().map { line in
                    let colon = line.firstIndex(of: ":") ?? line.endIndex
                    let value = line[colon...].dropFirst()
                    return (String(line[..<colon]), value.hasPrefix(" ") ? String(value.dropFirst()) : String(value))
                }
                return message
            }
            guard let more = try wire.receive() else {
                if rest.isEmpty { return nil }
                throw Wire.Failure(description: "closed within a head: \(String(decoding: rest, as: UTF8.self))")
            }
            rest += more
        }
    }

    func take(_ count: Int) throws -> [UInt8] {
        while rest.count < count {
            guard let more = try wire.receive() else {
                throw Wire.Failure(description: "closed after \(rest.count) of \(count) bytes")
            }
            rest += more
        }
        defer { rest.removeFirst(count) }
        return Array(rest[..<count])
    }

    private func line() throws -> String {
        while true {
            if let end = rest.firstIndex(of: 0x0a) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end].dropLast(), as: UTF8.self)
            }
            guard let more = try wire.receive() else { throw Wire.Failure(description: "closed within a chunk") }
            rest += more
        }
    }

    func chunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let text = try line()
            guard let size = Int(text, radix: 16) else { throw Wire.Failure(description: "not a chunk size: \(text)") }
            body += try take(size)
            _ = try line()
            if size == 0 { return body }
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var current: [UInt8] = []
        let separator = Array(separator.utf8)
        var bytes = Array(utf8)[...]
        while !bytes.isEmpty {
            if bytes.starts(with: separator) {
                parts.append(String(decoding: current, as: UTF8.self))
                current = []
                bytes = bytes.dropFirst(separator.count)
            } else {
                current.append(bytes.removeFirst())
            }
        }
        parts.append(String(decoding: current, as: UTF8.self))
        return parts
    }
}
