import Foundation
import Synchronization

/// A server that does with each connection what a test says, on a thread of its own.
final class TestUpstream: Sendable {
    let port: Int
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var connections = 0
        var requests: [Message] = []
        var wires: [Wire] = []
    }

    /// `serve` gets each connection, and how many there were before.
    init(_ serve: @escaping @Sendable (TestUpstream, Wire, Int) throws -> Void) {
        let accepting = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Wire.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(accepting, $0, size)
                listen(accepting, 1024)
                getsockname(accepting, $0, &size)
            }
        }
        port = Int(in_port_t(bigEndian: address.sin_port))
        listener = accepting
        Thread.detachNewThread {
            while true {
                let descriptor = accept(accepting, nil, nil)
                guard descriptor >= 0 else {
                    // Closed here and nowhere else, so that the number cannot be another socket's by now.
                    Glibc.close(accepting)
                    return
                }
                let wire = Wire(descriptor)
                let index = self.state.withLock { state in
                    state.connections += 1
                    state.wires.append(wire)
                    return state.connections - 1
                }
                Thread.detachNewThread {
                    try? serve(self, wire, index)
                    wire.close()
                }
            }
        }
    }

    /// Answers every request of every connection with what `answer` makes of it.
    static func answering(_ answer: @escaping @Sendable (Message) -> String) -> TestUpstream {
        TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                try wire.send(answer(request))
            }
        }
    }

    /// Answers the first request of every connection with these bytes, whatever they are, and closes it.
    static func sending(_ answer: String) -> TestUpstream {
        TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            try wire.send(answer)
        }
    }

    static func greeting() -> TestUpstream {
        answering { _ in "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello" }
    }

    /// Answers with the request's body.
    static func echoing() -> TestUpstream {
        answering { request in
            "HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n\(request.text)"
        }
    }

    func note(_ request: Message) { state.withLock { $0.requests.append(request) } }

    var requests: [Message] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        for wire in state.withLock({ $0.wires }) { wire.close() }
    }
}
