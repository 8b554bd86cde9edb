/// What may have been charged by when, whatever the order in which the limiter saw things.
struct ChargeHistory {
    private let sent: [Int64]
    /// Units of the first so many that were sent.
    private let unitsSent: [Int64]
    private let received: [Int64]
    private let unitsReceived: [Int64]

    /// Refused observations charge nothing. What has no known outcome may be charged at any time after it was sent.
    init(_ observations: [Observation]) {
        let charged = observations.filter { $0.outcome != .refused && $0.cost > 0 }
        let bySent = charged.sorted { $0.sent < $1.sent }
        let byReceived = charged.filter { $0.outcome == .admitted }.sorted { $0.received < $1.received }
        sent = bySent.map(\.sent)
        unitsSent = Self.sums(bySent)
        received = byReceived.map(\.received)
        unitsReceived = Self.sums(byReceived)
    }

    private static func sums(_ observations: [Observation]) -> [Int64] {
        var sums: [Int64] = [0]
        for observation in observations { sums.append(sums[sums.count - 1] + Int64(observation.cost)) }
        return sums
    }

    /// The most units that may have been charged in this stretch: sent by its end, and not settled by its begin.
    func most(from begin: Int64, to end: Int64) -> Int64 {
        let sentByEnd = unitsSent[Excess.upperBound(sent, end)]
        let settledByBegin = unitsReceived[Excess.upperBound(received, begin)]
        return max(0, sentByEnd - settledByBegin)
    }
}
