/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// Of several streams of one seed, this one.
    package init(seed: UInt64, stream: Int) {
        var first = SeededRandom(seed: seed &+ UInt64(stream) &* 0xd134_2543_de82_ef95)
        state = first.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// Uniform in 0..<1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0..<bound; the bias of 2^-32 does not matter for load.
    mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }
}
