import LimiterCore

/// What replicas ask, hear and answer.
extension Referee {
    /// An answer to a caller.
    func answered(_ call: LimitCall, _ request: Request) {
        let replica = request.replica
        guard request.start == replica.starts else { return }
        let decision = call.decision
        count {
            $0.decisions += 1
            if decision.isAllowed { $0.admitted += 1 }
            if decision.isDegraded { $0.degraded += 1 }
        }
        transcribe(call, request)
        checkLatency(request)
        if isFaultless {
            expect(
                !decision.isDegraded, .liveness, "replica \(replica.index) decided by itself though nothing is wrong")
        }
        for verdict in decision.verdicts {
            expect(
                verdict.remaining >= 0 && verdict.remaining <= verdict.limit
                    && verdict.retryMicroseconds >= Verdict.never && verdict.nextUnitMicroseconds >= 0
                    && verdict.fullMicroseconds >= 0, .boundedRemaining, "\(verdict)")
        }
        expect(
            decision.isAllowed || decision.outcome == .unavailable || decision.retryAfterMicroseconds != 0,
            .honestRetry, "a refusal says to try again at once: \(decision)")
        expect(
            decision.isAllowed || call.costs.contains { $0 > 0 } || decision.outcome == .unavailable, .allOrNothing,
            "cost 0 was refused")
        guard call.operation == .decide, decision.isAllowed else { return }
        countAdmission(by: replica)
        for (index, limit) in call.group.limits.enumerated()
        where call.costs[index] > 0 && decision.verdicts[index].isAllowed {
            let key = call.withKey(index) { [UInt8]($0) }
            let position = index < call.states.count ? call.states[index].position : nil
            admitted(call.costs[index], key, limit, decision.isDegraded, replica, storePosition: position)
        }
    }

    /// Microseconds.
    private static let longestBucketLease: Int64 = 400_000

    private func checkLatency(_ request: Request) {
        let took = world.now - request.askedAt
        guard request.replica.sleptAt < 0 else { return }
        count { $0.longestMicroseconds = max($0.longestMicroseconds, took) }
        // One deadline until it has waited long enough, one for the lease call that tells it so, one for limits that are asked exactly.
        expect(took <= 3 * SimulatedRedis.deadline, .boundedLatency, "a decision took \(took) µs")
    }

    private enum Source {
        /// The store charged it.
        case store
        /// From what the replica was granted.
        case lease(Replica.Moment)
        /// The replica's share.
        case share(Replica.Moment)
    }

    private func source(_ key: [UInt8], _ isDegraded: Bool, _ replica: Replica) -> Source {
        switch replica.delivery {
        case .answered(let keys, let askedAt): keys.contains(key) ? .store : .lease(askedAt)
        case .failed(let keys, let askedAt):
            !isDegraded ? .lease(askedAt) : keys.contains(key) ? .share(replica.moment) : .lease(askedAt)
        case nil: isDegraded ? .share(replica.moment) : .lease(replica.moment)
        }
    }

    private func admitted(
        _ units: Int64, _ key: [UInt8], _ limit: EffectiveLimit, _ isDegraded: Bool, _ replica: Replica,
        storePosition: Int64?
    ) {
        let (rule, account) = (limit.rule, account(key, limit.rule))
        let view = view(replica, key, rule)
        let source = source(key, isDegraded, replica)
        let moment: Replica.Moment
        switch source {
        case .store:
            account[account.isWindow ? storePosition ?? view.position : 0].admitted += units
            return
        case .lease(let taken), .share(let taken): moment = taken
        }
        // Which counter tenants share once there are too many, only the replica knows.
        guard limit.limit.maximumKeys >= Scenario.manyKeys else { return }
        let now = moment.storeTime
        guard account.isWindow else {
            return admitted(units, fromBucket: account, view, source, limit, replica, at: moment)
        }
        var position = now / rule.periodMicroseconds
        if case .lease = source, replica.delivery != nil, view[position].leased + units <= view[position].taken {
            // Taken for a request that then asked the store as well; it may be in a later window by now.
        } else {
            view.move(to: now, rule)
            position = view.position
        }
        account[position].admitted += units
        let taken = view[position].taken
        if case .lease = source {
            view[position].leased += units
            account[position].leased += units
            expect(
                view[position].leased <= taken, .leasesWithinLimit,
                "\(account.name): replica \(replica.index) spent \(view[position].leased) in window \(position), and was granted \(taken)"
            )
            checkMost(account, position)
            admit(units, account, takenAt: moment.worldTime)
            checkEnd(account, position, replica)
        } else {
            view[position].local += units
            account[position].local += units
            let spent = view[position].leased + view[position].local
            guard limit.limit.onStoreFailure != .allow else { return }
            let share = share(of: min(rule.limit, view.available(rule, at: now)), replica)
            expect(
                spent <= taken + share, .outageWithinShares,
                "\(account.name): replica \(replica.index), cut off, spent \(spent) in window \(position); it was granted \(taken), and its share of what it last saw is \(share)"
            )
        }
    }

