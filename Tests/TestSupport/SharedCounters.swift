package import LimiterCore

/// The counters of a Redis, as its scripts keep them: what real ones are compared with, and what models of a fleet run on.
package struct SharedCounters {
    package struct Counter: Hashable {
        package var state: CounterState
        package var periodTicks: Int64
        package var lease = BucketLeases()
        /// Of a calendar quota, the units of the periods before the one before.
        package var past: [Int64] = []
        /// How long, in milliseconds, it is kept from when it was written.
        package var lifeMilliseconds: Int64 = 0

        package init(state: CounterState, periodTicks: Int64) {
            self.state = state
            self.periodTicks = periodTicks
        }
    }

    /// What replicas may hold of a bucket.
    package struct BucketLeases: Hashable {
        package var epoch: Int64 = 0
        package var held: Int64 = 0
        package var heldBefore: Int64 = 0

        package init() {}

        var total: Int64 { held + heldBefore }

        mutating func move(to now: Int64) {
            guard now > epoch else { return }
            (epoch, held, heldBefore) = (now, 0, now == epoch + 1 ? held : 0)
        }
    }

    package struct Record: Hashable {
        package var window: Int64
        package var taken: Int64
        package var takenBefore: Int64
        package var sequence: Int64
        package var demand: Int64
        package var time: Int64
        package var lease: Int64 = 0
        package var leaseEpoch: Int64 = 0
    }

    package struct Ledger: Hashable {
        package var records: [ReplicaID: Record] = [:]
        /// How long, in milliseconds, it is kept from when it was written.
        package var lifeMilliseconds: Int64 = 0
        package var demandEpoch: Int64 = -1
        package var demands: Int64 = 0
        package var demandsBefore: Int64 = 0

        package init() {}
    }

    package static let leaseEpoch: Int64 = 400_000
    private static let demandEpoch: Int64 = 200_000

    package var counters: [[UInt8]: Counter] = [:]
    package var ledgers: [[UInt8]: Ledger] = [:]

    package init() {}

    // MARK: States

    /// A counter at `now`, merged with what a call carries (a position below zero: nothing), before anything is charged.
    package func current(_ key: [UInt8], _ rule: CounterRule, carried: CounterState, at now: Int64) -> Counter {
        var counter = stored(key, rule, at: now)
        if carried.position >= 0 { merge(carried, into: &counter, rule, at: now) }
        fit(&counter, rule)
        return counter
    }

    private func stored(_ key: [UInt8], _ rule: CounterRule, at now: Int64) -> Counter {
        guard var counter = counters[key] else {
            return Counter(state: rule.neutral(at: now), periodTicks: rule.periodTicks)
        }
        guard !rule.isWindow else {
            move(&counter, rule, to: rule.current(counter.state, at: now))
            return counter
        }
        if counter.periodTicks != rule.periodTicks { counter.state.rest = 0 }
        counter.periodTicks = rule.periodTicks
        counter.lease.held = min(counter.lease.held, rule.limit)
        counter.lease.heldBefore = min(counter.lease.heldBefore, rule.limit - counter.lease.held)
        let head = now / rule.tickMicroseconds
        if counter.lease.total > 0 || counter.lease.epoch > 0 {
            let lease = counter.lease
            func end(_ epochs: Int64) -> Int64 {
                ((lease.epoch + epochs) * Self.leaseEpoch + rule.tickMicroseconds - 1) / rule.tickMicroseconds
            }
            counter.state = rule.refilled(counter.state, to: min(head, end(1)), cap: rule.limit - lease.total)
            counter.state = rule.refilled(counter.state, to: min(head, end(2)), cap: rule.limit - lease.held)
        }
        counter.state = rule.refilled(counter.state, to: head, cap: rule.limit)
        return counter
    }

    private func merge(_ carried: CounterState, into counter: inout Counter, _ rule: CounterRule, at now: Int64) {
        move(&counter, rule, to: rule.merged(counter.state, carried, at: now))
    }

    /// Takes a later state of the same counter; a calendar quota's periods that are over become its past.
    private func move(_ counter: inout Counter, _ rule: CounterRule, to state: CounterState) {
        if rule.algorithm == .calendar {
            var counts = PeriodCounts(
                number: counter.state.position, units: [counter.state.count, counter.state.rest] + counter.past)
            counts.move(to: state.position)
            counter.past = Array(counts.units.dropFirst(2))
        }
        counter.state = state
    }

    /// Brings what is held to the state's epoch, and the tokens within what is left.
    private func fit(_ counter: inout Counter, _ rule: CounterRule) {
        guard !rule.isWindow, counter.lease.total > 0 else { return }
        counter.lease.move(to: counter.state.position * rule.tickMicroseconds / Self.leaseEpoch)
        fill(&counter, rule)
    }

    private func fill(_ counter: inout Counter, _ rule: CounterRule) {
        if counter.state.count >= rule.limit - counter.lease.total {
            (counter.state.count, counter.state.rest) = (rule.limit - counter.lease.total, 0)
        }
    }

    // MARK: Decisions

    /// What the decision script does with one request: fills in the call's decision, and keeps what was charged.
    package mutating func decide(_ call: LimitCall, at now: Int64) {
        call.makeKeys()
        call.settle(at: now)
        let limits = call.group.limits
        let keys = limits.indices.map { call.withKey($0) { [UInt8]($0) } }
        let found = limits.indices.map { current(keys[$0], call.rules[$0], carried: call.carried[$0], at: now) }
        call.states = found.map(\.state)
        guard call.resolve(at: now) else { return }
        for index in limits.indices where call.states[index] != found[index].state || call.operation == .reset {
            var counter = found[index]
            counter.state = call.states[index]
            if call.operation == .reset { counter.lease = BucketLeases() }
            counter.lifeMilliseconds = Self.life(counter, call.rules[index], at: now)
            counters[keys[index]] = counter
        }
    }

    /// Until it is neutral: a window at the end of the next one, a bucket when it is full; one that was reset, when every older
    /// state that somebody remembers would be; one that replicas may hold leases of, when what they hold has come back too.
    private static func life(_ counter: Counter, _ rule: CounterRule, at now: Int64) -> Int64 {
        let (state, lease) = (counter.state, counter.lease)
        var life = rule.timeToLiveMilliseconds(state, at: now)
        if rule.algorithm == .calendar {
            let kept = rule.periodsKept * rule.periodMicroseconds
            life = (rule.start(ofWindow: rule.number + 1) - now + kept + 999) / 1000
        }
        guard rule.algorithm == .tokenBucket else { return life }
        if lease.total > 0 {
            let ticks = (lease.total * rule.periodTicks + rule.refill - 1) / rule.refill
            let free = (lease.epoch + 2) * leaseEpoch + ticks * rule.tickMicroseconds
            life = max(life, (free - now + 999) / 1000 + 1)
        }
        guard state.generation > 0 else { return life }
        let full = Double(2 * rule.limit * rule.periodTicks) / Double(rule.refill) + 1
        let oldest = Double(state.generation) + full * Double(rule.tickMicroseconds) / 1000 - Double(now) / 1000
        return max(life, Int64(min(1e14, oldest).rounded(.up)) + 1)
    }

    // MARK: Periods

    /// What the script of periods does.
    package mutating func periods(_ requests: [PeriodRequest], at now: Int64) -> PeriodAnswer {
        let counts = requests.map { request -> PeriodCounts? in
            var counts = counters[request.key].map { counter in
                PeriodCounts(
                    number: counter.state.position, generation: counter.state.generation,
                    units: [counter.state.count, counter.state.rest] + counter.past)
            }
            guard let remembered = request.remembered else { return counts }
            if counts == nil { counts = remembered } else { counts!.merge(remembered) }
            let state = CounterState(
                position: counts!.number, count: counts!.units[0], rest: counts!.units[1],
                generation: counts!.generation)
            var counter = counters[request.key] ?? Counter(state: state, periodTicks: 0)
            (counter.state, counter.past) = (state, Array(counts!.units.dropFirst(2)))
            if request.remembered!.number >= state.position { counter.lifeMilliseconds = request.lifeMilliseconds }
            counters[request.key] = counter
            return counts
        }
        return PeriodAnswer(now: now, counts: counts)
    }

    // MARK: Leases

    /// What the lease script does.
    package mutating func lease(_ requests: [LeaseRequest], of replica: ReplicaID, at now: Int64) -> LeaseAnswer {
        guard requests.allSatisfy({ $0.rule.algorithm != .calendar || $0.rule.window(at: now) == $0.rule.number })
        else {
            return LeaseAnswer(now: now, entries: [])
        }
        return LeaseAnswer(now: now, entries: requests.map { lease($0, of: replica, at: now) })
    }

    private mutating func lease(
        _ request: LeaseRequest, of replica: ReplicaID, at now: Int64
    ) -> LeaseAnswer.Entry {
        let rule = request.rule
        let isWindow = rule.isWindow
        var ledger = ledgers[request.key] ?? Ledger()
        let record = ledger.records[replica]
        let totals = isWindow || record?.window == request.position ? record : nil
        let isNews = request.sequence > record?.sequence ?? 0
        if isNews { note(request.demand, record, in: &ledger, at: now) }

        let (known, knownBefore) = Self.known(totals, request, isWindow: isWindow)
        let news = isNews ? max(0, request.total - known) : 0
        let newsBefore = isNews ? max(0, request.previousTotal - knownBefore) : 0
        var counter = stored(request.key, rule, at: now)
        var carried = request.carried
        if record != nil, !request.isExact { carried.position = -1 }
        if isWindow {
            settle(request, isNews: isNews, news, newsBefore, &counter, &carried, at: now)
        } else {
            counter.state.count = max(-rule.limit, counter.state.count - news)
            carried.count -= min(news, request.total - request.settled)
            if carried.position >= 0 { merge(carried, into: &counter, rule, at: now) }
            fit(&counter, rule)
        }

        let current = isWindow ? counter.state.position : request.position
        var (taken, takenBefore): (Int64, Int64) = (0, 0)
        if current == request.position {
            (taken, takenBefore) = (max(known, request.total), max(knownBefore, request.previousTotal))
        } else if current == request.position + 1 {
            taken = record?.window == current ? record!.taken : 0
            takenBefore = max(known, request.total)
        } else if let record, record.window == current {
            (taken, takenBefore) = (record.taken, record.takenBefore)
        } else if let record, record.window == current - 1 {
            takenBefore = record.taken
        }
        var retry: Int64 = 0
        if isNews {
            var lease: Int64 = 0
            // A lease that has ended, and of which the replica was never told, has come back to the bucket.
            let epoch = isWindow ? 0 : counter.state.position * rule.tickMicroseconds / Self.leaseEpoch
            if !isWindow, let record, record.lease == 0 || record.leaseEpoch + 1 < epoch {
                taken = min(taken, request.total)
            }
            retry = grant(request, ledger, current, &taken, &lease, &counter, at: now)
            if !isWindow { hold(lease, instead: record, of: &counter, rule) }
            ledger.records[replica] = Record(
                window: current, taken: taken, takenBefore: takenBefore, sequence: request.sequence,
                demand: request.demand, time: now, lease: lease, leaseEpoch: counter.lease.epoch)
        } else {
            taken = record.map { $0.window == current ? $0.taken : $0.window == current + 1 ? $0.takenBefore : 0 } ?? 0
        }
        if !isWindow { fill(&counter, rule) }
        counter.lifeMilliseconds = Self.life(counter, rule, at: now)
        counters[request.key] = counter
        if isNews {
            ledger.lifeMilliseconds =
                isWindow ? counter.lifeMilliseconds + 60_000 : max(counter.lifeMilliseconds, 3_600_000)
            ledgers[request.key] = ledger
        }
        return LeaseAnswer.Entry(state: counter.state, taken: taken, retryMicroseconds: retry)
    }

    private func note(_ demand: Int64, _ record: Record?, in ledger: inout Ledger, at now: Int64) {
        let epoch = now / Self.demandEpoch
        if ledger.demandEpoch != epoch {
            ledger.demandsBefore = ledger.demandEpoch == epoch - 1 ? ledger.demands : 0
            ledger.demands = 0
            ledger.demandEpoch = epoch
        }
        let counted = record.map { $0.time / Self.demandEpoch == epoch ? $0.demand : 0 } ?? 0
        ledger.demands = max(0, ledger.demands - counted) + demand
    }

    private static func known(_ record: Record?, _ request: LeaseRequest, isWindow: Bool) -> (Int64, Int64) {
        guard let record else { return (isWindow ? 0 : request.settled, 0) }
        switch record.window - request.position {
        case 0: return (record.taken, record.takenBefore)
        case -1: return (0, record.taken)
        case 1: return (record.takenBefore, 0)
        default: return (0, 0)
        }
    }

    private func settle(
        _ request: LeaseRequest, isNews: Bool, _ news: Int64, _ newsBefore: Int64, _ counter: inout Counter,
        _ carried: inout CounterState, at now: Int64
    ) {
        let (rule, position) = (request.rule, request.position)
        if counter.state.position < position, isNews, request.total > 0 {
            move(&counter, rule, to: rule.current(counter.state, at: rule.start(ofWindow: position)))
        }
        if counter.state.position == position {
            counter.state.count += news
            counter.state.rest += newsBefore
        } else if counter.state.position == position + 1 {
            counter.state.rest += news
        }
        let unseen = min(news, request.total - request.settled)
        if carried.position == position {
            carried.count += unseen
            carried.rest += min(newsBefore, request.previousTotal - request.previousSettled)
        } else if carried.position == position + 1 {
            carried.rest += unseen
        }
        if carried.position >= 0 { merge(carried, into: &counter, rule, at: now) }
        counter.state.rest = min(counter.state.rest, rule.countCeiling)
    }

    /// Grants what is wanted, or takes back what is given. Returns when it is worth asking again.
    private func grant(
        _ request: LeaseRequest, _ ledger: Ledger, _ current: Int64, _ taken: inout Int64, _ lease: inout Int64,
        _ counter: inout Counter, at now: Int64
    ) -> Int64 {
        let rule = request.rule
        let isWindow = rule.isWindow
        let lost = taken - (current == request.position ? request.total : 0)
        if request.holds < 0 {
            guard lost > 0, current == request.position else { return 0 }
            taken = request.total
            counter.state.count = isWindow ? max(0, counter.state.count - lost) : counter.state.count + lost
            return 0
        }
        guard request.position <= current else { return 20_000 }
        var grant: Int64 = 0
        var retry: Int64 = 0
        if lost <= 0, request.wanted > 0 {
            let available = rule.available(counter.state, at: now)
            var left: Int64 = 200_000
            if isWindow {
                let start = rule.start(ofWindow: counter.state.position)
                left = start + rule.periodMicroseconds - max(now, start)
            }
            let all = max(ledger.demands, ledger.demandsBefore, request.demand)
            grant = min(request.wanted, available)
            if all > 0, Double(all) * Double(min(left, 200_000)) / 1e9 > Double(available) {
                let part = Double(max(0, available)) * Double(request.demand) / Double(all)
                grant = min(grant, Int64(part.rounded(.up)))
            }
            grant = max(0, grant)
            if grant < request.wanted {
                let unit =
                    isWindow
                    ? Double(rule.periodMicroseconds) / Double(rule.limit)
                    : Double(rule.periodTicks) * Double(rule.tickMicroseconds) / Double(rule.refill)
                let wait = request.demand > 0 ? unit * Double(all) / Double(request.demand) : unit
                retry = Int64(min(1_000_000, max(20_000, wait.rounded(.down))))
            }
            counter.state.count += isWindow ? grant : -grant
            taken += grant
        }
        if !isWindow { lease = max(0, lost) + request.holds + grant }
        return retry
    }

    /// What a replica held before is held anew, spent, or given back.
    private func hold(_ lease: Int64, instead record: Record?, of counter: inout Counter, _ rule: CounterRule) {
        guard lease > 0 || record?.lease ?? 0 > 0 else { return }
        counter.lease.move(to: counter.state.position * rule.tickMicroseconds / Self.leaseEpoch)
        if let record, record.leaseEpoch == counter.lease.epoch {
            counter.lease.held = max(0, counter.lease.held - record.lease)
        } else if let record, record.leaseEpoch == counter.lease.epoch - 1 {
            counter.lease.heldBefore = max(0, counter.lease.heldBefore - record.lease)
        }
        counter.lease.held = min(rule.limit, counter.lease.held + lease)
        counter.lease.heldBefore = min(counter.lease.heldBefore, rule.limit - counter.lease.held)
    }
}
