import Foundation
import Synchronization

/// Clients that ask and ask, each on a connection that it keeps, on a thread of its own.
final class Traffic: Sendable {
    private struct State {
        var statuses: [Int: Int] = [:]
        var running = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// Each client asks until it has done so `requests` times, or until `finish`.
    init(_ clients: Int, requests: Int = .max, of fixture: Fixture, path: String = "/") {
        state.withLock { $0.running = clients }
        for _ in 0..<clients {
            Thread.detachNewThread {
                self.run(requests, fixture, path)
                self.state.withLock { $0.running -= 1 }
            }
        }
    }

    private func run(_ requests: Int, _ fixture: Fixture, _ path: String) {
        var reader: MessageReader?
        for _ in 0..<requests {
            guard !state.withLock({ $0.isOver }) else { return }
            var status = 0
            do {
                let current = try reader ?? fixture.connect()
                try current.wire.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try current.next()
                status = answer?.status ?? 0
                reader = answer == nil || answer?["Connection"] == "close" ? nil : current
            } catch {
                reader = nil
            }
            state.withLock { $0.statuses[status, default: 0] += 1 }
        }
    }

    /// How many answers there were with each status; 0: no answer.
    var statuses: [Int: Int] { state.withLock { $0.statuses } }

    var total: Int { statuses.values.reduce(0, +) }

    /// Waits until all clients are through; false: they are not, after ten seconds.
    func end() async -> Bool { await eventually { state.withLock { $0.running } == 0 } }

    func finish() async -> Bool {
        state.withLock { $0.isOver = true }
        return await end()
    }
}
