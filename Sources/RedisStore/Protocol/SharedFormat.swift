import LimiterCore

/// The arguments of leases and heartbeats, and how their replies are read.
enum SharedFormat {
    static let replicasKey: StaticString = "weir:{~fleet}:replicas"
    /// Where the fleet's list is, as bytes.
    static let fleetKey = Array("\(replicasKey)".utf8)
    private static let peaksKey: StaticString = "weir:{~fleet}:peaks"
    private static let birthKey: StaticString = "weir:{~fleet}:birth"
    private static let ledgerSuffix: StaticString = ":m"

    /// Everything behind the script's name.
    static func append(
        _ requests: [LeaseRequest], of replica: ReplicaID, clock: Int64, to writer: inout CommandWriter
    ) {
        writer.argument(decimal: 2 * requests.count)
        for request in requests {
            writer.argument(request.key)
            writer.argument(request.key)
            writer.appendBytes(
                UnsafeRawBufferPointer(start: ledgerSuffix.utf8Start, count: ledgerSuffix.utf8CodeUnitCount))
        }
        writer.beginArgument()
        DecisionFormat.appendHeader(clock: clock, operation: .decide, to: &writer)
        writer.argument(replica.text)
        writer.beginArgument()
        for request in requests {
            DecisionFormat.appendLimit(request.rule, isShadow: false, carried: request.carried, to: &writer)
            writer.appendNumber(request.position)
            writer.appendNumber(request.total)
            writer.appendNumber(request.settled)
            writer.appendNumber(request.previousTotal)
            writer.appendNumber(request.previousSettled)
            writer.appendNumber(request.wanted)
            writer.appendNumber(request.demand)
            writer.appendNumber(request.sequence)
            writer.appendNumber(request.isExact ? 1 : 0)
            writer.appendNumber(request.holds)
        }
    }

    /// Everything behind the script's name.
    static func append(_ requests: [PeriodRequest], clock: Int64, to writer: inout CommandWriter) {
        writer.argument(decimal: requests.count)
        for request in requests { writer.argument(request.key) }
        writer.beginArgument()
        DecisionFormat.appendHeader(clock: clock, operation: .decide, to: &writer)
        writer.beginArgument()
        for request in requests {
            writer.appendNumber(request.remembered?.number ?? -1)
            writer.appendNumber(request.remembered?.generation ?? 0)
            writer.appendNumber(request.lifeMilliseconds)
            for age in 0..<PeriodCounts.periods { writer.appendNumber(request.remembered?.units[age] ?? 0) }
        }
    }

    /// Nil: not what the script answers to these requests.
    static func periods(_ reply: Reply, _ requests: [PeriodRequest]) -> PeriodAnswer? {
        let each = 2 + PeriodCounts.periods
        guard reply.isIntegers(1 + each * requests.count), reply.integers[0] >= 0 else { return nil }
        var answer = PeriodAnswer(now: reply.integers[0], counts: [])
        for index in requests.indices {
            let row = reply.integers[(1 + each * index)..<(1 + each * (index + 1))]
            guard let number = row.first, row.dropFirst().allSatisfy({ (0..<1 << 52).contains($0) }) else { return nil }
            answer.counts.append(
                number < 0
                    ? nil
                    : PeriodCounts(number: number, generation: row[row.startIndex + 1], units: Array(row.dropFirst(2))))
        }
        return answer
    }

    static func appendHeartbeat(of replica: ReplicaID, clock: Int64, to writer: inout CommandWriter) {
        writer.argument(decimal: 3)
        writer.argument(replicasKey)
        writer.argument(peaksKey)
        writer.argument(birthKey)
        writer.beginArgument()
        DecisionFormat.appendHeader(clock: clock, operation: .decide, to: &writer)
        writer.argument(replica.text)
    }

    /// A whole command. What was the most alive at one time stays known.
    static func appendLeave(_ replica: ReplicaID, to writer: inout CommandWriter) {
        writer.argument("ZREM")
        writer.argument(replicasKey)
        writer.argument(replica.text)
    }

    /// A whole command.
    static func appendProbe(_ key: [UInt8], to writer: inout CommandWriter) {
        writer.argument("SET")
        writer.argument(key)
        writer.argument("1")
        writer.argument("PX")
        writer.argument("1000")
    }

    /// Nil: not what the script answers to these requests.
    static func leases(_ reply: Reply, _ requests: [LeaseRequest]) -> LeaseAnswer? {
        if requests.contains(where: { $0.rule.algorithm == .calendar }),
            let now = DecisionReply.timeOutsidePeriods(reply)
        {
            return LeaseAnswer(now: now, entries: [])
        }
        guard reply.isIntegers(1 + 6 * requests.count), reply.integers[0] >= 0 else { return nil }
        var answer = LeaseAnswer(now: reply.integers[0], entries: [])
        answer.entries.reserveCapacity(requests.count)
        for (index, request) in requests.enumerated() {
            let at = 1 + 6 * index
            let state = CounterState(
                position: reply.integers[at], count: reply.integers[at + 1], rest: reply.integers[at + 2],
                generation: reply.integers[at + 3])
            let (taken, retry) = (reply.integers[at + 4], reply.integers[at + 5])
            guard DecisionReply.isSound(state, request.rule), taken >= 0, retry >= 0 else { return nil }
            answer.entries.append(LeaseAnswer.Entry(state: state, taken: taken, retryMicroseconds: retry))
        }
        return answer
    }

    static func fleet(_ reply: Reply) -> FleetView? {
        guard reply.isIntegers(5), reply.integers[0] >= 0, reply.integers[1] >= 1,
            (0..<reply.integers[1]).contains(reply.integers[2]), reply.integers[3] >= reply.integers[1],
            reply.integers[4] >= 1,
            let alive = Int(exactly: reply.integers[1]), let rank = Int(exactly: reply.integers[2]),
            let peak = Int(exactly: reply.integers[3])
        else { return nil }
        return FleetView(now: reply.integers[0], alive: alive, rank: rank, peak: peak, birth: reply.integers[4])
    }
}
