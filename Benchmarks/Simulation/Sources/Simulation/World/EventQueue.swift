/// What is to happen, by virtual time; at one time in the order in which it was scheduled. A binary heap.
struct EventQueue {
    struct Event {
        /// Microseconds since the run began.
        let time: Int64
        fileprivate let order: UInt64
        let action: () -> Void

        fileprivate func precedes(_ other: Event) -> Bool { (time, order) < (other.time, other.order) }
    }

    private var heap: [Event] = []
    private var scheduled: UInt64 = 0

    /// When the next event is due; nil: none is.
    var nextTime: Int64? { heap.first?.time }

    mutating func insert(at time: Int64, _ action: @escaping () -> Void) {
        scheduled += 1
        heap.append(Event(time: time, order: scheduled, action: action))
        var index = heap.count - 1
        while index > 0, heap[index].precedes(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popFirst() -> Event? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var index = 0
        while case let child = 2 * index + 1, child < heap.count {
            let least = child + 1 < heap.count && heap[child + 1].precedes(heap[child]) ? child + 1 : child
            guard heap[least].precedes(heap[index]) else { break }
            heap.swapAt(index, least)
            index = least
        }
        return first
    }
}
