import Synchronization
import WeirConfiguration

/// How far a service's requests have moved to its second version, for all workers of a process.
final class ShiftProgress: Sendable {
    let shift: Shift
    private let hasReturned = Atomic(false)
    private let comparison: Mutex<ErrorComparison?>

    init(_ shift: Shift) {
        self.shift = shift
        comparison = Mutex(shift.automaticReturn.map { ErrorComparison($0) })
    }

    /// The share in 10 000 at a time since the epoch.
    func share(atSeconds now: Int64) -> Int { isReturned ? 0 : shift.share(atSeconds: now) }

    /// Whether the second version was given up, for as long as the declaration stays as it is.
    var isReturned: Bool { hasReturned.load(ordering: .relaxed) }

    /// `now` in nanoseconds of a monotonic clock. Returns true once: this answer has made everything return to the first version.
    func count(_ version: ErrorComparison.Version, failed: Bool, at now: Int64) -> Bool {
        let isWorse = !isReturned && comparison.withLock { $0?.count(version, failed: failed, at: now) == true }
        return isWorse && !hasReturned.exchange(true, ordering: .relaxed)
    }

    func counts(at now: Int64) -> (first: ErrorComparison.Counts, second: ErrorComparison.Counts)? {
        comparison.withLock { $0?.counts(at: now) }
    }

    /// Which version a caller has, by a hash of who it is: the same callers move first in every process, and none moves back as the share grows.
    static func bucket(of caller: UInt32, _ service: ByteTable.Hash) -> Int {
        // FNV's low bits of short texts are not spread well enough to be cut to a share as they are.
        var mixed = UInt64(caller) << 32 | UInt64(service.value)
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % 10_000)
    }
}
