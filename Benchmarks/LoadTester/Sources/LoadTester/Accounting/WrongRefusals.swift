/// Requests that were refused although, however one orders what was in flight, there was room for them.
///
/// It takes the counters to be unused when the run begins, and no other limit to apply.
struct WrongRefusals: Hashable, Sendable {
    private(set) var count = 0
    /// Cost units that should have passed and did not, over all periods.
    private(set) var missingUnits: Int64 = 0

    /// Of one period: what was refused wrongly in it, and the room that there was at the last time.
    private var period: Int64?
    private var refusedUnits: Int64 = 0
    private var lastRoom: Int64 = 0

    init(_ observations: [Observation], of promise: Promise, windows: ClockWindows) {
        let history = ChargeHistory(observations)
        let refusals = observations.filter { $0.outcome == .refused && $0.cost > 0 }.sorted { $0.sent < $1.sent }
        switch promise.algorithm {
        case .slidingWindow:
            for refusal in refusals {
                guard let window = windows.certain(refusal.sent, refusal.received) else { continue }
                judge(
                    refusal, room: Self.room(at: refusal, in: window, history, promise, windows), period: window)
            }
        case .tokenBucket(let burst):
            var bucket = EmptiestBucket(observations, burst: burst, promise: promise)
            for refusal in refusals {
                // Charges that are under way may all come first.
                let room =
                    bucket.level(at: refusal.sent) - Double(history.most(from: refusal.sent, to: refusal.received))
                judge(refusal, room: Int64(room.rounded(.down)), period: refusal.sent / promise.periodNanoseconds)
            }
        }
        close()
    }

    /// The least room that there can have been when this request was refused.
    private static func room(
        at refusal: Observation, in window: Int64, _ history: ChargeHistory, _ promise: Promise, _ windows: ClockWindows
    ) -> Int64 {
        let start = windows.start(window)
        let current = history.most(from: start - windows.skew, to: refusal.received)
        let before = history.most(from: windows.start(window - 1) - windows.skew, to: start + windows.skew)
        let left = min(windows.length, start + windows.length - refusal.sent + windows.skew)
        let weighted = (Int128(before) * Int128(left) + Int128(windows.length) - 1) / Int128(windows.length)
        return promise.burst - current - Int64(weighted)
    }

    private mutating func judge(_ refusal: Observation, room: Int64, period: Int64) {
        guard room >= Int64(refusal.cost) else { return }
        if self.period != period {
            close()
            self.period = period
        }
        count += 1
        refusedUnits += Int64(refusal.cost)
        lastRoom = room
    }

    private mutating func close() {
        missingUnits += min(refusedUnits, lastRoom)
        refusedUnits = 0
        lastRoom = 0
        period = nil
    }
}

/// A bucket that is charged as late as can be: a late charge leaves less, since a full bucket gains nothing.
private struct EmptiestBucket {
    private let burst: Double
    private let rate: Double
    private let charges: [Observation]
    private var next = 0
    private var tokens: Double
    private var time: Int64 = 0

    init(_ observations: [Observation], burst: Int64, promise: Promise) {
        self.burst = Double(burst)
        rate = promise.unitsPerNanosecond
        charges = observations.filter { $0.outcome == .admitted }.sorted { $0.received < $1.received }
        tokens = Double(burst)
    }

    private mutating func refill(to now: Int64) {
        tokens = min(burst, tokens + rate * Double(max(0, now - time)))
        time = max(time, now)
    }

    /// Tokens once all that was settled by then is charged. Times must not decrease.
    mutating func level(at now: Int64) -> Double {
        while next < charges.count, charges[next].received <= now {
            refill(to: charges[next].received)
            tokens -= Double(charges[next].cost)
            next += 1
        }
        refill(to: now)
        // A millionth of a token for the rounding of doubles.
        return tokens - 1e-6
    }
}
