package import HTTPWire
package import LimiterCore

/// What the answers to a route's requests say of its limits, with all that is known beforehand already written:
/// `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11, and on demand `X-RateLimit-*`.
///
/// Limits of a narrower scope come first. Shadow limits are left out: they limit nobody.
package struct LimitFields: Sendable {
    private struct Item: Sendable {
        /// The limit's index in its group.
        let index: Int
        /// `"payment";r=`
        let start: [UInt8]
    }

    private let policy: [UInt8]
    private let items: [Item]
    /// The limits' names as JSON strings, by index in the group.
    private let jsonNames: [[UInt8]]
    /// Bytes that `writeHead` never exceeds.
    package let headBound: Int
    /// Bytes that `writeViolated` never exceeds.
    let namesBound: Int

    package init(_ group: LimitGroup) {
        let shown = group.limits.indices.filter { !group.limits[$0].limit.isShadow }.sorted {
            let (a, b) = (Self.breadth(group.limits[$0].owner), Self.breadth(group.limits[$1].owner))
            return a != b ? a < b : $0 < $1
        }
        items = shown.map { Item(index: $0, start: Array("\"\(group.limits[$0].name)\";r=".utf8)) }
        let texts = shown.map { index in
            let limit = group.limits[index].limit
            // A month has no one length, so a calendar quota says none.
            return "\"\(limit.name)\";q=\(limit.capacity)" + (limit.windowSeconds.map { ";w=\($0)" } ?? "")
        }
        policy = texts.isEmpty ? [] : Array("RateLimit-Policy: \(texts.joined(separator: ", "))\r\n".utf8)
        jsonNames = group.limits.map { Array("\"\($0.name)\"".utf8) }
        headBound = policy.count + items.reduce(32) { $0 + $1.start.count + 48 } + 160
        namesBound = jsonNames.reduce(2) { $0 + $1.count + 2 }
    }

    private static func breadth(_ owner: LimitLevel) -> Int {
        switch owner {
        case .route: 0
        case .service: 1
        case .global: 2
        }
    }

    /// Writes nothing where nobody decided: the verdicts are missing then.
    package func writeHead(_ decision: borrowing Decision, isLegacy: Bool, to cursor: inout ByteCursor) {
        guard !items.isEmpty, decision.verdicts.count == jsonNames.count else { return }
        cursor.write(policy)
        cursor.write("RateLimit: ")
        for position in items.indices {
            let verdict = decision.verdicts[items[position].index]
            if position > 0 { cursor.write(", ") }
            cursor.write(items[position].start)
            cursor.write(decimal: verdict.remaining)
            if verdict.nextUnitMicroseconds > 0 {
                cursor.write(";t=")
                cursor.write(decimal: Self.wholeSeconds(verdict.nextUnitMicroseconds))
            }
        }
        cursor.write("\r\n")
        if isLegacy { writeLegacy(tightest(decision), to: &cursor) }
    }

    /// The limit with the fewest units left; of several, the one that takes longest.
    private func tightest(_ decision: borrowing Decision) -> Verdict {
        var tightest = decision.verdicts[items[0].index]
        for item in items.dropFirst() {
            let verdict = decision.verdicts[item.index]
            if verdict.remaining < tightest.remaining
                || verdict.remaining == tightest.remaining && verdict.fullMicroseconds > tightest.fullMicroseconds
            {
                tightest = verdict
            }
        }
        return tightest
    }

    private func writeLegacy(_ verdict: Verdict, to cursor: inout ByteCursor) {
        cursor.write("X-RateLimit-Limit: ")
        cursor.write(decimal: verdict.limit)
        cursor.write("\r\nX-RateLimit-Remaining: ")
        cursor.write(decimal: verdict.remaining)
        cursor.write("\r\nX-RateLimit-Reset: ")
        cursor.write(decimal: Self.wholeSeconds(verdict.fullMicroseconds))
        cursor.write("\r\n")
    }

    /// A JSON array of the names of the limits that refuse.
    func writeViolated(_ decision: borrowing Decision, to cursor: inout ByteCursor) {
        cursor.write(byte: UInt8(ascii: "["))
        var isFirst = true
        for item in items where item.index < decision.verdicts.count && !decision.verdicts[item.index].isAllowed {
            if !isFirst { cursor.write(byte: UInt8(ascii: ",")) }
            cursor.write(jsonNames[item.index])
            isFirst = false
        }
        cursor.write(byte: UInt8(ascii: "]"))
    }

    /// Rounded up.
    static func wholeSeconds(_ microseconds: Int64) -> Int64 { (microseconds + 999_999) / 1_000_000 }
}