    private func admitted(
        _ units: Int64, fromBucket account: Account, _ view: View, _ source: Source, _ limit: EffectiveLimit,
        _ replica: Replica, at moment: Replica.Moment
    ) {
        if case .lease = source {
            account[0].leased += units
            admit(units, account, takenAt: moment.worldTime)
            // Tokens are held by the store for longer than a lease lasts.
            expect(
                moment.worldTime - view.grantedFrom <= Self.longestBucketLease, .noResurrection,
                "\(account.name): replica \(replica.index) spent tokens \(moment.worldTime - view.grantedFrom) µs after it asked for them"
            )
        } else {
            account[0].local += units
            // A share that became smaller takes nothing back of what was spent before.
            view.spend(units, of: share(of: limit.rule.limit, replica))
            guard limit.limit.onStoreFailure != .allow else { return }
            let refilled = (world.now - view.since) * limit.rule.refill / limit.rule.periodMicroseconds
            let most = view.share + refilled + 1 + view.taken
            expect(
                view.spent <= most, .outageWithinShares,
                "\(account.name): replica \(replica.index), cut off, spent \(view.spent) of its share, at most \(most)")
        }
    }

    /// Units are spent in the window that they were granted for, by the store's clock.
    private func checkEnd(_ account: Account, _ position: Int64, _ replica: Replica) {
        guard replica.delivery == nil, replica.heardAt > disturbedAt, let node = replica.links.first?.connection?.node
        else { return }
        let now = node.scriptTime(floor: replica.storeTime)
        expect(
            now < (position + 1) * account.rule.periodMicroseconds, .noResurrection,
            "\(account.name): replica \(replica.index) spent units of window \(position) at \(now)")
    }

    // MARK: What replicas hear

    func asks(_ requests: [LeaseRequest], _ replica: Replica) {
        guard !isAsleep else { return }
        for request in requests {
            let view = view(replica, request.key, request.rule)
            expect(
                // Where a clock jumped, or it slept, it may have forgotten the counter meanwhile.
                disturbedAt >= 0 || view.askedAt.map { $0 < replica.sleptAt } ?? true, .boundedLatency,
                "replica \(replica.index) asks for \(String(decoding: request.key, as: UTF8.self)) while it waits for an answer"
            )
            (view.askedAt, view.lastAskedAt) = (world.now, world.now)
            if request.rule.algorithm == .slidingWindow { view.move(to: replica.storeTime, request.rule) }
            checkTotal(request, view, replica)
        }
    }

    /// What a replica tells is what it spent, or what the store knows already.
    private func checkTotal(_ request: LeaseRequest, _ view: View, _ replica: Replica) {
        let account = account(request.key, request.rule)
        guard knowsAllRequests, account.isWindow, !account.isDisturbed, disturbedAt < 0, !hasTenantsThatShare,
            replica.sleptAt < 0, !hasWrongClocks
        else {
            return
        }
        let spent = view[request.position].leased + view[request.position].local
        // Units that were taken for a request that then asks the store as well are spent or put back soon.
        let tellsNothing = request.total == request.settled || !isOfOneLimit
        expect(
            request.holds < 0
                ? request.total == spent : tellsNothing || request.total == max(spent, request.settled), .conservation,
            "\(account.name): replica \(replica.index) spent \(spent) in window \(request.position) and tells of \(request.total), \(request.settled) of them known"
        )
    }

