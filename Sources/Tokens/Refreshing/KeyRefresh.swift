/// When an issuer's keys are fetched: one fetch at a time, soon after one was missed, and no more often than `floor` allows.
///
/// Times are nanoseconds of a monotonic clock. Of a fetch that failed, the next follows after `floor`, then after twice as
/// long, up to the usual interval; the keys that were there stay for their lifetime.
package struct KeyRefresh: Sendable {
    package struct Terms: Sendable {
        /// Least time between the starts of two fetches.
        package var floor: Int64
        /// Time between two fetches where the answer says nothing else.
        package var interval: Int64
        /// What an answer's `max-age` is held between.
        package var shortest: Int64
        package var longest: Int64
        /// How long keys are believed after they were fetched, if no fetch succeeds.
        package var lifetime: Int64

        package init(
            floor: Int64 = 30_000_000_000, interval: Int64 = 600_000_000_000, shortest: Int64 = 60_000_000_000,
            longest: Int64 = 3_600_000_000_000, lifetime: Int64 = 86_400_000_000_000
        ) {
            self.floor = floor
            self.interval = interval
            self.shortest = shortest
            self.longest = longest
            self.lifetime = lifetime
        }
    }

    private let terms: Terms
    private var startedAt: Int64?
    private var succeededAt: Int64?
    private var dueAt: Int64
    private var failures = 0
    private var isFetching = false

    /// The first fetch is due at once.
    package init(_ terms: Terms = Terms(), at now: Int64) {
        self.terms = terms
        dueAt = now
    }

    /// When the next fetch may start at the earliest.
    package var nextAllowedAt: Int64 { startedAt.map { $0 + terms.floor } ?? dueAt }

    /// Time has passed. true: fetch now.
    package mutating func tick(at now: Int64) -> Bool { now >= dueAt && begin(at: now) }

    /// A key is missed. true: fetch now; false: a fetch is under way, or the last one was a moment ago.
    package mutating func demand(at now: Int64) -> Bool { begin(at: now) }

    private mutating func begin(at now: Int64) -> Bool {
        guard !isFetching, startedAt.map({ now - $0 >= terms.floor }) ?? true else { return false }
        isFetching = true
        startedAt = now
        return true
    }

    /// `maxAge`: what the answer says of how long it is fresh. true: the source had been away.
    package mutating func succeeded(at now: Int64, maxAge: Int64?) -> Bool {
        isFetching = false
        succeededAt = now
        let age = maxAge.map { min(max($0, terms.shortest), terms.longest) } ?? terms.interval
        dueAt = now + max(age, terms.floor)
        defer { failures = 0 }
        return failures > 0
    }

    /// Whether the keys that were fetched last may not be believed any more.
    package func haveKeysExpired(at now: Int64) -> Bool { succeededAt.map { now - $0 >= terms.lifetime } ?? false }

    /// true: it is the first failure in a row.
    package mutating func failed(at now: Int64) -> Bool {
        isFetching = false
        dueAt = now + min(terms.floor << Int64(min(failures, 10)), max(terms.interval, terms.floor))
        failures += 1
        return failures == 1
    }
}
