import LimiterCore
import TestSupport

/// What happens at the store, command by command.
extension Referee {
    /// A decision script ran; `before` and `after` are the counters of the call's keys. Returns what it charged.
    func decided(
        _ call: LimitCall, _ keys: [[UInt8]], _ before: [SharedCounters.Counter?], _ after: [SharedCounters.Counter?],
        at now: Int64, on node: RedisNode, isPrimary: Bool
    ) -> [Debit] {
        guard !isAsleep else { return [] }
        count { $0.executions += 1 }
        let limits = call.group.limits
        let accounts = limits.indices.map { account(keys[$0], limits[$0].rule) }
        for account in accounts { advance(account, to: now) }
        if call.operation == .reset {
            for (index, account) in accounts.enumerated() {
                wasReset(account, position: call.states[index].position, before: before[index])
            }
            return []
        }
        checkDecision(call, keys, before, at: now)
        let charges = call.operation == .decide && call.decision.isAllowed
        var debits: [Debit] = []
        for (index, limit) in limits.enumerated() {
            let isCharged = charges && call.decision.verdicts[index].isAllowed && call.costs[index] > 0
            if !isCharged {
                expect(
                    before[index] == after[index], .allOrNothing,
                    "\(accounts[index].name): \(call.operation) \(call.costs), \(call.decision.outcome), changed \(words(before[index])) to \(words(after[index]))"
                )
                continue
            }
            checkLife(after[index], limit.rule, accounts[index], at: now)
            let units = call.costs[index]
            let position = accounts[index].isWindow ? call.states[index].position : 0
            let debit = Debit(account: self.index(of: keys[index], limit.rule), position: position, units: units)
            if isPrimary { debits.append(debit) } else { lost([debit]) }
            accounts[index][position].charged += units
            checkMost(accounts[index], position)
            admit(units, accounts[index])
        }
        return debits
    }

    /// A lease script ran; `before` and `after` are each request's counter and the replica's record. Returns what it granted.
    func leased(
        _ requests: [LeaseRequest], _ answer: LeaseAnswer, of replica: ReplicaID, from before: [RedisNode.Memory.Lease],
        to after: [RedisNode.Memory.Lease], on node: RedisNode, isPrimary: Bool
    ) -> [Debit] {
        guard !isAsleep else { return [] }
        count { $0.leaseCalls += 1 }
        var debits: [Debit] = []
        for (index, request) in requests.enumerated() {
            let rule = request.rule
            let account = account(request.key, rule)
            advance(account, to: answer.now)
            checkLife(after[index].counter, rule, account, at: answer.now)
            let state = answer.entries[index].state
            let position = account.isWindow ? state.position : request.position
            let had = Self.taken(before[index].record, account.isWindow, position)
            let has = Self.taken(after[index].record, account.isWindow, position)
            let told = request.position == position ? request.total : 0
            // A bucket's ledger that was forgotten goes on from what the replica says.
            let known = account.isWindow || before[index].record?.window == position ? had : request.settled
            checkLease(
                account, request, before[index].counter, state, gained: has - known,
                isNew: before[index].record == nil, at: answer.now)
            // A lease that has ended is not given again.
            let granted = has - (has < had ? told : max(had, told))
            // What was only told is no debit, but where it is lost, the store forgot something all the same.
            guard granted > 0 || has > had else { continue }
            let debit = Debit(
                account: self.index(of: request.key, rule), position: account.isWindow ? position : 0,
                units: max(0, granted))
            if isPrimary { debits.append(debit) } else { lost([debit]) }
        }
        // Running it again is worth its cost only now and then.
        if world.steps % 16 == 0 { checkRepetition(requests, answer, of: replica, on: node) }
        return debits
    }

    private static func taken(_ record: SharedCounters.Record?, _ isWindow: Bool, _ position: Int64) -> Int64 {
        guard let record else { return 0 }
        if record.window == position { return record.taken }
        return isWindow && record.window == position + 1 ? record.takenBefore : 0
    }

    /// What was charged and what was spent of grants in one window.
    func checkMost(_ account: Account, _ position: Int64) {
        guard account.isWindow else { return }
        let window = account[position]
        expect(
            window.charged + window.leased <= account.most(in: window),
            window.leased > 0 ? .leasesWithinLimit : .exactLimit,
            "\(account.name) window \(position): charged \(window.charged) and spent of leases \(window.leased), of \(account.rule.limit), lost \(window.lost), resets \(window.resets)"
        )
    }

    /// What is admitted in every interval.
    func admit(_ units: Int64, _ account: Account, takenAt taken: Int64? = nil) {
        if let excess = account.level.admit(units, takenAt: taken ?? world.now, at: world.now) {
            violated(
                account.isWindow ? .exactLimit : .bucketPromise,
                "\(account.name): an interval that ends now admitted \(excess) more than its promise of \(account.rule.limit)"
            )
        }
    }

