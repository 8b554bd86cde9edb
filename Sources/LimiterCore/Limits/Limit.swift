/// One rule: what is counted together, how much of it may pass, and what happens when nobody can be asked.
package struct Limit: Hashable, Sendable {
    package enum Algorithm: Hashable, Sendable {
        case slidingWindow
        /// `burst` is the bucket's capacity in cost units.
        case tokenBucket(burst: Int64)
        /// So much in each period of the calendar, and no weight of the one before.
        case calendar(CalendarPeriod)

        /// As the configuration writes it.
        package var name: String {
            switch self {
            case .slidingWindow: "sliding_window"
            case .tokenBucket: "token_bucket"
            case .calendar: "calendar"
            }
        }
    }

    package enum FailurePolicy: String, Hashable, Sendable, CaseIterable {
        /// Refuse with 503 while Redis is away.
        case deny
        /// Enforce this replica's share.
        case local
        /// Let everything pass.
        case allow
    }

    package enum Counted: String, Hashable, Sendable, CaseIterable {
        case requests
        case failedAuthentications = "failed_authentication"
    }

    /// How the shared store is asked.
    package enum Mode: Hashable, Sendable, BitwiseCopyable {
        /// Leased where that pays and for counters of everyone, exact elsewhere.
        case automatic
        /// Every decision is the store's.
        case exact
        /// Replicas spend what the store granted them in advance.
        case leased
        /// Not at all: each replica counts for itself, up to the whole limit.
        case local
    }

    package let name: String
    /// Empty: one counter for everyone.
    package let per: [Dimension]
    package let rate: Rate
    package let algorithm: Algorithm
    package let cost: Cost
    package let isGuard: Bool
    package let counts: Counted
    package let onStoreFailure: FailurePolicy
    package let mode: Mode
    /// Decided, counted and reported, never enforced.
    package let isShadow: Bool
    /// Most keys that one replica tells apart; new ones beyond it share one counter.
    package let maximumKeys: Int

    /// Whatever the demand: one counter for everyone must not be asked for by every request.
    package var isAlwaysLeased: Bool { mode == .leased || (mode == .automatic && per.isEmpty) }

    package var needsTenant: Bool { per.contains(.tenant) }

    /// A calendar quota's period; nil: it is none.
    package var calendar: CalendarPeriod? { if case .calendar(let period) = algorithm { period } else { nil } }

    /// Whether what was used in periods that are over is kept and recorded: not of values that clients choose, of which there is no end.
    var keepsPast: Bool { calendar != nil && !per.contains(where: \.isChosenByClients) }

    /// The length of its window in seconds; nil: it depends on the calendar.
    package var windowSeconds: Int64? { calendar == nil ? rate.periodSeconds : nil }

    /// What may pass at once: the window's limit, or the bucket's capacity.
    package var capacity: Int64 {
        switch algorithm {
        case .slidingWindow, .calendar: rate.count
        case .tokenBucket(let burst): burst
        }
    }

    package static let defaultMaximumKeys = 100_000
    package static let defaultMaximumTenants = 10_000_000
}
