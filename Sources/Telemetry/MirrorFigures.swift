import Synchronization

/// What two versions of a service answered to the same requests.
package final class MirrorFigures: Sendable {
    /// How one request was answered by one version.
    package struct Answer: Hashable, Sendable {
        /// 0: there was none.
        package var status: Int
        /// To the head of the answer.
        package var nanoseconds: Int64

        package init(status: Int, nanoseconds: Int64) {
            self.status = status
            self.nanoseconds = nanoseconds
        }
    }

    /// A request that was answered differently.
    package struct Difference: Hashable, Sendable {
        package var epochMicroseconds: Int64
        package var requestID: String
        package var method: String
        package var path: String
        package var first: Answer
        package var second: Answer

        package init(
            epochMicroseconds: Int64, requestID: String, method: String, path: String, first: Answer, second: Answer
        ) {
            self.epochMicroseconds = epochMicroseconds
            self.requestID = requestID
            self.method = method
            self.path = path
            self.first = first
            self.second = second
        }
    }

    package struct Report: Sendable {
        /// Requests that both versions were asked.
        package fileprivate(set) var compared = 0
        /// That both gave the same status.
        package fileprivate(set) var same = 0
        /// That the second version did not answer.
        package fileprivate(set) var unanswered = 0
        /// That were not mirrored because too many were in flight, or their bodies were too long.
        package fileprivate(set) var leftOut = 0
        /// By status of the first and of the second version, where they differ.
        package fileprivate(set) var statuses: [[Int]: Int] = [:]
        package fileprivate(set) var firstDurations = DurationSketch()
        package fileprivate(set) var secondDurations = DurationSketch()
        /// The last ones, the latest last.
        package fileprivate(set) var differences: [Difference] = []
    }

    /// So many differences are kept.
    package static let mostDifferences = 50
    /// So many pairs of statuses are told apart; further ones count as `[0, 0]`.
    private static let mostPairs = 200

    private let state = Mutex(Report())

    package init() {}

    package var report: Report { state.withLock { $0 } }

    package func countLeftOut() { state.withLock { $0.leftOut += 1 } }

    /// `difference` says what the request was, where its answers differ.
    package func count(_ first: Answer, _ second: Answer, _ difference: () -> Difference) {
        let isSame = first.status == second.status
        let difference = isSame ? nil : difference()
        state.withLock { report in
            report.compared += 1
            report.firstDurations.add(first.nanoseconds)
            if second.status == 0 {
                report.unanswered += 1
            } else {
                report.secondDurations.add(second.nanoseconds)
            }
            guard let difference else {
                report.same += 1
                return
            }
            let pair = [first.status, second.status]
            let isKnown = report.statuses[pair] != nil || report.statuses.count < Self.mostPairs
            report.statuses[isKnown ? pair : [0, 0], default: 0] += 1
            report.differences.append(difference)
            if report.differences.count > Self.mostDifferences { report.differences.removeFirst() }
        }
    }
}

/// Durations in the buckets of `SlidingQuantiles`: quantiles are wrong by an eighth of themselves at most, above 16 µs.
package struct DurationSketch: Sendable {
    private var counts = [Int](repeating: 0, count: SlidingQuantiles.buckets)
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ nanoseconds: Int64) {
        counts[SlidingQuantiles.bucket(of: nanoseconds)] += 1
        count += 1
    }

    /// In nanoseconds, of a fraction from 0 to 1; nil: there are none.
    package func quantile(_ fraction: Double) -> Int64? {
        SlidingQuantiles.quantile(fraction, of: counts).map { Int64($0) }
    }
}
