import Testing

@testable import HTTPWire

/// A search finds the first byte of its kind wherever that is, and nothing before its start or from its end on.
@Suite struct ByteScanTests {
    /// More than two of the longest steps.
    private static let longest = 40

    @Test func theFirstLineFeedIsFoundAtEveryPlace() {
        for (start, place, end) in Self.places {
            var bytes = Array(repeating: UInt8(ascii: "x"), count: Self.longest)
            for other in place..<Self.longest where other % 3 == place % 3 { bytes[other] = .lineFeed }
            if start > 0 { bytes[start - 1] = .lineFeed }
            #expect(ByteScan.lineFeed(in: bytes, from: start, to: end) == min(place, end), "\(start) \(place) \(end)")
        }
    }

    @Test(arguments: [0x00, 0x09, 0x0a, 0x1f, 0x7f])
    func theFirstControlIsFoundAtEveryPlace(control: UInt8) {
        for (start, place, end) in Self.places {
            // Neighbours of controls, and bytes beyond ASCII.
            var bytes = (0..<Self.longest).map { [0x20, 0x7e, 0x80, 0xff, 0x9f][$0 % 5] as UInt8 }
            for other in place..<Self.longest where other % 3 == place % 3 { bytes[other] = control }
            if start > 0 { bytes[start - 1] = control }
            #expect(ByteScan.control(in: bytes, from: start, to: end) == min(place, end), "\(start) \(place) \(end)")
        }
    }

    /// Where a search starts, where the first byte that it looks for is, and where it ends.
    private static let places: [(start: Int, place: Int, end: Int)] = (0...longest).flatMap { end in
        (0...end).flatMap { start in (start..<longest).map { (start, $0, end) } }
    }
}
