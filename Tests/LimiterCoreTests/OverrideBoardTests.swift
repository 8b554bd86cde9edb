import Dispatch
import LimiterCore
import Synchronization
import TestSupport
import Testing

@Suite struct OverrideBoardTests {
    private static func override(_ tenant: String) throws -> LimitOverride {
        LimitOverride(.init(tenant: tenant, limit: "global", service: nil), rate: try Rate(parsing: "5/minute"))
    }

    private static func board() throws -> OverrideBoard {
        OverrideBoard(try DeclaredLimits(.window("global", "100/minute")).table)
    }

    @Test func whoListensHearsWhatThereIsAndEachChange() throws {
        let board = try Self.board()
        let heard = Mutex<[Int]>([])
        board.post([try Self.override("a")])
        board.listen { overrides in heard.withLock { $0.append(overrides.list.count) } }
        board.post([])
        board.post([try Self.override("a"), try Self.override("b")])
        #expect(heard.withLock { $0 } == [1, 0, 2])
    }

    @Test func otherLimitsKeepTheOverridesAndTellWhoListens() throws {
        let board = try Self.board()
        board.post([try Self.override("a")])
        let next = try DeclaredLimits(.window("other", "9/s"), .window("global", "200/minute")).table
        let heard = Mutex<[ObjectIdentifier]>([])
        board.listen { overrides in heard.withLock { $0.append(ObjectIdentifier(overrides.limits)) } }
        board.use(next)
        #expect(heard.withLock { $0.last } == ObjectIdentifier(next))
        #expect(board.overrides.list.count == 1)
        #expect(board.overrides.table(of: "a").tenantCounters.limits.map(\.limit.rate.count) == [9, 5])
    }

    /// Otherwise what was there before may be the last that it takes.
    @Test func aChangeMeanwhileIsHeardAfterWhatWasThereBefore() throws {
        let board = try Self.board()
        let later = try Self.override("a")
        let taken = Mutex<[Int]>([])
        let isPosted = DispatchSemaphore(value: 0)
        board.listen { overrides in
            if overrides.isEmpty {
                let isBegun = DispatchSemaphore(value: 0)
                DispatchQueue.global().async {
                    isBegun.signal()
                    board.post([later])
                    isPosted.signal()
                }
                isBegun.wait()
                // It must not get through while this goes on; a moment is enough for it to do so where it could.
                if isPosted.wait(timeout: .now() + .milliseconds(100)) == .success { isPosted.signal() }
            }
            taken.withLock { $0.append(overrides.list.count) }
        }
        isPosted.wait()
        #expect(taken.withLock { $0 } == [0, 1])
    }
}
