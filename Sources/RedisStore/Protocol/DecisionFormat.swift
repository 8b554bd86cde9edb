package import LimiterCore

/// How requests become the arguments of the decision script, and how its reply is read. Numbers in arguments are
/// big-endian doubles.
///
/// Keys: one a limit. One argument: the clock in microseconds (negative: Redis's own, unless that is more than a second less
/// than what stands behind the sign) and the operation; for each limit 72 bytes: flags (1: a bucket, 2: shadow, 4: a calendar quota, 8: whose past is kept), limit, refill, period in ticks,
/// tick in microseconds (of a calendar quota limit, the period's number, its length and its start in seconds), and the carried position
/// (-1: nothing is carried), count, rest and generation; then the costs, request by request, one a limit.
///
/// Reply, all integers: the time in microseconds; which requests pass, 32 a word, the first in the lowest bit; and for
/// each limit the position, count, rest and generation before this call, made current and merged with what was carried.
package enum DecisionFormat {
    /// Most limits of one group. Keys beyond a few thousand would not fit the script's stack.
    static let mostLimits = 256
    /// Most requests of one call, so that none keeps Redis from others for long.
    static let mostRequests = 128

    static func words(requests: Int) -> Int { (requests + 31) / 32 }

    static func integers(requests: Int, limits: Int) -> Int { 1 + words(requests: requests) + 4 * limits }

    static func appendHeader(clock: Int64, operation: LimitCall.Operation, to writer: inout CommandWriter) {
        writer.appendNumber(clock)
        switch operation {
        case .decide: writer.appendNumber(0)
        case .peek: writer.appendNumber(1)
        case .reset: writer.appendNumber(2)
        }
    }

    static func appendLimit(
        _ rule: CounterRule, isShadow: Bool, carried: CounterState, to writer: inout CommandWriter
    ) {
        let isCalendar = rule.algorithm == .calendar
        let kind: Int64 = isCalendar ? rule.keepsPast ? 12 : 4 : rule.isWindow ? 0 : 1
        writer.appendNumber(kind + (isShadow ? 2 : 0))
        writer.appendNumber(rule.limit)
        writer.appendNumber(isCalendar ? rule.number : rule.refill)
        writer.appendNumber(rule.periodTicks)
        writer.appendNumber(isCalendar ? rule.startMicroseconds / 1_000_000 : rule.tickMicroseconds)
        writer.appendNumber(carried.position)
        writer.appendNumber(carried.count)
        writer.appendNumber(carried.rest)
        writer.appendNumber(carried.generation)
    }

    /// Everything behind the script's name: keys and arguments for requests that have keys, rules and operation in common.
    package static func appendKeysAndArguments(
        of calls: [LimitCall], clock: Int64, to writer: inout CommandWriter
    ) {
        let first = calls[0]
        // Each was prepared after the one before it, so the last one carries what was seen last.
        let last = calls[calls.count - 1]
        let limits = first.keyEnds.count
        writer.argument(decimal: limits)
        first.keyBytes.withUnsafeBytes { bytes in
            var start = 0
            for end in first.keyEnds {
                writer.argument(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
        writer.beginArgument()
        appendHeader(clock: clock, operation: first.operation, to: &writer)
        for index in 0..<limits {
            let carried = last.carried[index].position >= 0 ? last.carried[index] : first.carried[index]
            appendLimit(
                first.rules[index], isShadow: first.group.limits[index].limit.isShadow, carried: carried,
                to: &writer)
        }
        for call in calls {
            for cost in call.costs { writer.appendNumber(cost) }
        }
    }
}

/// The decision script's reply, checked: no number in it can overflow the arithmetic that it is used in.
package struct DecisionReply {
    package let now: Int64
    private let integers: UnsafeBufferPointer<Int64>
    private let words: Int

    /// 2^52: what doubles and products of two such numbers' parts stay exact for.
    private static let bound: Int64 = 1 << 52

    /// The time at which the script did nothing, because that is outside the calendar periods that it was told; nil: it answers otherwise.
    static func timeOutsidePeriods(_ reply: Reply) -> Int64? {
        guard reply.isIntegers(1), (0..<bound).contains(reply.integers[0]) else { return nil }
        return reply.integers[0]
    }

    /// Nil: not what the script answers to that many requests under these rules.
    package init?(_ reply: Reply, requests: Int, rules: [CounterRule]) {
        guard reply.isIntegers(DecisionFormat.integers(requests: requests, limits: rules.count)) else {
            return nil
        }
        integers = reply.integers
        words = DecisionFormat.words(requests: requests)
        now = integers[0]
        guard (0..<Self.bound).contains(now) else { return nil }
        for index in rules.indices where !Self.isSound(state(index), rules[index]) { return nil }
    }

    package func passes(_ request: Int) -> Bool { integers[1 + request / 32] >> Int64(request % 32) & 1 == 1 }

    /// A limit's state before the first request.
    package func state(_ index: Int) -> CounterState {
        let start = 1 + words + 4 * index
        return CounterState(
            position: integers[start], count: integers[start + 1], rest: integers[start + 2],
            generation: integers[start + 3])
    }

    static func isSound(_ state: CounterState, _ rule: CounterRule) -> Bool {
        guard state.position >= 0, (0..<bound).contains(state.generation) else { return false }
        switch rule.algorithm {
        case .calendar:
            return state.position <= rule.number + CounterRule.mostPeriodsAhead && (0..<bound).contains(state.count)
                && (0...bound).contains(state.rest)
        case .slidingWindow:
            return state.position <= bound / rule.periodMicroseconds && (0..<bound).contains(state.count)
                && (0...rule.countCeiling).contains(state.rest)
        case .tokenBucket:
            return state.position <= bound / rule.tickMicroseconds
                && (-rule.limit...rule.limit).contains(state.count) && (0..<rule.periodTicks).contains(state.rest)
        }
    }
}
