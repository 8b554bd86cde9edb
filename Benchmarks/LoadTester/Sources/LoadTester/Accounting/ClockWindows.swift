/// Windows that begin at whole multiples of their length since 1970, in the run's own time.
package struct ClockWindows: Hashable, Sendable {
    package let length: Int64
    /// Nanoseconds from 1970 to the start of the run.
    package let epoch: Int64
    /// By how much the limiter's clock may differ from this machine's, in nanoseconds.
    package let skew: Int64

    package init(length: Int64, epoch: Int64, skew: Int64) {
        self.length = length
        self.epoch = epoch
        self.skew = skew
    }

    /// The window that this time of the run is in.
    package func number(_ time: Int64) -> Int64 {
        let (quotient, remainder) = (time + epoch).quotientAndRemainder(dividingBy: length)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// When it begins, in the run's time.
    package func start(_ number: Int64) -> Int64 { number * length - epoch }

    /// The window that the whole stretch lies in, however the clocks differ; nil where that is not certain.
    package func certain(_ from: Int64, _ to: Int64) -> Int64? {
        let first = number(from - skew)
        return first == number(to + skew) ? first : nil
    }

    /// The greatest certain excess over `limit` in a window.
    func excess(of admissions: [Observation], over limit: Int64) -> Excess? {
        var units: [Int64: Int64] = [:]
        for admission in admissions {
            guard let window = certain(admission.sent, admission.received) else { continue }
            units[window, default: 0] += Int64(admission.cost)
        }
        let over = units.filter { $0.value > limit }
        guard let (window, admitted) = over.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) }) else { return nil }
        return Excess(
            units: admitted - limit, admitted: admitted, bound: limit, from: start(window), to: start(window + 1))
    }
}
