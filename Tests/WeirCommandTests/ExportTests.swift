import Foundation
import Testing

@testable import weir

@Suite struct ExportTests {
    @Test func pausesGrowAndEnd() {
        var backoff = ExportBackoff()
        let pauses = (0..<5).map { _ in backoff.next(retryAfter: nil, chance: 1) }
        #expect(pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), nil])
    }

    @Test func aCollectorsWishIsHeardUpToAMinute() {
        var backoff = ExportBackoff()
        #expect(backoff.next(retryAfter: .seconds(30), chance: 1) == .seconds(30))
        #expect(backoff.next(retryAfter: .seconds(0), chance: 0.5) == .seconds(1))
        #expect(backoff.next(retryAfter: .seconds(86_400), chance: 1) == .seconds(60))
    }

    @Test(arguments: [
        ("0", Duration.seconds(0)), ("120", .seconds(120)), ("Sun, 06 Nov 1994 08:49:47 GMT", .seconds(10)),
        ("Sun, 06 Nov 1994 08:49:07 GMT", .zero), ("99999999", .seconds(86_400)),
    ])
    func aFieldIsSecondsOrADate(text: String, expected: Duration) {
        #expect(RetryAfter.parse(text, at: Date(timeIntervalSince1970: 784_111_777)) == expected)
    }

    @Test(arguments: [nil, "", "-1", "soon", "1.5"])
    func anythingElseIsNoWish(text: String?) {
        #expect(RetryAfter.parse(text, at: Date()) == nil)
    }
}
