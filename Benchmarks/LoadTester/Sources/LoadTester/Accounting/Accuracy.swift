/// What a run shows about a limit's promise.
package struct Accuracy: Codable, Hashable, Sendable {
    /// A breach, with where it was.
    package struct Breach: Codable, Hashable, Sendable {
        package let tenant: String
        package let units: Int64
        package let admitted: Int64
        package let bound: Int64
        package let fromSeconds: Double
        package let toSeconds: Double

        init(_ excess: Excess, tenant: String) {
            self.tenant = tenant
            units = excess.units
            admitted = excess.admitted
            bound = excess.bound
            fromSeconds = Double(excess.from) / 1e9
            toSeconds = Double(excess.to) / 1e9
        }
    }

    package let limit: String
    package let admittedUnits: Int64
    package let refusedRequests: Int
    /// Of a sliding window: the worst clock window.
    package internal(set) var worstWindow: Breach?
    /// The worst interval against L(1+x/W), or B + r·x.
    package internal(set) var worstInterval: Breach?
    /// Over L in an interval of W: not promised.
    package internal(set) var worstPeriod: Breach?
    /// The greatest certain excess over the promise, in percent of the promise that it broke.
    package internal(set) var overAdmissionPercent = 0.0
    package internal(set) var excessInAnyPeriodPercent = 0.0
    package internal(set) var tenantsOver = 0

    /// Refused although there was room.
    package internal(set) var wrongRefusals = 0
    /// What should have passed and did not, in percent of that and of what was admitted.
    package internal(set) var underAdmissionPercent = 0.0

    package internal(set) var retryAfterMissing = 0
    package internal(set) var retryAfterInvalid = 0
    package internal(set) var retryAfterTooLate = 0

    /// Between the tenants that met their limit: cost units admitted.
    package internal(set) var tenantFairness: Fairness?
    /// Observations that were not kept, and so not judged.
    package let notJudged: Int

    /// Whether the limit decided anything at all.
    package var wasTried: Bool { admittedUnits > 0 || refusedRequests > 0 }

    package struct Settings: Sendable {
        package var promise: Promise
        /// All tenants share one counter.
        package var isShared: Bool
        package var windows: ClockWindows
        /// Tenants from this index on are probes: they do not compete.
        package var tenantCount = Int.max

        package init(promise: Promise, isShared: Bool, windows: ClockWindows) {
            self.promise = promise
            self.isShared = isShared
            self.windows = windows
        }
    }

    package init(_ observations: [Observation], names: [String], _ settings: Settings, notJudged: Int = 0) {
        limit = settings.promise.description + (settings.isShared ? ", shared by all" : " per tenant")
        self.notJudged = notJudged
        let admitted = observations.lazy.filter { $0.outcome == .admitted }
        admittedUnits = admitted.reduce(0) { $0 + Int64($1.cost) }
        refusedRequests = observations.count { $0.outcome == .refused }
        var missing: Int64 = 0
        var shares: [Double] = []
        for (tenant, own) in Self.grouped(observations, isShared: settings.isShared) {
            let name = settings.isShared ? "all" : names[tenant]
            missing += judge(own, name: name, settings)
            guard tenant < settings.tenantCount, own.contains(where: { $0.outcome == .refused }) else { continue }
            shares.append(own.reduce(0) { $0 + ($1.outcome == .admitted ? Double($1.cost) : 0) })
        }
        tenantFairness = Fairness(shares)
        let wanted = Double(missing) + Double(admittedUnits)
        underAdmissionPercent = missing == 0 ? 0 : 100 * Double(missing) / wanted
    }

    private static func grouped(_ observations: [Observation], isShared: Bool) -> [(Int, [Observation])] {
        if isShared { return [(0, observations)] }
        return Dictionary(grouping: observations) { Int($0.tenant) }.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value)
        }
    }

    /// Judges one counter's observations; returns the units that should have passed and did not.
    private mutating func judge(_ own: [Observation], name: String, _ settings: Settings) -> Int64 {
        let admissions = own.filter { $0.outcome == .admitted && $0.cost > 0 }
        let promise = settings.promise
        var isOver = false
        if promise.algorithm == .slidingWindow,
            let excess = settings.windows.excess(of: admissions, over: promise.burst)
        {
            isOver = true
            Self.raise(&worstWindow, excess, name)
            overAdmissionPercent = max(overAdmissionPercent, Self.percent(excess))
        }
        if let excess = promise.excess(of: admissions) {
            isOver = true
            Self.raise(&worstInterval, excess, name)
            overAdmissionPercent = max(overAdmissionPercent, Self.percent(excess))
        }
        if isOver { tenantsOver += 1 }
        if let excess = promise.excessInAnyPeriod(of: admissions) {
            Self.raise(&worstPeriod, excess, name)
            excessInAnyPeriodPercent = max(excessInAnyPeriodPercent, Self.percent(excess))
        }
        let wrong = WrongRefusals(own, of: promise, windows: settings.windows)
        wrongRefusals += wrong.count
        let honesty = RetryHonesty(own)
        retryAfterMissing += honesty.missing
        retryAfterInvalid += honesty.invalid
        retryAfterTooLate += honesty.tooLate
        return wrong.missingUnits
    }

    private static func raise(_ worst: inout Breach?, _ excess: Excess, _ tenant: String) {
        guard excess.units > worst?.units ?? 0 else { return }
        worst = Breach(excess, tenant: tenant)
    }

    private static func percent(_ excess: Excess) -> Double { 100 * Double(excess.units) / Double(excess.bound) }
}
