import LimiterCore
import TestSupport

/// What one run is about, drawn from its seed: the fleet, its limits, what clients ask, and what goes wrong.
struct Scenario {
    enum Kind {
        /// Nothing goes wrong.
        case faultless
        /// Nothing goes wrong or is left to chance but what clients ask, so that a second world differs by one tenant alone.
        case isolated
        case faulty
        /// Nothing goes wrong, and every replica is asked for the same, more than the limit allows, for ten seconds.
        case fair
    }

    let seed: UInt64
    let kind: Kind
    let replicas: Int
    let settings: Replica.Settings
    /// Versions of one configuration: the same limits with other numbers. Replicas begin with the first.
    let versions: [DeclaredLimits]
    let traffic: Traffic
    let faults: [PlannedFault]
    /// Microseconds since the run began: when clients begin to ask, and when the last fault is over.
    let begins: Int64
    let calm: Int64

    static let second: Int64 = 1_000_000

    init(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed, part: 1)
        self.seed = seed
        let kind: Kind =
            random.oneIn(5) ? (seed % 8 == 0 ? .isolated : .faultless) : random.oneIn(40) ? .fair : .faulty
        self.kind = kind
        let replicas = Int(random.pick([1, 2, 2, 3, 3, 4, 5, 8]))
        self.replicas = replicas
        var settings = Replica.Settings()
        settings.eventLoops = random.oneIn(3) ? 2 : 1
        settings.minimumReplicas = Int(random.pick([1, Int64(replicas), Int64(replicas), Int64(replicas) + 1]))
        settings.clockError = random.pick([0, 50_000, 1_000_000, 3_600_000_000])
        if kind == .isolated { (settings.clockError, settings.drift) = (0, 0) }
        self.settings = settings
        begins = Self.second
        let lasts = kind == .fair ? 10 * Self.second : random.number(3...8) * Self.second
        calm = begins + lasts

        let limits = try DrawnLimits(
            &random, replicas: replicas, isFair: kind == .fair, isIsolated: kind == .isolated)
        versions = limits.versions
        traffic = Traffic(&random, limits, replicas: replicas, isFair: kind == .fair, until: calm)
        faults =
            kind == .faulty ? PlannedFault.draw(&random, replicas: replicas, from: begins, until: calm) : []
    }

    /// Tenants may share counters: then what is admitted locally is not of the counter that the request names.
    var overflows: Bool { versions[0].table.labels.contains { $0.maximumKeys < Self.manyKeys } }

    /// More keys than there are tenants that ask.
    static let manyKeys = 100

    var summary: String {
        let limits = versions[0].group.limits.map {
            "\($0.limit.name) \($0.limit.rate) \($0.limit.algorithm) \($0.limit.mode)"
        }
        return
            "\(kind), \(replicas) replicas with \(settings.eventLoops) event loops, \(limits.joined(separator: "; ")); \(traffic.summary); "
            + (faults.isEmpty ? "no faults" : faults.map(\.description).joined(separator: ", "))
    }
}

/// One to three limits of a configuration, and the same with other numbers.
struct DrawnLimits {
    let versions: [DeclaredLimits]
    /// Units a second that the tightest of them lets pass.
    let unitsPerSecond: Int64

    init(_ random: inout SeededGenerator, replicas: Int, isFair: Bool, isIsolated: Bool) throws {
        var first: [LimitDeclaration] = []
        var second: [LimitDeclaration] = []
        var slowest = Int64.max
        for number in 0..<(isFair ? 1 : random.pick([1, 1, 1, 2, 2, 3])) {
            let period = Int64(random.pick([1, 1, 2, 5, 10]))
            let size: Int64 = random.pick([5, 20, 100, 300, 1000, 2000])
            let count = isFair ? 400 * Int64(replicas) * period : max(1, size + random.number(-size / 4...size / 4))
            slowest = min(slowest, max(1, count / period))
            var declaration = LimitDeclaration(name: "limit\(number)")
            declaration.per = random.oneIn(8) && !isIsolated ? [] : [.tenant]
            declaration.mode = isFair ? .leased : random.pick([.exact, .exact, .leased, .leased, .automatic])
            declaration.isShadow = !isFair && random.oneIn(12)
            declaration.onStoreFailure = random.pick([.local, .local, .local, .local, .local, .allow, .deny])
            declaration.maximumKeys = random.oneIn(10) && !isIsolated ? 3 : 1000
            let isBucket = !isFair && random.oneIn(3)
            declaration.algorithm = isBucket ? .tokenBucket : .slidingWindow
            let burstTenths = random.number(3...20)
            func sized(_ count: Int64) throws -> LimitDeclaration {
                var sized = declaration
                sized.rate = try Rate(count: count, periodSeconds: period)
                sized.burst = isBucket ? max(1, count * burstTenths / 10) : nil
                return sized
            }
            first.append(try sized(count))
            second.append(try sized(max(1, count * random.number(5...20) / 10)))
        }
        versions = [try DeclaredLimits(first), try DeclaredLimits(second)]
        unitsPerSecond = slowest
    }
}
