import NIOCore
import WeirConfiguration

/// When an upstream is passed over because of what its requests show.
struct EjectionRules: Sendable {
    /// So many in a row eject it.
    let consecutiveFailures: Int
    /// Nanoseconds, the first time.
    let duration: Int64
    /// Percent of a service's upstreams.
    let most: Int

    static let longest = TimeAmount(BalancingSettings.Ejection.longest).nanoseconds

    init(_ settings: BalancingSettings.Ejection) {
        consecutiveFailures = settings.consecutiveFailures
        duration = TimeAmount(settings.duration).nanoseconds
        most = settings.most
    }

    /// How many of so many may be ejected at a time.
    func mayBeEjected(of count: Int) -> Int { count * most / 100 }
}

/// What one worker has seen of one upstream lately: whether it is ejected, on trial, or in use.
///
/// Ejected for a while, then on trial: one request goes to it, and its outcome ejects it for twice the time, or clears it.
/// A request that ends otherwise settles nothing; another follows after the rules' duration.
struct Ejection {
    enum Change: Equatable {
        /// For so many nanoseconds.
        case ejected(for: Int64)
        case returned
    }

    /// Failures in a row while it is in use.
    private(set) var failures = 0
    /// Ejections in a row; 0: it is in use.
    private(set) var times = 0
    private var until: Int64 = 0
    private var isOnTrial = false
    /// Until when others go first because no connection to it could be opened, and for how long that was.
    private var avoidedUntil: Int64 = 0
    private var avoidance: Int64 = 0

    private static let firstAvoidance: Int64 = 500_000_000
    private static let longestAvoidance: Int64 = 8_000_000_000

    var isInUse: Bool { times == 0 }

    /// Whether requests pass it over: while it is ejected, and while another request tries it.
    func isPassedOver(at now: Int64) -> Bool { times > 0 && now < until }

    func isAvoided(at now: Int64) -> Bool { now < avoidedUntil }

    /// A request goes to it.
    mutating func chosen(at now: Int64, _ rules: EjectionRules?) {
        guard let rules, times > 0, now >= until else { return }
        isOnTrial = true
        until = now + rules.duration
    }

    /// A whole answer came.
    mutating func succeeded() -> Change? {
        failures = 0
        return answered()
    }

    /// A good head came. What follows may still break off, as it may have before.
    mutating func answered() -> Change? {
        (avoidedUntil, avoidance) = (0, 0)
        guard times > 0 else { return nil }
        (times, until, isOnTrial) = (0, 0, false)
        return .returned
    }

    /// No connection to it could be opened, so that the request may go to another one.
    mutating func unreachable(at now: Int64) {
        guard now >= avoidedUntil else { return }
        avoidance = min(max(avoidance * 2, Self.firstAvoidance), Self.longestAvoidance)
        avoidedUntil = now + avoidance
    }

    /// `hasRoom`: one more upstream of the service may be ejected.
    mutating func failed(at now: Int64, _ rules: EjectionRules, hasRoom: @autoclosure () -> Bool) -> Change? {
        if times > 0 {
            // Of a request from before, while nothing new is known.
            guard isOnTrial else { return nil }
        } else {
            failures += 1
            guard failures >= rules.consecutiveFailures, hasRoom() else { return nil }
        }
        failures = 0
        isOnTrial = false
        times += 1
        var duration = rules.duration
        for _ in 1..<times where duration < EjectionRules.longest { duration *= 2 }
        duration = min(duration, EjectionRules.longest)
        until = now + duration
        return .ejected(for: duration)
    }
}
