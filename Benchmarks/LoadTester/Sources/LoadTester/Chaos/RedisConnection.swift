import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Asks the Redis on a port of this machine one thing at a time, and waits for the answer.
struct RedisConnection: ~Copyable {
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
        try send(command)
        return String(decoding: try receive().prefix { $0 != 13 }, as: UTF8.self)
    }

    /// The text of an answer that is one text, of any length.
    func text(_ command: String) throws -> String {
        try send(command)
        var answer = try receive()
        let head = answer.prefix { $0 != 10 }
        guard head.first == UInt8(ascii: "$"),
            let length = Int(String(decoding: head.dropFirst().prefix { $0 != 13 }, as: UTF8.self)), length >= 0
        else { throw NoAnswer() }
        while answer.count < head.count + 1 + length { answer += try receive() }
        return String(decoding: answer[(head.count + 1)...].prefix(length), as: UTF8.self)
    }

    private func send(_ command: String) throws {
        let bytes = Array("\(command)\r\n".utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw NoAnswer() }
    }

    private func receive() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let length = read(descriptor, &bytes, bytes.count)
        guard length > 0 else { throw NoAnswer() }
        return Array(bytes[..<length])
    }
}
