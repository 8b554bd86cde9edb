import Synchronization

/// How many keys one limit has, and may have.
final class KeyCount: Sendable {
    let maximum: Int
    let current = Atomic<Int>(0)

    init(maximum: Int) { self.maximum = maximum }

    var isFull: Bool { current.load(ordering: .relaxed) >= maximum }
}

/// The key counts of all limits, by index. Reading takes no lock, while others may be added.
final class KeyCounts: Sendable {
    private final class List: Sendable {
        let counts: [KeyCount]

        init(_ counts: [KeyCount]) { self.counts = counts }
    }

    /// The list that is read, which is the last of `lists`. All stay, as somebody may be reading: there is one more a change of the
    /// configuration that brings new limits.
    private let current: Atomic<Unmanaged<List>>
    private let lists: Mutex<[List]>

    init(_ labels: [LimitTable.Label]) {
        let list = List(labels.map { KeyCount(maximum: $0.maximumKeys) })
        lists = Mutex([list])
        current = Atomic(Unmanaged.passUnretained(list))
    }

    /// The labels that have no count yet get one.
    func add(_ labels: [LimitTable.Label]) {
        lists.withLock { lists in
            let known = all
            guard labels.count > known.count else { return }
            let list = List(known + labels[known.count...].map { KeyCount(maximum: $0.maximumKeys) })
            lists.append(list)
            current.store(Unmanaged.passUnretained(list), ordering: .releasing)
        }
    }

    var all: [KeyCount] { current.load(ordering: .acquiring)._withUnsafeGuaranteedRef { $0.counts } }

    subscript(index: Int) -> KeyCount {
        current.load(ordering: .acquiring)._withUnsafeGuaranteedRef { $0.counts[index] }
    }
}
