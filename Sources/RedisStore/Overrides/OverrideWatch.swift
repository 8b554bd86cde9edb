import LimiterCore

/// What a replica knows of the overrides in Redis, and what it must do to know them. A value; times are arguments, in microseconds.
struct OverrideWatch {
    enum Action: Hashable {
        case nothing
        /// Others changed something.
        case read
        /// Redis has lost what is known here.
        case restore
    }

    private(set) var overrides: [LimitOverride.Subject: LimitOverride] = [:]
    /// Those that have expired here, of which Redis has not said that it has them no longer. With whether it is being asked.
    private var expired: [LimitOverride.Subject: Bool] = [:]
    /// nil: they were never read.
    private(set) var version: OverrideFormat.Version?
    /// The greatest number that was seen, and not less than the version's: Redis must have that, or has lost it.
    private(set) var number: Int64 = 0
    private var askedAt: Int64?
    private var isBusy = false
    /// The earliest moment, by Redis's clock, at which one of them expires; `.max`: none does.
    private var nextExpiry = Int64.max

    /// An answer that takes longer has been lost with its connection.
    static let patience: Int64 = 1_000_000

    var isKnown: Bool { version != nil }

    /// Whether to ask for the version now, which begins that question.
    mutating func begins(at now: Int64) -> Bool {
        if let askedAt, now - askedAt < Self.patience { return false }
        askedAt = now
        return true
    }

    mutating func noAnswer() { askedAt = nil }

    /// What Redis has. The action is under way with that, until `ended`.
    mutating func heard(_ store: OverrideFormat.Version) -> Action {
        askedAt = nil
        guard !isBusy, store != version else { return .nothing }
        isBusy = true
        return version != nil && store.number < number ? .restore : .read
    }

    mutating func ended() { isBusy = false }

    /// All that Redis has. Returns whether that was taken: an answer from before a later change of one's own is not.
    mutating func read(_ list: [LimitOverride], _ version: OverrideFormat.Version) -> Bool {
        guard version.number >= number else { return false }
        self.version = version
        number = version.number
        expired = [:]
        overrides = [:]
        for override in list { overrides[override.subject] = override }
        expiriesChanged()
        return true
    }

    /// Redis was given what is known here, and has this version since. Where others know more, its number is less than the one that
    /// was seen; they bring that back.
    mutating func restored(_ store: OverrideFormat.Version) { number = min(number, store.number) }

    /// This replica changed one; nil: removed it.
    mutating func changed(
        _ subject: LimitOverride.Subject, to override: LimitOverride?, _ version: OverrideFormat.Version
    ) {
        // What was read meanwhile has it already, or something later.
        if let read = self.version, read.number >= version.number { return }
        overrides[subject] = override
        expired[subject] = nil
        // Where others changed something in between, that is still to be read.
        if self.version?.number == version.number - 1 { self.version = version }
        number = max(number, version.number)
        expiriesChanged()
    }

    /// Whether any of them has.
    func hasExpired(at now: Int64) -> Bool { now >= nextExpiry }

    /// Takes those out that have; Redis is to remove them too.
    mutating func newlyExpired(at now: Int64) -> [LimitOverride] {
        guard now >= nextExpiry else { return [] }
        let expired = overrides.values.filter { $0.hasExpired(at: now) }
        for override in expired {
            overrides[override.subject] = nil
            self.expired[override.subject] = false
        }
        expiriesChanged()
        return expired.sorted { $0.subject < $1.subject }
    }

    /// Those that Redis is to be asked to remove now: so many, less those that it is being asked of. It is, until `expiryEnded`.
    mutating func expiriesToAsk(most: Int) -> [LimitOverride.Subject] {
        guard !expired.isEmpty else { return [] }
        let subjects = expired.lazy.filter { !$0.value }.map(\.key).prefix(most - expired.lazy.filter(\.value).count)
        let asked = Array(subjects)
        for subject in asked { expired[subject] = true }
        return asked
    }

    /// Redis has answered, or will not. Unless it has the override no longer, it is asked again.
    mutating func expiryEnded(_ subject: LimitOverride.Subject, isGone: Bool) {
        if expired[subject] != nil { expired[subject] = isGone ? nil : false }
    }

    private mutating func expiriesChanged() {
        nextExpiry = overrides.values.compactMap(\.expiresAtMicroseconds).min() ?? .max
    }
}
