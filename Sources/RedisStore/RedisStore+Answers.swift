import LimiterCore
import Logging
import NIOCore
import Telemetry

extension RedisStore {
    /// Handles the reply to a flight. Returns why the connection must be dropped, if so.
    func land(_ flight: Flight, _ reply: Reply) -> StoreError? {
        if reply.kind == .error { return land(flight, ServerFault(reply.text)) }
        var unexpected: StoreError?
        switch flight.purpose {
        case .decision: return landDecision(flight, reply)
        case .lease(let requests, _, let completion):
            var answer = SharedFormat.leases(reply, requests)
            if let now = answer?.now { answer?.now = heard(now, by: flight) }
            if answer == nil { unexpected = Self.unexpectedReply }
            if !flight.isOverdue {
                if answer != nil { metrics?.countLeaseCall() }
                completion(answer.map { .success($0) } ?? .failure(Self.unexpectedReply))
            }
        case .periods(let requests, let completion):
            let answer = SharedFormat.periods(reply, requests)
            if let now = answer?.now { note(now, of: flight) }
            if answer == nil { unexpected = Self.unexpectedReply }
            if !flight.isOverdue { completion(answer.map { .success($0) } ?? .failure(Self.unexpectedReply)) }
        case .heartbeat(_, let completion):
            var fleet = SharedFormat.fleet(reply)
            if let now = fleet?.now { fleet?.now = heard(now, by: flight) }
            if fleet == nil { unexpected = Self.unexpectedReply }
            if !flight.isOverdue { completion(fleet.map { .success($0) } ?? .failure(Self.unexpectedReply)) }
        case .leave(_, let completion):
            if !flight.isOverdue { completion() }
        case .probe(_, let completion):
            if !flight.isOverdue { completion(.success(())) }
        case .overrideVersion(let completion):
            // Nothing, where the key is not there.
            let version =
                reply.kind == .array ? OverrideFormat.Version(String(decoding: reply.text, as: UTF8.self)) : nil
            completion(version.map { .success($0) } ?? .failure(Self.unexpectedReply))
        case .asking: break
        }
        if unexpected == nil { backoff.succeeded() }
        queue.recycle(flight)
        return unexpected
    }

    private func land(_ flight: Flight, _ fault: ServerFault) -> StoreError? {
        if case .sendText = fault.remedy, !flight.isResent, !flight.isOverdue {
            // It did not run, so it may be sent again.
            flight.isResent = true
            queue.append(flight)
            scheduleFlush()
            return nil
        }
        if !flight.isOverdue, let router, router.redirect(flight, fault.remedy, from: self) { return nil }
        if let level = fault.alarm, access.mayAlarm(of: fault.error, at: eventLoop.now) {
            logger.log(level: level, "Redis does not count", metadata: ["reason": "\(fault.error.detail)"])
        }
        if flight.isOverdue { queue.recycle(flight) } else { fail(flight, fault.error) }
        if case .reconnect = fault.remedy { return fault.error }
        return nil
    }

    /// Counts what was not decided at Redis's time, because that went back.
    private func note(_ now: Int64, of flight: Flight) {
        if now == -flight.clock { metrics?.countClockRegression() }
    }

    /// Redis's time in a reply. Where that went back, it is this replica's own as it was when it asked: that goes on, and does not fall
    /// behind by the time that each answer takes.
    private func heard(_ now: Int64, by flight: Flight) -> Int64 {
        note(now, of: flight)
        return now == -flight.clock ? observer?.storeTime ?? now : now
    }

    static let unexpectedReply = StoreError(.incompatible, "the server answered what the script does not answer")

    // MARK: Decisions

    private func landDecision(_ flight: Flight, _ reply: Reply) -> StoreError? {
        guard let group = flight.group,
            let answer = DecisionReply(reply, requests: flight.requests, rules: flight.rules)
        else {
            if flight.group?.hasCalendar == true, let now = DecisionReply.timeOutsidePeriods(reply) {
                moveOn(flight, to: now)
                return nil
            }
            if flight.isOverdue { queue.recycle(flight) } else { fail(flight, Self.unexpectedReply) }
            return Self.unexpectedReply
        }
        backoff.succeeded()
        lastNow = answer.now
        note(answer.now, of: flight)
        if flight.isOverdue {
            landLate(flight, group, answer)
            queue.recycle(flight)
            return nil
        }
        // Everything that the reply says is taken out of its memory before anybody is told.
        for (request, call) in flight.calls.enumerated() {
            call.states.removeAll(keepingCapacity: true)
            if request == 0 {
                for index in group.limits.indices { call.states.append(answer.state(index)) }
            } else {
                call.states.append(contentsOf: flight.calls[request - 1].states)
            }
            _ = call.resolve(at: answer.now)
            if call.decision.isAllowed != answer.passes(request) { settle(call, as: answer.passes(request)) }
        }
        let now = answer.now
        for call in flight.calls { deliver(call, at: now) }
        queue.recycle(flight)
        return nil
    }

