import Foundation
import TestSupport

/// A plain blocking connection, to see what a store left in Redis without asking it.
final class RawConnection {
    enum Value: Equatable {
        case integer(Int64)
        case bytes([UInt8]?)
        case text(String)
        case array([Value])
    }

    private let input: UnsafeMutablePointer<FILE>
    private let descriptor: Int32

    init(port: Int) throws {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected, let input = fdopen(descriptor, "r") else { throw POSIXError(.ECONNREFUSED) }
        self.descriptor = descriptor
        self.input = input
    }

    deinit { fclose(input) }

    func get(_ key: String) -> [UInt8]? {
        if case .bytes(let bytes) = command([Array("GET".utf8), Array(key.utf8)]) { bytes } else { nil }
    }

    func timeToLive(_ key: String) -> Int64 {
        if case .integer(let milliseconds) = command(["PTTL", key]) { milliseconds } else { -3 }
    }

    @discardableResult
    func command(_ words: [String]) -> Value { command(words.map { Array($0.utf8) }) }

    @discardableResult
    func command(_ words: [[UInt8]]) -> Value {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + Array("\r\n".utf8) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
            precondition(count > 0, "Redis went away")
            sent += count
        }
        return read()
    }

    private func read() -> Value {
        var line: [UInt8] = []
        while case let byte = getc(input), byte != 10 {
            precondition(byte >= 0, "Redis went away")
            if byte != 13 { line.append(UInt8(byte)) }
        }
        let rest = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line[0] {
        case UInt8(ascii: ":"): return .integer(Int64(rest)!)
        case UInt8(ascii: "*"): return .array((0..<max(0, Int(rest)!)).map { _ in read() })
        case UInt8(ascii: "$"):
            guard let count = Int(rest), count >= 0 else { return .bytes(nil) }
            var bytes = [UInt8](repeating: 0, count: count + 2)
            fread(&bytes, 1, count + 2, input)
            return .bytes(Array(bytes.dropLast(2)))
        default: return .text(rest)
        }
    }
}
