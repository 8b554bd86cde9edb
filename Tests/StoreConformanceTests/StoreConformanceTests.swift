import LimiterCore
import TestSupport
import Testing

/// What every store promises, asked of each.
@Suite(.serialized) struct StoreConformanceTests {
    @Test(arguments: StoreKind.allCases)
    func aRequestIsChargedOnceToEachOfItsLimits(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind, .window("w", "10/week"), .bucket("b", "5/week")) { store in
            let first = await store.ask()
            #expect(first.isAllowed && !first.isDegraded)
            #expect(first.verdicts.map(\.remaining) == [9, 4])
            #expect(first.verdicts.map(\.limit) == [10, 5])
            #expect(await store.ask(.peek).verdicts.map(\.remaining) == [9, 4])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeniedRequestConsumesNothing(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind, .window("wide", "100/week"), .window("narrow", "2/week")) { store in
            for _ in 0..<2 { #expect(await store.ask().isAllowed) }
            for _ in 0..<5 {
                let denied = await store.ask()
                #expect(denied.outcome == .denied)
                #expect(denied.verdicts.map(\.isAllowed) == [true, false])
            }
            #expect(await store.ask(.peek, cost: 0).verdicts.map(\.remaining) == [98, 0])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func manyAtOnceAreAdmittedUpToTheLimitAndNotOneMore(kind: StoreKind) async throws {
        try await StoreUnderTest.run(
            kind, .window("w", "150/week"), .bucket("b", "140/week"), .calendar("c", "160/year")
        ) { store in
            let admitted = await store.admitted(of: 400)
            #expect(admitted == 140)
            let left = await store.ask(.peek, cost: 0).verdicts.map(\.remaining)
            #expect(left == [10, 0, 20])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func costsAreTakenWholeOrNotAtAll(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind, .window("w", "10/week")) { store in
            #expect(await store.ask(cost: 7).isAllowed)
            #expect(await !store.ask(cost: 4).isAllowed)
            #expect(await store.ask(cost: 3).isAllowed)
            #expect(await store.ask(cost: 0).isAllowed)
            let never = await store.ask(cost: 11)
            #expect(never.outcome == .denied)
            #expect(never.retryAfterMicroseconds == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aPeekAnswersLikeADecisionAndChangesNothing(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind, .window("w", "3/week")) { store in
            for _ in 0..<10 { #expect(await store.ask(.peek).isAllowed) }
            #expect(await store.admitted(of: 3) == 3)
            let refused = await store.ask(.peek)
            #expect(refused.outcome == .denied)
            let retry = try #require(refused.retryAfterMicroseconds)
            #expect(retry > 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aResetGivesTheBudgetBack(kind: StoreKind) async throws {
        try await StoreUnderTest.run(
            kind, .window("w", "3/week"), .bucket("b", "3/week"), .calendar("c", "3/year")
        ) { store in
            let before = await store.admitted(of: 5)
            #expect(before == 3)
            #expect(await store.ask(.reset).verdicts.map(\.remaining) == [3, 3, 3])
            let after = await store.admitted(of: 5)
            #expect(after == 3)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func tenantsWithAnyIdHaveTheirOwnCounters(kind: StoreKind) async throws {
        let tenants = [
            "", "a", "A", "{}", "{a}", "a}:w", "a b", "ä", "~", "~w", "%61", "a:w", String(repeating: "x", count: 300),
            String(repeating: "x", count: 301), "\u{0}", "\r\n",
        ]
        try await StoreUnderTest.run(kind, .window("w", "1/week")) { store in
            for tenant in tenants {
                let admitted = await store.admitted(of: 2, tenant: tenant)
                #expect(admitted == 1, "\(tenant.debugDescription)")
            }
        }
    }

    /// A cluster has them in several slots, which it cannot decide exactly at once.
    @Test(arguments: StoreKind.allCases.filter { $0 != .cluster })
    func limitsForEveryoneAndForAnAddressAreDecidedInTheSameCall(kind: StoreKind) async throws {
        try await StoreUnderTest.run(
            kind, .window("t", "100/week"), .window("all", "3/week", per: []), .window("ip", "2/week", per: [.clientIP])
        ) { store in
            func ask(_ tenant: String, _ address: UInt32) async -> Bool {
                await store.ask(tenant: tenant) { $0.clientIP = ClientAddress(ipv4: address) }.isAllowed
            }
            #expect(await ask("a", 1))
            #expect(await ask("b", 1))
            #expect(await !ask("c", 1))
            #expect(await ask("c", 2))
            #expect(await !ask("d", 3))
            let left = await store.ask(.peek, tenant: "d", cost: 0) { $0.clientIP = ClientAddress(ipv4: 3) }
            #expect(left.verdicts.map(\.remaining) == [100, 0, 2])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aShadowLimitIsCountedAndRefusesNobody(kind: StoreKind) async throws {
        try await StoreUnderTest.run(
            kind, .window("real", "3/week"), .window("shadow", "1/week") { $0.isShadow = true }
        ) {
            store in
            var answers: [Decision] = []
            for _ in 0..<4 { answers.append(await store.ask()) }
            #expect(answers.map(\.isAllowed) == [true, true, true, false])
            #expect(answers.map { $0.verdicts[1].isAllowed } == [true, false, false, false])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsLeftComesBackAsTheAnswerSays(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind, .bucket("b", "1000/s", burst: 2)) { store in
            #expect(await store.ask(cost: 2).isAllowed)
            try await eventually(within: .seconds(5), "the bucket is full again") {
                let verdict = await store.ask(.peek, cost: 0).verdicts[0]
                #expect(verdict.fullMicroseconds <= 2000)
                return verdict.remaining == 2 && verdict.nextUnitMicroseconds == 0
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func noLimitsMeanYes(kind: StoreKind) async throws {
        try await StoreUnderTest.run(kind) { store in #expect(await store.ask().isAllowed) }
    }
}
