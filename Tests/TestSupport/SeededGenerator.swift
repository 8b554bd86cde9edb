/// SplitMix64 (Steele, Lea, Flood): the same numbers for the same seed. It prints its seed, so that a failure can be repeated
/// with the environment variable WEIR_TEST_SEED.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(for test: String = #function) { self.init(seed: Self.seed(for: test)) }

    /// Of several generators of one test, each can begin at a distance of its own from this.
    package static func seed(for test: String) -> UInt64 {
        let given = TestEnvironment["WEIR_TEST_SEED"].flatMap(UInt64.init)
        let seed = given ?? .random(in: 0...UInt64(UInt32.max))
        print("\(test): seed \(seed) (repeat with WEIR_TEST_SEED=\(seed))")
        return seed
    }

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
