import Synchronization

/// One shard of a counter table: linear probing from a home slot, grown by an eighth when it is 85 % full, so that at least
/// three quarters of its slots are used once it has grown.
///
/// `@unchecked Sendable`: everything but the lock is touched only while the lock is held.
final class CounterShard<Value: BitwiseCopyable & Sendable>: @unchecked Sendable {
    typealias Slot = CounterTable<Value>.Slot

    let lock = Mutex<Void>(())
    private var slots: UnsafeMutableBufferPointer<Slot> = .init(start: nil, count: 0)
    private var used = 0
    /// The next slot to look at for a counter that may be forgotten.
    private var hand = 0

    /// So small that a thousand counters, spread over all shards, take little more room than a hundred thousand.
    private static var smallest: Int { 4 }

    deinit { slots.deallocate() }

    var byteCount: Int { slots.count * MemoryLayout<Slot>.stride }

    func find(_ hash: KeyHash) -> UnsafeMutablePointer<Slot>? {
        guard used > 0 else { return nil }
        var index = home(hash)
        while !slots[index].hash.isZero {
            if slots[index].hash == hash { return slots.baseAddress! + index }
            index = after(index)
        }
        return nil
    }

    /// The hash must not be there yet.
    func insert(_ slot: Slot) {
        if (used + 1) * 20 > slots.count * 17 { resize(to: max(Self.smallest, slots.count + slots.count / 8 + 1)) }
        place(slot)
        used += 1
    }

    /// Looks at two slots and forgets what has become neutral; `forgotten` is told the limit.
    func sweep(at seconds: UInt32, _ forgotten: (UInt32) -> Void) {
        guard used > 0 else { return }
        for _ in 0..<2 {
            if hand >= slots.count {
                hand = 0
                if slots.count > Self.smallest, used * 10 < slots.count * 3 {
                    resize(to: max(Self.smallest, used * 3 / 2))
                }
            }
            if !slots[hand].hash.isZero, slots[hand].expirySeconds < seconds {
                forgotten(slots[hand].limit)
                remove(hand)
            } else {
                hand += 1
            }
        }
    }

    /// Closes the gap that a removed slot leaves, so that every probe still finds what lies behind it.
    private func remove(_ index: Int) {
        var gap = index
        var next = after(gap)
        while !slots[next].hash.isZero {
            let distance = (next - home(slots[next].hash) + slots.count) % slots.count
            if distance >= (next - gap + slots.count) % slots.count {
                slots[gap] = slots[next]
                gap = next
            }
            next = after(next)
        }
        slots[gap].hash = KeyHash(high: 0, low: 0)
        used -= 1
    }

    private func place(_ slot: Slot) {
        var index = home(slot.hash)
        while !slots[index].hash.isZero { index = after(index) }
        slots[index] = slot
    }

    private func resize(to capacity: Int) {
        let old = slots
        slots = .allocate(capacity: capacity)
        markAllEmpty()
        for slot in old where !slot.hash.isZero { place(slot) }
        old.deallocate()
        hand = 0
    }

    private func markAllEmpty() {
        UnsafeMutableRawBufferPointer(slots).initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Spreads hashes evenly over any capacity (Lemire's multiplication instead of a division).
    private func home(_ hash: KeyHash) -> Int {
        Int(truncatingIfNeeded: hash.low.multipliedFullWidth(by: UInt64(slots.count)).high)
    }

    private func after(_ index: Int) -> Int { index + 1 == slots.count ? 0 : index + 1 }
}

extension KeyHash {
    var isZero: Bool { high == 0 && low == 0 }
}
