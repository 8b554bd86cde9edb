import WeirConfiguration

/// Chooses which endpoint of a service a request goes to. It performs nothing and allocates nothing; O(endpoints) a choice.
///
/// An endpoint can be out of use: unhealthy by its checks, or ejected. Where all are, the choice is among all the same: an answer is
/// likelier from a doubtful endpoint than from none. Among the others come first those of the smallest tier, then the rule decides.
struct Balancer {
    struct Member {
        let endpoint: Endpoint
        /// Which come first: by priority, and within one the spares last.
        fileprivate let tier: Int
        fileprivate let weight: Int
        fileprivate let hash: UInt64
        /// Of smooth weighted round robin: what it is owed, in turns times the sum of weights.
        fileprivate var owed = 0
        /// Of the choice that is being made: smaller ones come first.
        fileprivate var place = 0
        var ejection = Ejection()

        init(_ endpoint: Endpoint) {
            self.endpoint = endpoint
            tier = endpoint.priority * 2 + (endpoint.weight == 0 ? 1 : 0)
            weight = max(1, endpoint.weight)
            hash = Rendezvous.hash(endpoint.upstream)
        }
    }

    struct Choice: Equatable {
        let index: Int
        /// No endpoint is in use.
        let isPanic: Bool
    }

    let rule: BalancingSettings.Rule
    let ejection: EjectionRules?
    private(set) var members: [Member]

    init(_ endpoints: [Endpoint], _ rule: BalancingSettings.Rule, _ ejection: EjectionRules?) {
        self.rule = rule
        self.ejection = ejection
        members = endpoints.map { Member($0) }
    }

    /// What is known of endpoints that were there before stays known.
    mutating func take(from earlier: [Member]) {
        guard !earlier.isEmpty else { return }
        let known = Dictionary(earlier.map { ($0.endpoint.upstream, $0) }) { first, _ in first }
        for index in members.indices {
            guard let member = known[members[index].endpoint.upstream] else { continue }
            members[index].owed = member.owed
            // Where nobody is ejected any more, nobody would return, either.
            if ejection != nil { members[index].ejection = member.ejection }
        }
    }

    // MARK: Choosing

    /// nil: there are no endpoints.
    ///
    /// `key`: what requests that belong together have in common; nil where the rule is not to hash, or the request has none: then the
    /// fewest in flight decide. `isHealthy`, `isTried` (by this request before) and `inFlight` are asked by index.
    mutating func choose(
        at now: Int64, key: UInt64?, isHealthy: (Int) -> Bool, isTried: (Int) -> Bool, inFlight: (Int) -> Int
    ) -> Choice? {
        guard members.count > 1 else {
            guard !members.isEmpty else { return nil }
            let isPanic = members[0].ejection.isPassedOver(at: now) || !isHealthy(0)
            members[0].ejection.chosen(at: now, ejection)
            return Choice(index: 0, isPanic: isPanic)
        }
        var best = Int.max
        for index in members.indices {
            var place = members[index].tier
            if isTried(index) { place += Self.tried }
            if members[index].ejection.isAvoided(at: now) { place += Self.avoided }
            if members[index].ejection.isPassedOver(at: now) || !isHealthy(index) { place += Self.outOfUse }
            members[index].place = place
            best = min(best, place)
        }
        let index: Int
        if let key {
            index = mostWanted(by: key, in: best)
        } else if rule == .roundRobin {
            index = nextInTurn(in: best)
        } else {
            index = leastLoaded(in: best, inFlight)
        }
        members[index].ejection.chosen(at: now, ejection)
        return Choice(index: index, isPanic: best >= Self.outOfUse)
    }

    private static let tried = 1 << 32
    private static let avoided = 1 << 33
    private static let outOfUse = 1 << 34

    /// Smooth weighted round robin: each turn everyone is owed its weight, and whoever is owed most takes the turn for all of them. So
    /// in as many turns as the sum of weights everyone has as many as its weight, spread evenly.
    private mutating func nextInTurn(in place: Int) -> Int {
        var (next, sum) = (-1, 0)
        for index in members.indices where members[index].place == place {
            members[index].owed += members[index].weight
            sum += members[index].weight
            if next < 0 || members[index].owed > members[next].owed { next = index }
        }
        members[next].owed -= sum
        return next
    }

    /// In flight by weight; among equals the next in turn.
    private mutating func leastLoaded(in place: Int, _ inFlight: (Int) -> Int) -> Int {
        var (least, leastWeight) = (Int.max, 0)
        var equals = 0
        for index in members.indices where members[index].place == place {
            let (load, weight) = (inFlight(index), members[index].weight)
            let (mine, others) = (load * leastWeight, least == .max ? Int.max : least * weight)
            if equals == 0 || mine < others {
                (least, leastWeight, equals) = (load, weight, 1)
            } else if mine == others {
                equals += 1
            }
        }
        for index in members.indices where members[index].place == place {
            if inFlight(index) * leastWeight == least * members[index].weight {
                members[index].place = Self.equal
            }
        }
        return nextInTurn(in: Self.equal)
    }

    private static let equal = -1

    /// Rendezvous hashing: of the endpoints that can be chosen the one that scores highest with this key.
    private func mostWanted(by key: UInt64, in place: Int) -> Int {
        var (most, highest) = (-1, 0.0)
        for index in members.indices where members[index].place == place {
            let score = Rendezvous.score(key, members[index].hash, weight: members[index].weight)
            if most < 0 || score > highest { (most, highest) = (index, score) }
        }
        return most
    }

    // MARK: Outcomes

    mutating func succeeded(_ index: Int) -> Ejection.Change? { members[index].ejection.succeeded() }

    mutating func answered(_ index: Int) -> Ejection.Change? { members[index].ejection.answered() }

    mutating func unreachable(_ index: Int, at now: Int64) { members[index].ejection.unreachable(at: now) }

    mutating func failed(_ index: Int, at now: Int64) -> Ejection.Change? {
        guard let ejection else { return nil }
        let room = ejection.mayBeEjected(of: members.count) - members.count { !$0.ejection.isInUse }
        return members[index].ejection.failed(at: now, ejection, hasRoom: room > 0)
    }
}