    private func advance(_ account: Account, to now: Int64) {
        let ahead = account.advance(to: now, world.now)
        if ahead > 0 { account.level.jumpedAhead(ahead, at: world.now, until: world.now + forgiveness(account)) }
    }

    // MARK: One command's effect

    private func checkLease(
        _ account: Account, _ request: LeaseRequest, _ before: SharedCounters.Counter?, _ state: CounterState,
        gained: Int64, isNew: Bool, at now: Int64
    ) {
        let rule = request.rule
        let nothing = CounterState(position: -1, count: 0, rest: 0)
        let found = Oracle.found(before, carried: nothing, rule, at: now).state
        if account.isWindow {
            guard found.position == state.position, found.generation == state.generation else { return }
            let change = state.count - found.count
            // What a replica carries that is new to the ledger, or that takes the limit for exact, may be known to the store, and given
            // back since: the store takes the fuller count.
            if !request.isExact { account.isLeased = true }
            if request.carried.position >= 0, request.isExact ? account.isLeased : isNew {
                return expect(change >= gained, .conservation, "\(account.name): \(found) became \(state)")
            }
            expect(
                account.isDisturbed ? change >= gained : change == gained, .conservation,
                "\(account.name): the counter went from \(found) to \(state), and the replica's ledger by \(gained)")
        } else {
            guard found.generation == state.generation else { return }
            // What is carried may be of a later time.
            let later = max(now, request.carried.position * rule.tickMicroseconds)
            let found = Oracle(found, rule, at: later).state
            expect(
                state.count <= max(-rule.limit, found.count - gained) && state.count >= -rule.limit, .conservation,
                "\(account.name): the bucket went from \(found) to \(state), and the replica's ledger by \(gained)")
        }
    }

    private func checkRepetition(
        _ requests: [LeaseRequest], _ answer: LeaseAnswer, of replica: ReplicaID, on node: RedisNode
    ) {
        var copy = node.memory.counters
        let again = copy.lease(requests, of: replica, at: answer.now)
        for (index, request) in requests.enumerated() {
            let account = account(request.key, request.rule)
            expect(
                copy.counters[request.key]?.state == node.memory.counters.counters[request.key]?.state
                    && copy.ledgers[request.key]?.records[replica]
                        == node.memory.counters.ledgers[request.key]?.records[replica]
                    && again.entries[index].taken == answer.entries[index].taken, .idempotence,
                "\(account.name): \(answer.entries[index]), and the same call again: \(again.entries[index])")
        }
    }

    /// A key is kept until it says nothing any more.
    private func checkLife(_ counter: SharedCounters.Counter?, _ rule: CounterRule, _ account: Account, at now: Int64) {
        guard let counter else { return }
        let life = counter.lifeMilliseconds * 1000
        let state = counter.state
        switch rule.algorithm {
        case .slidingWindow:
            let end = (state.position + 2) * rule.periodMicroseconds
            expect(
                life >= end - max(now, state.position * rule.periodMicroseconds)
                    && life <= 2 * rule.periodMicroseconds + 1000,
                .timeToLive, "\(account.name): \(state) is kept for \(life) µs at \(now)")
        case .calendar:
            let end = rule.start(ofWindow: rule.number + 1) + rule.periodsKept * rule.periodMicroseconds
            expect(
                life >= end - now && life <= end - now + 1000, .timeToLive,
                "\(account.name): \(state) is kept for \(life) µs at \(now)")
        case .tokenBucket:
            let missing = (Int128(rule.limit) - Int128(state.count)) * Int128(rule.periodTicks) - Int128(state.rest)
            let ticks = Int64((missing + Int128(rule.refill) - 1) / Int128(rule.refill))
            var full = ticks * rule.tickMicroseconds
            let held = counter.lease.held + counter.lease.heldBefore
            if held > 0 {
                // What replicas hold is missing until the end of the next epoch of 0.4 s, and comes back from then on.
                let back = Int64(
                    (Int128(held) * Int128(rule.periodTicks) + Int128(rule.refill) - 1) / Int128(rule.refill))
                full = max(full, (counter.lease.epoch + 2) * 400_000 - now + back * rule.tickMicroseconds)
            }
            expect(
                life >= full + 1000 && (state.generation > 0 || life <= full + rule.tickMicroseconds + 2000),
                .timeToLive,
                "\(account.name): \(state) is kept for \(life) µs and is full in \(full)")
        }
    }

    private func words(_ counter: SharedCounters.Counter?) -> String { counter.map { "\($0.state)" } ?? "nothing" }
}
