import Glibc
import TestSupport

/// Many connections to one port of loopback that a test has in its hands.
final class LoopbackClients {
    private(set) var descriptors: [Int32] = []

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// So many files may this process have open, from now on.
    static func raisedFileLimit() -> Int {
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        limits.rlim_cur = limits.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        return Int(clamping: limits.rlim_cur)
    }

    /// A small `receiveBuffer` has the sender wait for whoever does not read.
    func connect(_ count: Int, to port: Int, receiveBuffer: Int32? = nil) throws {
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw ServerProcess.Failure(description: "no socket: errno \(errno)") }
            descriptors.append(descriptor)
            if var bytes = receiveBuffer {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
            }
            var timeout = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
            // An address for each ten thousand, so that there are ports enough.
            var source = Self.address(0)
            source.sin_addr.s_addr = UInt32(0x7f00_0002 + UInt32(descriptors.count / 10_000)).bigEndian
            var target = Self.address(port)
            guard Self.with(&source, { bind(descriptor, $0, $1) }) == 0,
                Self.with(&target, { Glibc.connect(descriptor, $0, $1) }) == 0
            else { throw ServerProcess.Failure(description: "connection \(descriptors.count): errno \(errno)") }
        }
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func with(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    func send(_ text: String, on index: Int) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.send(descriptors[index], $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// The status of an answer that ends in `end`, once it is there; nil: closed before.
    func status(on index: Int, endingIn end: String) -> Int? {
        var answer: [UInt8] = []
        while !answer.suffix(end.utf8.count).elementsEqual(end.utf8) {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptors[index], &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            answer += bytes[..<count]
        }
        return answer.count < 12 ? nil : Int(String(decoding: answer[9..<12], as: UTF8.self))
    }

    /// The status of the answer that begins next; nil: closed.
    func status(on index: Int) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptors[index], &bytes, bytes.count, 0)
        guard count > 12 else { return nil }
        return Int(String(decoding: bytes[9..<12], as: UTF8.self))
    }

    /// Open, and nothing has come.
    func isOpen(_ index: Int) -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptors[index], &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
    }
}
