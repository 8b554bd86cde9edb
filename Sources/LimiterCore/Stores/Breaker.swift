/// Decides when the shared store is asked and when it is left alone. A value: events in, answers out, time an argument
/// (microseconds, monotonic).
///
/// Opens after 5 failures in a row or when at least half of at least 20 calls of one second failed; stays open for
/// 250 ms · 2ⁿ up to 5 s, ±50 % by chance; then one write probe at a time, and three that pass in a row close it.
package struct Breaker: Sendable {
    package enum Phase: Hashable, Sendable {
        case closed
        case open(until: Int64)
        case halfOpen(passed: Int)
    }

    package private(set) var phase = Phase.closed
    private var isProbing = false
    private var failuresInRow = 0
    private var second: Int64 = 0
    private var callsInSecond = 0
    private var failuresInSecond = 0
    private var openings = 0
    private var random: UInt64

    private static let failuresInRowToOpen = 5
    private static let callsToJudge = 20
    private static let shortestOpenMicroseconds: Int64 = 250_000
    private static let longestOpenMicroseconds: Int64 = 5_000_000
    private static let probesToClose = 3

    package init(seed: UInt64) { random = seed }

    package var isClosed: Bool { phase == .closed }

    package mutating func succeeded(at now: Int64) {
        guard isClosed else { return }
        count(at: now)
        failuresInRow = 0
    }

    package mutating func failed(at now: Int64) {
        guard isClosed else { return }
        count(at: now)
        failuresInRow += 1
        failuresInSecond += 1
        if failuresInRow >= Self.failuresInRowToOpen
            || (callsInSecond >= Self.callsToJudge && failuresInSecond * 2 >= callsInSecond)
        {
            open(at: now)
        }
    }

    /// There is no connection at all: no need to count.
    package mutating func disconnected(at now: Int64) {
        if isClosed { open(at: now) }
    }

    /// Whether a probe should be sent now.
    package mutating func shouldProbe(at now: Int64) -> Bool {
        switch phase {
        case .closed: return false
        case .open(let until):
            guard now >= until else { return false }
            phase = .halfOpen(passed: 0)
        case .halfOpen:
            guard !isProbing else { return false }
        }
        isProbing = true
        return true
    }

    package mutating func probePassed(at now: Int64) {
        isProbing = false
        guard case .halfOpen(let passed) = phase else { return }
        if passed + 1 < Self.probesToClose {
            phase = .halfOpen(passed: passed + 1)
        } else {
            phase = .closed
            (failuresInRow, callsInSecond, failuresInSecond, openings) = (0, 0, 0, 0)
        }
    }

    package mutating func probeFailed(at now: Int64) {
        isProbing = false
        if case .halfOpen = phase { open(at: now) }
    }

    private mutating func count(at now: Int64) {
        if now / 1_000_000 != second {
            second = now / 1_000_000
            (callsInSecond, failuresInSecond) = (0, 0)
        }
        callsInSecond += 1
    }

    private mutating func open(at now: Int64) {
        let base = min(Self.longestOpenMicroseconds, Self.shortestOpenMicroseconds << Int64(min(openings, 10)))
        openings += 1
        // Knuth's linear congruential generator is enough to keep replicas apart.
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        phase = .open(until: now + base / 2 + Int64(random >> 33) % base)
    }
}
