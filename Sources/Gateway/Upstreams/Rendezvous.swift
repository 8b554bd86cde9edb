import Glibc
import WeirConfiguration

/// Weighted rendezvous hashing (Thaler and Ravishankar 1998): every endpoint scores every key, and the highest score wins.
///
/// An endpoint that goes takes along only its own keys, and one that comes takes its share from all others evenly: with N of equal
/// weight a change of one moves 1/N of the keys, which neither a ring nor a table does better. There is no table to build anew at each
/// change, and whoever is out of use has a next one for each key. Costs O(endpoints) a choice, which for the tens or hundreds that a
/// service has is less than a microsecond a hundred. Scores depend on names and weights alone, so all replicas agree.
enum Rendezvous {
    /// FNV-1a with a mixed end.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return mix(hash)
    }

    static func hash(_ high: UInt64, _ low: UInt64) -> UInt64 { mix(mix(high) ^ low) }

    static func hash(_ upstream: Upstream) -> UInt64 { hash(upstream.description.utf8) }

    /// `-weight / ln(h)` with h evenly spread over (0, 1): the share of keys for which one is the highest is its part of all weights.
    static func score(_ key: UInt64, _ endpoint: UInt64, weight: Int) -> Double {
        let bits = mix(key ^ endpoint) >> 11
        return -Double(weight) / log((Double(bits) + 0.5) / 0x1p53)
    }

    /// The finaliser of SplitMix64: every bit of the result depends on every bit of the value.
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
