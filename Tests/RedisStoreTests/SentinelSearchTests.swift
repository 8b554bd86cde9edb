import LimiterCore
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

@Suite struct SentinelSearchTests {
    private static func server(_ port: Int) -> RedisAddress.Server { RedisAddress.Server(host: "s", port: port) }

    private let sentinels = (1...3).map { server($0) }
    private let old = server(10)
    private let new = server(20)
    private let lost = StoreError(.disconnected, "refused")

    private func search() -> SentinelSearch { SentinelSearch(primary: "main", sentinels: sentinels) }

    @Test func theFirstSentinelsWordIsTaken() {
        var search = search()
        #expect(search.begin() == .ask(sentinels[0]))
        #expect(search.named(new) == .connect(new))
    }

    @Test func sentinelsThatAreDownArePassedOver() {
        var search = search()
        _ = search.begin()
        #expect(search.sentinelFailed(lost) == .ask(sentinels[1]))
        #expect(search.sentinelFailed(StoreError(.timeout, "")) == .ask(sentinels[2]))
        #expect(search.named(new) == .connect(new))
    }

    @Test func aSentinelThatNamesAReplicaIsNotBelieved() {
        var search = search()
        _ = search.begin()
        #expect(search.named(old) == .connect(old))
        #expect(search.serverFailed(StoreError(.disconnected, "its role is `slave`")) == .ask(sentinels[1]))
        #expect(search.named(new) == .connect(new))
    }

    @Test func noServerIsTriedTwiceInARound() {
        var search = search()
        _ = search.begin()
        _ = search.named(old)
        _ = search.serverFailed(lost)
        #expect(search.named(old) == .ask(sentinels[2]))
        #expect(search.named(old) == .giveUp(lost))
        #expect(search.begin() == .ask(sentinels[0]))
        #expect(search.named(old) == .connect(old), "but in the next")
    }

    @Test func whoWasRightIsAskedFirst() {
        var search = search()
        _ = search.begin()
        _ = search.sentinelFailed(lost)
        _ = search.named(new)
        search.found()
        #expect(search.begin() == .ask(sentinels[1]))
        search.putLast(sentinels[1])
        #expect(search.begin() != .ask(sentinels[1]))
        #expect(Set(search.sentinels) == Set(sentinels))
    }

    @Test func whereNobodyKnowsTheNameThatIsSaid() {
        var search = search()
        _ = search.begin()
        _ = search.named(nil)
        _ = search.named(nil)
        guard case .giveUp(let error) = search.named(nil) else {
            Issue.record("all were asked")
            return
        }
        #expect(error.detail == "no sentinel knows a primary called `main`")
        #expect(!error.isTransient)
    }

    @Test func aSentinelThatIsAwayMayKnowTheName() {
        var search = search()
        _ = search.begin()
        _ = search.named(nil)
        _ = search.sentinelFailed(lost)
        #expect(search.named(nil) == .giveUp(lost))
    }

    @Test func whatPeopleMustCureIsSaidFirst() {
        let refused = StoreError(.unauthorized, "WRONGPASS")
        var search = search()
        _ = search.begin()
        _ = search.sentinelFailed(refused)
        _ = search.sentinelFailed(lost)
        #expect(search.sentinelFailed(lost) == .giveUp(refused))
    }

    /// Whatever is heard, a round ends, and asks nobody twice.
    @Test func everyRoundEnds() {
        var random = SeededGenerator()
        for _ in 0..<1000 {
            var search = search()
            var action = search.begin()
            var asked: [RedisAddress.Server] = []
            var connected: [RedisAddress.Server] = []
            while true {
                switch action {
                case .ask(let sentinel):
                    asked.append(sentinel)
                    let answers: [RedisAddress.Server?] = [old, new, nil]
                    action =
                        Bool.random(using: &random)
                        ? search.named(answers.randomElement(using: &random)!) : search.sentinelFailed(lost)
                    continue
                case .connect(let server):
                    connected.append(server)
                    action = search.serverFailed(lost)
                    continue
                case .giveUp: break
                }
                break
            }
            #expect(asked == sentinels)
            #expect(Set(connected).count == connected.count)
        }
    }
}
