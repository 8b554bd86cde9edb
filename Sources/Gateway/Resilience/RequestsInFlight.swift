import Synchronization

/// How many requests of a service or a route are in flight in this process; exact, whichever workers they are on.
final class RequestsInFlight: Sendable {
    private let count = Atomic(0)

    /// False: as many are in flight as may be.
    func enter(atMost most: Int) -> Bool {
        var known = count.load(ordering: .relaxed)
        while known < most {
            let (isExchanged, found) = count.weakCompareExchange(
                expected: known, desired: known + 1, ordering: .relaxed)
            if isExchanged { return true }
            known = found
        }
        return false
    }

    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}
