import Testing
import TestSupport
import WeirConfiguration

@testable import Gateway

@Suite struct ShiftTests {
    private static func shift(_ change: (inout Shift) -> Void = { _ in }) -> Shift {
        var shift = Shift(to: "orders-v2", startSeconds: 1_000_000)
        shift.interval = .seconds(600)
        change(&shift)
        return shift
    }

    @Test(arguments: [
        (0, 0), (999_999, 0), (1_000_000, 500), (1_000_599, 500), (1_000_600, 1000), (1_001_200, 2500),
        (1_001_800, 5000),
        (1_002_400, 10_000), (9_000_000_000, 10_000),
    ])
    func theScheduleSaysTheShare(seconds: Int64, share: Int) {
        #expect(Self.shift().share(atSeconds: seconds) == share)
        #expect(ShiftProgress(Self.shift()).share(atSeconds: seconds) == share)
    }

    @Test func whoHasMovedStaysMovedAndSharesAreAsLargeAsTheySay() {
        let service = ByteTable.Hash(Array("orders".utf8))
        let other = ByteTable.Hash(Array("payments".utf8))
        let buckets = (0..<20_000).map {
            ShiftProgress.bucket(of: ByteTable.Hash(Array("tenant-\($0)".utf8)).value, service)
        }
        #expect(buckets.allSatisfy { (0..<10_000).contains($0) })
        for share in [500, 1000, 2500, 5000] {
            let moved = buckets.count { $0 < share }
            #expect(abs(moved - share * 2) < 300, "\(moved) of 20 000 at \(share)")
        }
        // Not the same tenants first in every service.
        let both = (0..<20_000).count {
            buckets[$0] < 1000
                && ShiftProgress.bucket(of: ByteTable.Hash(Array("tenant-\($0)".utf8)).value, other) < 1000
        }
        #expect(both < 400)
    }

    private static func play(_ progress: ShiftProgress, first: Int, second: Int, requests: Int, at now: Int64) -> Int {
        var returns = 0
        for number in 0..<requests {
            if progress.count(.first, failed: number * 37 % 100 < first, at: now) { returns += 1 }
            if progress.count(.second, failed: number * 37 % 100 < second, at: now) { returns += 1 }
        }
        return returns
    }

    @Test func aSecondVersionThatFailsMoreReturnsOnceAndStaysReturned() {
        let progress = ShiftProgress(Self.shift())
        #expect(Self.play(progress, first: 1, second: 3, requests: 1000, at: 1) == 0)
        #expect(!progress.isReturned)
        #expect(Self.play(progress, first: 1, second: 30, requests: 1000, at: 2) == 1)
        #expect(progress.isReturned && progress.share(atSeconds: 9_000_000_000) == 0)
        #expect(Self.play(progress, first: 1, second: 30, requests: 1000, at: 3) == 0)
    }

    @Test func aFirstVersionThatFailsAsMuchIsNoReasonToReturn() {
        let progress = ShiftProgress(Self.shift())
        #expect(Self.play(progress, first: 40, second: 42, requests: 1000, at: 1) == 0)
        #expect(!progress.isReturned)
    }

    @Test func fewRequestsSayNothing() {
        let progress = ShiftProgress(Self.shift())
        for _ in 0..<49 { #expect(!progress.count(.second, failed: true, at: 1)) }
        #expect(progress.count(.second, failed: true, at: 1))
    }

    @Test func whatWasBeforeTheWindowIsForgotten() {
        let progress = ShiftProgress(Self.shift())
        for _ in 0..<49 { _ = progress.count(.second, failed: true, at: 0) }
        #expect(!progress.count(.second, failed: true, at: 61_000_000_000))
        let counts = progress.counts(at: 61_000_000_000)
        #expect(counts?.second == ErrorComparison.Counts(requests: 1, failures: 1))
    }

    @Test func withoutAReturnItGoesOnHoweverItDoes() {
        let progress = ShiftProgress(Self.shift { $0.automaticReturn = nil })
        #expect(Self.play(progress, first: 0, second: 100, requests: 1000, at: 1) == 0)
        #expect(!progress.isReturned && progress.counts(at: 1) == nil)
    }

    /// Against the answers themselves.
    @Test func theWindowCountsWhatANaiveOneDoes() {
        var random = SeededGenerator()
        var comparison = ErrorComparison(Shift.Return())
        let slice: Int64 = 6_000_000_000
        var answers: [(at: Int64, second: Bool, failed: Bool)] = []
        var now: Int64 = 0
        for _ in 0..<5000 {
            now += Int64.random(in: 0...300_000_000, using: &random)
            let answer = (at: now, second: Bool.random(using: &random), failed: Bool.random(using: &random))
            answers.append(answer)
            _ = comparison.count(answer.second ? .second : .first, failed: answer.failed, at: now)
            let oldest = (now / slice - 9) * slice
            let within = answers.filter { $0.at >= oldest }
            let counts = comparison.counts(at: now)
            #expect(counts.first.requests == within.count { !$0.second })
            #expect(counts.second.failures == within.count { $0.second && $0.failed })
        }
    }
}