    /// A decision that is the store's alone is asked for with what was last seen.
    func asks(_ call: LimitCall, _ replica: Replica) {
        // Where a clock jumped, what was seen may seem to be of long ago.
        guard !isAsleep, !hasTenantsThatShare, disturbedAt < 0, call.operation == .decide else { return }
        for (index, limit) in call.group.limits.enumerated() where limit.limit.mode == .exact {
            let view = view(replica, key(call, index), limit.rule)
            guard let seen = view.seen, !account(key(call, index), limit.rule).isWidened else { continue }
            let carried = call.carried[index]
            // Both as of the latest time that either speaks of.
            let isWindow = limit.rule.algorithm == .slidingWindow
            let unit = isWindow ? limit.rule.periodMicroseconds : limit.rule.tickMicroseconds
            let now = max(replica.storeTime, max(carried.position, seen.position) * unit)
            let left = view.available(limit.rule, at: now)
            guard left < limit.rule.limit else { continue }
            let isLess = carried.position < 0 || Oracle(carried, limit.rule, at: now).available > left
            expect(
                !isLess || carried.generation > seen.generation, .boundedRemaining,
                "replica \(replica.index) saw \(seen) of \(limit.name) and carries \(carried)")
        }
    }

    private func key(_ call: LimitCall, _ index: Int) -> [UInt8] { call.withKey(index) { [UInt8]($0) } }

    func isOver(_ requests: [LeaseRequest], _ replica: Replica) {
        guard !isAsleep else { return }
        for request in requests { view(replica, request.key, request.rule).askedAt = nil }
    }

    func heard(_ answer: LeaseAnswer, _ requests: [LeaseRequest], _ replica: Replica) {
        guard !isAsleep else { return }
        for (request, entry) in zip(requests, answer.entries) {
            let view = view(replica, request.key, request.rule)
            view.heard(entry.state)
            if request.rule.algorithm == .slidingWindow {
                if entry.state.position * request.rule.periodMicroseconds > answer.now + 1_000_000 {
                    view.moveAhead(to: entry.state.position)
                }
                view[entry.state.position].taken = entry.taken
            } else {
                // What it held when it asked is part of its total.
                view.settle(at: world.now, holding: max(0, request.holds) + max(0, entry.taken - request.total))
            }
        }
    }

    /// The limiter has taken notice of an answer, and perhaps of another time by it.
    func settled(_ requests: [LeaseRequest], _ replica: Replica) {
        guard !isAsleep else { return }
        for request in requests where request.rule.algorithm == .slidingWindow {
            view(replica, request.key, request.rule).move(to: replica.storeTime, request.rule)
        }
    }

    func heard(_ call: LimitCall, at now: Int64, _ replica: Replica) {
        guard !isAsleep else { return }
        for (index, limit) in call.group.limits.enumerated() {
            let view = view(replica, call.withKey(index) { [UInt8]($0) }, limit.rule)
            view.saw(call.states[index], limit.rule, mayBeLeased: limit.limit.mode != .exact, at: now)
        }
    }

    func heardLate(_ answer: LateAnswer, _ replica: Replica) {
        guard !isAsleep else { return }
        for (index, limit) in answer.group.limits.enumerated() {
            let view = view(replica, answer.keys[index], limit.rule)
            view.saw(answer.states[index], limit.rule, mayBeLeased: limit.limit.mode != .exact, at: answer.now)
            guard index < answer.charged.count, index < answer.spentLocally.count else { continue }
            let units = min(answer.charged[index], answer.spentLocally[index])
            if limit.rule.algorithm == .slidingWindow {
                let window = answer.now / limit.rule.periodMicroseconds
                let beyond = max(0, view[window].leased + view[window].local - view[window].taken)
                view[window].local -= min(units, beyond)
            } else {
                view.spent = max(0, view.spent - units)
            }
        }
    }
}
