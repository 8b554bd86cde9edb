import TestSupport

/// Virtual time and everything that happens in it, on one thread.
///
/// All chance comes from one generator, so that the same seed makes the same world. `@unchecked Sendable`: whoever runs a world is alone
/// with it.
final class World: @unchecked Sendable {
    /// Microseconds since the run began.
    private(set) var now: Int64 = 0
    /// Events that have happened.
    private(set) var steps = 0
    var random: SeededGenerator
    let journal: Journal
    private var queue = EventQueue()

    init(seed: UInt64, journal: Journal) {
        random = SeededGenerator(seed: seed)
        self.journal = journal
    }

    func at(_ time: Int64, _ action: @escaping () -> Void) { queue.insert(at: max(now, time), action) }

    func after(_ microseconds: Int64, _ action: @escaping () -> Void) { at(now + microseconds, action) }

    /// `action` now and again after each `interval` for as long as it says so.
    func every(_ interval: Int64, _ action: @escaping () -> Bool) {
        guard action() else { return }
        after(interval) { [unowned self] in every(interval, action) }
    }

    /// Everything up to `end` happens, unless `isOver` says that enough has.
    func run(until end: Int64, isOver: () -> Bool = { false }) {
        while let time = queue.nextTime, time <= end, !isOver(), let event = queue.popFirst() {
            now = time
            steps += 1
            event.action()
        }
        now = max(now, end)
    }

    /// Notes what happened. The words are only put together where somebody reads them.
    func note(_ kind: Journal.Kind, _ number: Int64 = 0, _ text: @autoclosure () -> String) {
        journal.note(kind, number, at: now, text)
    }
}
