import HTTPWire
import WeirConfiguration

/// Which segments of a path are a pattern's parameters.
struct ParameterPlaces: Sendable {
    /// Indices of segments, in their order.
    let segments: [Int]
    let hasRest: Bool

    init(_ pattern: RoutePattern) {
        segments = pattern.segments.indices.filter { index in
            if case .literal = pattern.segments[index] { false } else { true }
        }
        hasRest = if case .rest? = pattern.segments.last { true } else { false }
    }
}

/// Where the parameters of a pattern are in the canonical path that it has taken.
struct PathParameters {
    private var ranges = InlineArray<8, ByteRange>(repeating: .empty)

    subscript(index: Int) -> Range<Int> { ranges[index].range }

    mutating func locate(_ places: ParameterPlaces, in path: UnsafeRawBufferPointer) {
        var segment = 0
        var start = 1
        var found = 0
        while found < places.segments.count {
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            if segment == places.segments[found] {
                let isRest = places.hasRest && found == places.segments.count - 1
                ranges[found] = ByteRange(start, isRest ? path.count : end)
                found += 1
            }
            segment += 1
            start = end + 1
        }
    }
}
