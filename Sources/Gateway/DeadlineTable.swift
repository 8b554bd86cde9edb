/// One deadline a connection, side by side in memory, so that looking for passed ones every tick costs next to nothing
/// and moving one costs a store.
struct DeadlineTable<Owner: AnyObject> {
    static var never: Int64 { .max }

    /// Nanoseconds of the loop's clock.
    private var deadlines: [Int64] = []
    private var owners: [Owner?] = []
    private var free: [Int] = []

    var count: Int { deadlines.count - free.count }

    /// The place of a new owner, without a deadline yet.
    mutating func insert(_ owner: Owner) -> Int {
        if let slot = free.popLast() {
            owners[slot] = owner
            return slot
        }
        deadlines.append(Self.never)
        owners.append(owner)
        return deadlines.count - 1
    }

    mutating func remove(_ slot: Int) {
        deadlines[slot] = Self.never
        owners[slot] = nil
        free.append(slot)
    }

    @inline(__always)
    mutating func set(_ slot: Int, _ deadline: Int64) { deadlines[slot] = deadline }

    /// Takes the deadline away from everyone whose deadline has come, and returns them.
    mutating func popPassed(at now: Int64) -> [Owner] {
        var passed: [Owner] = []
        for slot in deadlines.indices where deadlines[slot] <= now {
            deadlines[slot] = Self.never
            if let owner = owners[slot] { passed.append(owner) }
        }
        return passed
    }

    var allOwners: [Owner] { owners.compactMap { $0 } }
}
