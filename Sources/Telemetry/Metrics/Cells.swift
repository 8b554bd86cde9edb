import Synchronization

/// Counters side by side in memory. Any thread may add and read; nothing locks, waits or allocates.
///
/// Each worker has cells of its own on cache lines of their own, so that adding is uncontended.
// Sendable: the memory is touched through atomics alone, and freed only when nobody can refer to it any more.
struct Cells: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<Atomic<Int>>
    let count: Int

    init(count: Int) {
        let lineBytes = 128
        let bytes = (count * MemoryLayout<Atomic<Int>>.stride + lineBytes - 1) / lineBytes * lineBytes
        base = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, lineBytes), alignment: lineBytes)
            .bindMemory(to: Atomic<Int>.self, capacity: count)
        self.count = count
        for index in 0..<count { (base + index).initialize(to: Atomic(0)) }
    }

    deinit {
        base.deinitialize(count: count)
        UnsafeMutableRawPointer(base).deallocate()
    }

    func add(_ amount: Int = 1, at index: Int) {
        precondition(index >= 0 && index < count)
        base[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Costs less than `add`; only for cells that no other thread writes.
    func increase(by amount: Int = 1, at index: Int) { set(value(at: index) &+ amount, at: index) }

    /// Only for cells that no other thread writes.
    func set(_ value: Int, at index: Int) {
        precondition(index >= 0 && index < count)
        base[index].store(value, ordering: .relaxed)
    }

    func value(at index: Int) -> Int {
        precondition(index >= 0 && index < count)
        return base[index].load(ordering: .relaxed)
    }
}
