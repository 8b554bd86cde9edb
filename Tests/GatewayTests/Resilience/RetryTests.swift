import TestSupport
import Testing

@testable import Gateway

struct RetryTests {
    @Test func aBudgetHoldsForAnyStorm() {
        var generator = SeededGenerator()
        for percent in [0, 10, 20, 100] {
            var budget = RetryBudget(percent: percent)
            var now: Int64 = 0
            var requests: [Int64] = []
            var retries: [Int64] = []
            for _ in 0..<4000 {
                now += .random(in: 0...20_000_000, using: &generator)
                let slice = now / 1_000_000_000
                func recent(_ times: [Int64]) -> Int { times.count { $0 > slice - 10 } }
                if Bool.random(using: &generator) {
                    budget.requestBegan(at: now)
                    requests.append(slice)
                } else {
                    let isWithinShare = (recent(retries) + 1) * 100 <= percent * recent(requests)
                    let isAllowed = isWithinShare || retries.count { $0 == slice } < 3
                    let isTaken = budget.takeRetry(at: now)
                    #expect(isTaken == isAllowed)
                    if isAllowed { retries.append(slice) }
                }
            }
        }
    }

    @Test func anIdleServiceStillHasThreeRetriesASecond() {
        var budget = RetryBudget(percent: 20)
        let taken = [0, 0, 0, 0, 0, 1_000_000_000].map { budget.takeRetry(at: $0) }
        #expect(taken == [true, true, true, false, false, true])
    }

    @Test func theBackoffDoublesUpToItsBoundAndIsByChance() {
        let backoff = Backoff(firstNanoseconds: 25, longestNanoseconds: 250)
        #expect((0..<6).map { backoff.bound(ofRetry: $0) } == [25, 50, 100, 200, 250, 250])
        #expect(backoff.bound(ofRetry: 1000) == 250)
        var generator = SeededGenerator()
        let drawn = (0..<2000).map { _ in backoff.nanoseconds(beforeRetry: 3, using: &generator) }
        #expect(drawn.allSatisfy { (0...200).contains($0) })
        #expect(Set(drawn).count > 150)
    }
}
