/// What was used of a calendar quota in its latest period and those before it, in cost units.
package struct PeriodCounts: Hashable, Sendable {
    /// Periods that are told apart.
    package static let periods = 1 + CounterRule.keptPeriods

    /// The latest period's, as `CalendarPeriod.Span` has it.
    package private(set) var number: Int64
    /// Of the latest period, as `CounterState` has it.
    package private(set) var generation: Int64
    /// `periods` of them, the latest one's first.
    package private(set) var units: [Int64]

    /// Periods that `units` leaves out used nothing.
    package init(number: Int64, generation: Int64 = 0, units: [Int64] = []) {
        self.number = number
        self.generation = generation
        self.units = Array((units + Array(repeating: 0, count: Self.periods)).prefix(Self.periods))
    }

    init(_ state: CounterState) {
        self.init(number: state.position, generation: state.generation, units: [state.count, state.rest])
    }

    package var isEmpty: Bool { units.allSatisfy { $0 == 0 } }

    /// 0 where nothing is known of the period.
    package subscript(number: Int64) -> Int64 {
        let age = self.number - number
        return (0..<Int64(Self.periods)).contains(age) ? units[Int(age)] : 0
    }

    /// Makes `number` the latest period, unless it is already over.
    package mutating func move(to number: Int64) {
        guard number > self.number else { return }
        let age = Int(min(number - self.number, Int64(Self.periods)))
        units = Array(repeating: 0, count: age) + units.prefix(Self.periods - age)
        self.number = number
    }

    /// Its budget was given back.
    mutating func reset(at now: Int64) {
        units[0] = 0
        generation = max(generation + 1, now / 1000)
    }

    /// Takes what another memory has more of. Of the latest period, a later generation counts and an earlier one does not.
    package mutating func merge(_ other: PeriodCounts) {
        var other = other
        let (isLatest, isOtherLatest) = (number >= other.number, other.number >= number)
        move(to: other.number)
        other.move(to: number)
        for age in 1..<Self.periods { units[age] = max(units[age], other.units[age]) }
        if isLatest, isOtherLatest, generation == other.generation {
            units[0] = max(units[0], other.units[0])
        } else if isOtherLatest, !isLatest || other.generation > generation {
            (units[0], generation) = (other.units[0], other.generation)
        }
    }

    /// Counts what was used beside this in a period and in the one before it.
    mutating func add(_ current: Int64, _ before: Int64, at number: Int64) {
        move(to: number)
        for (period, more) in [(number, current), (number - 1, before)] {
            let age = self.number - period
            if (0..<Int64(Self.periods)).contains(age) { units[Int(age)] += more }
        }
    }

    /// As a counter has it at `now`.
    func state(_ rule: CounterRule, at now: Int64) -> CounterState {
        var moved = self
        moved.move(to: rule.window(at: now))
        return CounterState(
            position: moved.number, count: moved.units[0], rest: moved.units[1],
            generation: moved.number == number ? generation : 0)
    }
}

extension CounterRule {
    /// Whether these can be counts of a quota that counts by this rule: not of a period far ahead.
    func mayBeOf(_ counts: PeriodCounts) -> Bool { (0...number + Self.mostPeriodsAhead).contains(counts.number) }
}

/// One counter's counts under its key, as they are kept outside.
package struct UsageRecord: Hashable, Sendable {
    package var key: [UInt8]
    package var counts: PeriodCounts

    package init(key: [UInt8], counts: PeriodCounts) {
        self.key = key
        self.counts = counts
    }

    /// Whether it is not too old to be told at `now`, in microseconds since the epoch, by the calendar of whatever quota it is of.
    package func isKept(at now: Int64) -> Bool {
        guard let letter = key.last, key.dropLast().last == UInt8(ascii: "c"),
            let unit = CalendarPeriod.Unit.allCases.first(where: { $0.rawValue.utf8.first == letter })
        else { return false }
        // Zones and anchors are at most two days or a month away from UTC's periods.
        let current = CalendarPeriod(unit).span(at: now / 1_000_000).number
        let slack: Int64 = unit == .hour ? 48 : 2
        let oldest = current - Int64(PeriodCounts.periods) - slack
        return (max(0, oldest)...current + CounterRule.mostPeriodsAhead).contains(counts.number)
    }
}
