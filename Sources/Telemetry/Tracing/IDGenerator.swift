/// Ids of traces and spans for one thread: xoshiro256** (Blackman, Vigna), which begins with the system's random numbers. They need
/// to be different, not secret, and the system's own generator would be asked several times a request.
package struct IDGenerator: Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init() {
        var system = SystemRandomNumberGenerator()
        // Zeros alone would stay zeros.
        state = (system.next() | 1, system.next(), system.next(), system.next())
    }

    private mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
        let result = rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    package mutating func span() -> UInt64 {
        while true {
            let span = next()
            if span != 0 { return span }
        }
    }

    package mutating func trace() -> TraceID { TraceID(high: next(), low: span()) }
}
