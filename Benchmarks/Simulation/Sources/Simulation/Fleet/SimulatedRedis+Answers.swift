import LimiterCore

extension SimulatedRedis {
    /// A reply has come.
    func land(_ flight: Flight, _ reply: RedisReply, on connection: Connection) {
        guard !connection.isClosed else { return }
        switch reply {
        case .noScript where !flight.isResent && !flight.isOverdue:
            flight.isResent = true
            connection.flights.removeAll { $0 === flight }
            connection.flights.append(flight)
            return transmit(flight, on: connection)
        default: break
        }
        flight.isOver = true
        connection.flights.removeAll { $0 === flight }
        switch reply {
        case .refused(let error): fail(flight, error)
        case .readOnly(let error):
            fail(flight, error)
            reset("the server is read-only")
        case .noScript: fail(flight, StoreError(.refused, "NOSCRIPT"))
        case .decided(let now): landDecision(flight, at: now)
        case .leased(var answer):
            answer.now = heard(answer.now, by: flight)
            complete(flight, .leased(answer))
        case .fleet(var view):
            view.now = heard(view.now, by: flight)
            complete(flight, .fleet(view))
        case .periods(var answer):
            answer.now = heard(answer.now, by: flight)
            complete(flight, .periods(answer))
        case .left: complete(flight, .left)
        }
    }

    private func complete(_ flight: Flight, _ reply: RedisReply) {
        if !flight.isOverdue { replica.heardAt = max(replica.heardAt, flight.executedAt) }
        flight.complete(.success(reply))
    }

    /// The store's time in a reply. What was decided at the replica's own, as it was when it asked, moves that nowhere.
    private func heard(_ now: Int64, by flight: Flight) -> Int64 {
        now == flight.command.floor ? observer?.storeTime ?? now : now
    }

    private func landDecision(_ flight: Flight, at now: Int64) {
        guard case .decide(let answer, _) = flight.command else { return }
        if flight.isOverdue { return landLate(flight, answer, at: now) }
        guard let call = flight.call else { return }
        flight.call = nil
        call.settle(at: now)
        call.states = answer.states
        call.decision = answer.decision
        redis.referee.heard(answer, at: now, replica)
        let keys = answer.keyEnds.indices.map { answer.withKey($0) { [UInt8]($0) } }
        replica.delivering(.answered(keys, askedAt: flight.askedAt)) { observer?.answered(call, at: now) }
    }

    private func landLate(_ flight: Flight, _ answer: LimitCall, at now: Int64) {
        let verdicts = answer.decision.verdicts
        let isCharged = answer.operation == .decide && answer.decision.isAllowed
        let late = LateAnswer(
            group: answer.group, rules: answer.rules,
            keys: answer.keyEnds.indices.map { answer.withKey($0) { [UInt8]($0) } }, now: now,
            states: answer.states,
            charged: isCharged ? answer.costs.indices.map { verdicts[$0].isAllowed ? answer.costs[$0] : 0 } : [],
            spentLocally: flight.spentLocally)
        redis.referee.heardLate(late, replica)
        observer?.answeredLate(late)
    }

    /// Gives a command back at its deadline; its reply may still come.
    func giveBack(_ flight: Flight) {
        guard !flight.isOverdue else { return }
        flight.isOverdue = true
        fail(flight, StoreError(.timeout, "no answer within the deadline"))
    }

    func fail(_ flight: Flight, _ error: StoreError) {
        world.note(.failure, Int64(replica.index), "replica \(replica.index): \(error)")
        if let call = flight.call {
            flight.call = nil
            let keys = call.keyEnds.indices.map { call.withKey($0) { [UInt8]($0) } }
            replica.delivering(.failed(keys, askedAt: flight.askedAt)) {
                flight.spentLocally = observer?.failed(call, error) ?? []
            }
        } else {
            flight.complete(.failure(error))
        }
    }

    func fail(_ call: LimitCall, _ error: StoreError) {
        let keys = call.keyEnds.indices.map { call.withKey($0) { [UInt8]($0) } }
        replica.delivering(.failed(keys, askedAt: replica.moment)) { _ = observer?.failed(call, error) }
    }
}
