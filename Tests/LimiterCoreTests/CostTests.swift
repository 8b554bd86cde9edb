import LimiterCore
import TestSupport
import Testing

@Suite struct CostTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("42", 42), ("007", 7), ("00000000000000000000009", 9), ("2147483648", 2_147_483_648),
    ])
    func aHeaderSaysACostInDigits(_ text: String, _ units: Int64) {
        #expect(Cost.units(parsing: text.utf8) == units)
        let fromMemory = Array(text.utf8).withUnsafeBytes { Cost.units(parsing: $0) }
        #expect(fromMemory == units)
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1 ", " 1", "1.0", "1e3", "0x10", "one", "1,2", "\u{661}", "2147483649",
        "99999999999999999999",
        "9223372036854775808", "1\0",
    ])
    func anythingElseIsNoCost(_ text: String) {
        #expect(Cost.units(parsing: text.utf8) == nil)
    }

    @Test(arguments: [("3", 3), ("many", 2), (nil, 2)] as [(String?, Int64)])
    func whatSaysNoCostTakesTheOther(_ value: String?, _ units: Int64) async throws {
        let limits = try DeclaredLimits(
            .window("w", "10/hour") { $0.cost = .header("x-cost", otherwise: 2) })
        let store = LocalStore(labels: limits.table.labels, time: ManualTime())
        var question = LimitQuestion(limits.group, .decide, tenant: "acme")
        question.headers["x-cost"] = value
        let decision = await AsyncLimiter(store: store) { $0() }.decide(question)
        #expect(decision.verdicts.map(\.remaining) == [10 - units])
    }
}
