import TestSupport
import Testing

@testable import LimiterCore

@Suite struct OpenCountersTests {
    @Test func whereOneIsClosedNobodyIsPassedOver() throws {
        let limit = try DeclaredLimits(.window("w", "10/second")).group.limits[0]
        let places = (1...4).map { CounterPlace(hash: KeyHash(high: $0, low: 1), shard: 0) }
        var open = OpenCounters()
        for place in places {
            open.add(place, limit, isUnsettled: false) { OpenCounter(key: [], limit: limit, isExact: false) }
        }
        #expect(open.next(3).map(\.0) == Array(places[..<3]))
        open.close(places[0])
        #expect(open.next(4).map(\.0) == [places[3], places[1], places[2]])
        #expect(open.next(4).map(\.0) == [places[3], places[1], places[2]])
    }
}
