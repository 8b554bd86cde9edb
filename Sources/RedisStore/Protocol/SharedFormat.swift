import LimiterCore

/// The arguments of merges and heartbeats, and how their replies are read.
enum SharedFormat {
    static let replicasKey: StaticString = "weir:{~fleet}:replicas"
    /// Where the fleet's list is, as bytes.
    static let fleetKey = Array("\(replicasKey)".utf8)
    private static let peaksKey: StaticString = "weir:{~fleet}:peaks"
    private static let recordsSuffix: StaticString = ":m"

    /// Everything behind the script's name.
    static func append(_ spending: Spending, clock: Int64, to writer: inout CommandWriter) {
        writer.argument(decimal: 2)
        writer.argument(spending.key)
        writer.argument(spending.key)
        writer.appendBytes(
            UnsafeRawBufferPointer(start: recordsSuffix.utf8Start, count: recordsSuffix.utf8CodeUnitCount))
        writer.beginArgument()
        DecisionFormat.appendHeader(clock: clock, operation: .decide, to: &writer)
        writer.argument(spending.replica.text)
        writer.beginArgument()
        DecisionFormat.appendLimit(spending.rule, isShadow: false, carried: spending.carried, to: &writer)
        writer.beginArgument()
        writer.appendNumber(spending.position)
        writer.appendNumber(spending.total)
        writer.appendNumber(spending.settled)
        writer.appendNumber(spending.previousTotal)
        writer.appendNumber(spending.previousSettled)
    }

    static func appendHeartbeat(of replica: ReplicaID, clock: Int64, to writer: inout CommandWriter) {
        writer.argument(decimal: 2)
        writer.argument(replicasKey)
        writer.argument(peaksKey)
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

    static func snapshot(_ reply: Reply, _ rule: CounterRule) -> SharedSnapshot? {
        guard reply.isIntegers(5), reply.integers[0] >= 0 else { return nil }
        let state = CounterState(
            position: reply.integers[1], count: reply.integers[2], rest: reply.integers[3],
            generation: reply.integers[4])
        return DecisionReply.isSound(state, rule) ? SharedSnapshot(now: reply.integers[0], state: state) : nil
    }

    static func fleet(_ reply: Reply) -> FleetView? {
        guard reply.isIntegers(4), reply.integers[0] >= 0, reply.integers[1] >= 1,
            (0..<reply.integers[1]).contains(reply.integers[2]), reply.integers[3] >= reply.integers[1],
            let alive = Int(exactly: reply.integers[1]), let rank = Int(exactly: reply.integers[2]),
            let peak = Int(exactly: reply.integers[3])
        else { return nil }
        return FleetView(now: reply.integers[0], alive: alive, rank: rank, peak: peak)
    }
}
