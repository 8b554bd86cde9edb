import LimiterCore

/// A look at limits that lie in several slots: each slot's are asked for apart. Nothing is charged, so they need not be one moment's.
final class SplitPeek {
    let whole: LimitCall
    /// With the indices of their limits in the whole.
    private let parts: [ObjectIdentifier: (part: LimitCall, indices: [Int])]
    private var states: [CounterState]
    private var latest: Int64 = 0
    private var missing: Int
    private var failure: StoreError?

    enum Outcome {
        case waits
        /// All parts are there, and the call is resolved.
        case answered(at: Int64)
        case failed(StoreError)
    }

    init(_ call: LimitCall) {
        var bySlot: [Int: [Int]] = [:]
        for index in call.keyEnds.indices {
            bySlot[call.withKey(index) { SlotMap.slot(of: $0) }, default: []].append(index)
        }
        var parts: [ObjectIdentifier: (LimitCall, [Int])] = [:]
        for indices in bySlot.values {
            let part = call.part(of: indices)
            parts[ObjectIdentifier(part)] = (part, indices)
        }
        whole = call
        self.parts = parts
        states = Array(repeating: CounterState(position: 0, count: 0, rest: 0), count: call.keyEnds.count)
        missing = parts.count
    }

    var calls: [LimitCall] { parts.values.map(\.part) }

    func answered(_ part: LimitCall, at now: Int64) -> Outcome {
        guard let indices = parts[ObjectIdentifier(part)]?.indices else { return .waits }
        for (place, index) in indices.enumerated() { states[index] = part.states[place] }
        latest = max(latest, now)
        return ended()
    }

    func failed(_ error: StoreError) -> Outcome {
        failure = error
        return ended()
    }

    private func ended() -> Outcome {
        missing -= 1
        guard missing == 0 else { return .waits }
        if let failure { return .failed(failure) }
        whole.states = states
        whole.settle(at: latest)
        _ = whole.resolve(at: latest)
        return .answered(at: latest)
    }
}