    /// Sends again what was not decided, with the calendar periods that hold at the server's time.
    private func moveOn(_ flight: Flight, to now: Int64) {
        lastNow = now
        guard !flight.isOverdue else { return queue.recycle(flight) }
        guard flight.periodMoves < Self.mostPeriodMoves else { return fail(flight, Self.outsidePeriods) }
        for call in flight.calls { call.settle(at: now) }
        flight.rules = flight.calls[0].rules
        flight.periodMoves += 1
        queue.append(flight)
        scheduleFlush()
    }

    /// The server's clock may pass the end of a period on the way, and be set back over it.
    private static let mostPeriodMoves = 3
    private static let outsidePeriods = StoreError(
        .refused, "the server's clock goes back and forth over the end of a calendar period")

    func deliver(_ call: LimitCall, at now: Int64) {
        if let observer { observer.answered(call, at: now) } else { call.answer() }
    }

    /// The script has charged, or not: it is right.
    private func settle(_ call: LimitCall, as passes: Bool) {
        call.decision.outcome = passes ? .allowed : .denied
        disagreements += 1
        if disagreements == 1 {
            logger.error("the decision script and the gateway decided differently; the script's word counts")
        }
    }

    /// Tells the observer what the store did with requests that were given back at their deadline.
    private func landLate(_ flight: Flight, _ group: LimitGroup, _ answer: DecisionReply) {
        metrics?.countLateReply()
        guard let observer else { return }
        var states = group.limits.indices.map { answer.state($0) }
        for (request, call) in flight.overdue.enumerated() {
            var charged: [Int64] = []
            switch flight.operation {
            case .peek: break
            case .reset:
                for (index, rule) in flight.rules.enumerated() {
                    states[index] = rule.reset(states[index], at: answer.now)
                }
            case .decide:
                guard answer.passes(request) else { break }
                for (index, rule) in flight.rules.enumerated() {
                    let cost = call.costs[index]
                    let isCharged = cost > 0 && rule.admits(states[index], cost: cost, at: answer.now)
                    if isCharged { rule.charge(&states[index], cost: cost) }
                    charged.append(isCharged ? cost : 0)
                }
            }
            observer.answeredLate(
                LateAnswer(
                    group: group, rules: flight.rules, keys: call.keys, now: answer.now, states: states,
                    charged: charged,
                    spentLocally: call.spentLocally))
        }
    }

    // MARK: Failures

    func fail(_ call: LimitCall, _ error: StoreError) {
        metrics?.countError(error.code.rawValue)
        if let observer {
            _ = observer.failed(call, error)
            return
        }
        call.decision.begin(limits: 0)
        call.decision.outcome = .unavailable
        call.decision.isDegraded = true
        call.answer()
    }

    /// Tells whoever waits for a flight, which is over with that.
    func fail(_ flight: Flight, _ error: StoreError) {
        switch flight.purpose {
        case .decision: for call in flight.calls { fail(call, error) }
        case .lease(_, _, let completion): completion(.failure(error))
        case .periods(_, let completion): completion(.failure(error))
        case .heartbeat(_, let completion): completion(.failure(error))
        case .leave(_, let completion): completion()
        case .probe(_, let completion): completion(.failure(error))
        case .overrideVersion(let completion): completion(.failure(error))
        case .asking: break
        }
        queue.recycle(flight)
    }

    /// Gives the requests of a flight back at their deadline, and remembers what a late reply needs.
    func giveBack(_ flight: Flight) {
        let error = Self.timeout
        switch flight.purpose {
        case .decision:
            for call in flight.calls {
                guard let observer else {
                    fail(call, error)
                    continue
                }
                metrics?.countError(error.code.rawValue)
                let keys = call.keyEnds.indices.map { call.withKey($0) { Array($0) } }
                let costs = call.costs
                let spent = observer.failed(call, error)
                flight.overdue.append(Flight.OverdueCall(keys: keys, costs: costs, spentLocally: spent))
            }
            flight.calls.removeAll(keepingCapacity: true)
        case .lease(_, _, let completion): completion(.failure(error))
        case .periods(_, let completion): completion(.failure(error))
        case .heartbeat(_, let completion): completion(.failure(error))
        case .leave(_, let completion): completion()
        case .probe(_, let completion): completion(.failure(error))
        case .overrideVersion, .asking: break
        }
    }

    static let timeout = StoreError(.timeout, "no answer within the deadline")

    func failQueued(_ error: StoreError) {
        while !queue.isEmpty {
            let flights = queue.flights
            queue.removeAll()
            for flight in flights { fail(flight, error) }
        }
    }
}
