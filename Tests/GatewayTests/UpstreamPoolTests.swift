import Testing
import TestSupport

@testable import Gateway

struct UpstreamPoolTests {
    private final class Connection {}
    private final class Waiter {}
    private typealias Pool = UpstreamPool<Connection, Waiter>

    private func pool(_ connections: Int = 2, _ waiters: Int = 2) -> Pool {
        Pool(maximumConnections: connections, maximumWaiters: waiters)
    }

    @Test func theFirstRequestOpensAConnectionAndGetsIt() {
        var pool = pool()
        let (waiter, connection) = (Waiter(), Connection())
        guard case .waiting(connect: true) = pool.acquire(for: waiter) else {
            Issue.record("no connection is opened")
            return
        }
        let result1 = pool.opened(connection, at: 0)
        #expect(result1 === waiter)
        #expect(pool.leased == 1)
        let result2 = pool.released(connection, at: 0)
        #expect(result2 == nil)
        guard case .leased(let again) = pool.acquire(for: Waiter()) else {
            Issue.record("the idle connection is not used")
            return
        }
        #expect(again === connection)
    }

    @Test func whoWaitedLongestIsServedFirst() {
        var pool = pool(1, 3)
        let waiters = [Waiter(), Waiter(), Waiter()]
        for waiter in waiters { _ = pool.acquire(for: waiter) }
        let connection = Connection()
        let result3 = pool.opened(connection, at: 0)
        #expect(result3 === waiters[0])
        let result4 = pool.released(connection, at: 0)
        #expect(result4 === waiters[1])
        pool.withdraw(waiters[2])
        let result5 = pool.released(connection, at: 0)
        #expect(result5 == nil)
        #expect(pool.idleCount == 1)
    }

    @Test func noMoreConnectionsOpenThanMayAndNoMoreWaitThanMay() {
        var pool = pool(2, 3)
        var opened = 0
        for _ in 0..<3 { if case .waiting(connect: true) = pool.acquire(for: Waiter()) { opened += 1 } }
        #expect(opened == 2)
        guard case .refused = pool.acquire(for: Waiter()) else {
            Issue.record("a fourth waits")
            return
        }
    }

    @Test func aFailedAttemptFailsOneWaiterAndTriesAgainForTheNext() {
        var pool = pool(1, 3)
        let (first, second) = (Waiter(), Waiter())
        _ = pool.acquire(for: first)
        _ = pool.acquire(for: second)
        let (failed, connects) = pool.openingFailed()
        #expect(failed === first)
        #expect(connects)
        let (last, connectsAgain) = pool.openingFailed()
        #expect(last === second)
        #expect(!connectsAgain)
    }

    @Test func aLostConnectionIsReplacedForThoseWhoWait() {
        var pool = pool(1, 3)
        _ = pool.acquire(for: Waiter())
        let connection = Connection()
        _ = pool.opened(connection, at: 0)
        let opensForNobody = pool.leasedClosed()
        #expect(!opensForNobody)
        _ = pool.acquire(for: Waiter())
        _ = pool.opened(connection, at: 0)
        guard case .waiting(connect: false) = pool.acquire(for: Waiter()) else {
            Issue.record("a second connection opens")
            return
        }
        #expect(pool.isSaturated)
        let opensAnother = pool.leasedClosed()
        #expect(opensAnother)
    }

    @Test func idleConnectionsAreGivenUpOldestFirst() {
        var pool = pool(2, 4)
        let (old, new) = (Connection(), Connection())
        for connection in [old, new] {
            _ = pool.acquire(for: Waiter())
            _ = pool.opened(connection, at: 0)
        }
        let result6 = pool.released(old, at: 10)
        #expect(result6 == nil)
        let result7 = pool.released(new, at: 20)
        #expect(result7 == nil)
        let result8 = pool.popIdle(since: 10)
        #expect(result8 == nil)
        let result9 = pool.popIdle(since: 15)
        #expect(result9 === old)
        let result10 = pool.popIdle(since: 15)
        #expect(result10 == nil)
        pool.idleClosed(new)
        #expect(pool.idleCount == 0)
    }

    /// Whatever happens in whatever order, the bounds hold and nobody is forgotten.
    @Test func boundsHoldUnderRandomEvents() {
        var random = SeededGenerator()
        var pool = pool(3, 5)
        var leased: [Connection] = []
        var waiting: [Waiter] = []
        var opening = 0
        func serve(_ connection: Connection, _ waiter: Waiter?) {
            guard let waiter else { return }
            leased.append(connection)
            waiting.removeAll { $0 === waiter }
        }
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let waiter = Waiter()
                switch pool.acquire(for: waiter) {
                case .leased(let connection): leased.append(connection)
                case .waiting(let connect):
                    waiting.append(waiter)
                    if connect { opening += 1 }
                case .refused: #expect(waiting.count == 5)
                }
            case 2 where opening > 0:
                opening -= 1
                let connection = Connection()
                serve(connection, pool.opened(connection, at: 0))
            case 3 where opening > 0:
                opening -= 1
                let (failed, connects) = pool.openingFailed()
                if let failed { waiting.removeAll { $0 === failed } }
                if connects { opening += 1 }
            case 4 where !leased.isEmpty:
                let connection = leased.removeFirst()
                serve(connection, pool.released(connection, at: 0))
            case 5 where !leased.isEmpty:
                leased.removeFirst()
                if pool.leasedClosed() { opening += 1 }
            default: if let waiter = waiting.popLast() { pool.withdraw(waiter) }
            }
            #expect(pool.leased == leased.count)
            #expect(pool.waiting == waiting.count)
            #expect(pool.opening == opening)
            #expect(pool.idleCount + leased.count + opening <= 3)
            #expect(waiting.isEmpty || opening > 0 || leased.count == 3)
        }
    }

    @Test func whoGetsAConnectionOfItsOwnNeedsNoPlaceToWait() {
        var pool = pool(2, 0)
        let waiters = [Waiter(), Waiter()]
        for waiter in waiters {
            guard case .waiting(connect: true) = pool.acquire(for: waiter) else {
                Issue.record("no connection is opened")
                return
            }
        }
        guard case .refused = pool.acquire(for: Waiter()) else {
            Issue.record("a third one waits")
            return
        }
        let first = pool.opened(Connection(), at: 0)
        #expect(first === waiters[0])
        guard case .refused = pool.acquire(for: Waiter()) else {
            Issue.record("a third one waits")
            return
        }
    }
}
