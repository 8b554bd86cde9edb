import Foundation

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

extension SeededGenerator {
    /// From `WEIR_TEST_SEED`, or any; printed, so that a failure can be repeated.
    static func seed(for test: String) -> UInt64 {
        let seed =
            ProcessInfo.processInfo.environment["WEIR_TEST_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1 ... .max)
        print("\(test): WEIR_TEST_SEED=\(seed)")
        return seed
    }

    /// From `WEIR_TEST_MUTATIONS`, or `usual`.
    static func rounds(usual: Int) -> Int {
        ProcessInfo.processInfo.environment["WEIR_TEST_MUTATIONS"].flatMap(Int.init) ?? usual
    }
}
