import Glibc
import Synchronization
import Telemetry
import Testing

/// Upstreams that fail in every way, and gateways before them.
enum Failing {
    static let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    static let down = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown"

    /// What an upstream does with a request that it has read.
    enum Behaviour: Sendable, CaseIterable {
        case closes, resets, sendsGarbage, sendsHalfAHead, answers503, answers503InChunks, hangs, drips
    }

    /// Nobody listens there, and no test is given that port.
    static let unreachablePort = 1

    static func act(_ behaviour: Behaviour, on wire: Wire) throws {
        switch behaviour {
        case .closes: break
        case .resets: wire.sendReset()
        case .sendsGarbage: try wire.send("220 smtp.example.com ready\r\n\r\n")
        case .sendsHalfAHead: try wire.send("HTTP/1.1 200 OK\r\nContent-Le")
        case .answers503: try wire.send(down)
        case .answers503InChunks:
            try wire.send(
                "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndown\r\n0\r\n\r\n")
        case .hangs: while try wire.receive() != nil {}
        case .drips:
            for byte in Array("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 4000))".utf8) {
                try wire.send([byte])
                usleep(2000)
            }
        }
    }

    /// Fails so for the first `count` requests, and then answers with what it was sent, or `hello`.
    static func upstream(_ behaviour: Behaviour, times count: Int = 1) -> TestUpstream {
        TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                upstream.note(request)
                if upstream.requests.count <= count {
                    try act(behaviour, on: wire)
                    if behaviour != .answers503, behaviour != .answers503InChunks { return }
                } else if request.startLine.hasPrefix("HEAD") {
                    try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                } else if request.body.isEmpty {
                    try wire.send(hello)
                } else {
                    try wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n\(request.text)")
                }
            }
        }
    }

    /// Answers 503 while `isDown`, and `hello` otherwise.
    final class Switch: Sendable {
        private let state: Mutex<Bool>
        init(isDown: Bool) { state = Mutex(isDown) }
        var isDown: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }

        func upstream(_ good: String = hello) -> TestUpstream {
            TestUpstream.answering { _ in self.isDown ? down : good }
        }
    }

    /// One service `a` at `/` that says `keys`; more services may follow.
    static func setup(_ ports: [Int], _ keys: String, more: String = "", top: String = "") -> Setup {
        var setup = Setup(
            yaml: """
                \(top)
                services:
                  - name: a
                    routes: [{path: /}]
                    upstreams: [\(ports.map { "http://127.0.0.1:\($0)" }.joined(separator: ", "))]
                \(indented(keys, by: 4))
                \(indented(more, by: 2))

                """)
        setup.metrics = metrics()
        return setup
    }

    static func metrics() -> Metrics { Metrics(services: ["a", "b", "c"], limits: [], workers: 3) }

    private static func indented(_ text: String, by count: Int) -> String {
        text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
    }
}

/// An answer of the gateway's own.
func expectProblem(_ answer: Message?, _ status: Int, at location: SourceLocation = #_sourceLocation) throws {
    let answer = try #require(answer, sourceLocation: location)
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer["Content-Type"] == "application/problem+json", sourceLocation: location)
}

extension Metrics {
    /// The value of a series of service `a`; nil: it is not there.
    func value(_ name: String) -> Int? {
        var text = ""
        render(store: [], into: &text)
        return text.split(separator: "\n").first { $0.hasPrefix("\(name){service=\"a\"") }?.split(separator: " ").last
            .flatMap { Int($0) }
    }
}
