import WeirConfiguration

/// The gates of one worker, shared by whatever services have the same upstream and want the same of its connections.
///
/// A gate that nobody has taken any more is retired: what is in flight there ends as if nothing had happened.
final class GateRegistry {
    /// What gates are told apart by.
    struct Key: Hashable {
        let upstream: Upstream
        let maximumConnections: Int
        let maximumWaiters: Int
        let connectTimeout: Duration
    }

    private struct Entry {
        let gate: UpstreamGate
        var takers: Int
    }

    private var entries: [Key: Entry] = [:]

    var gates: some Sequence<UpstreamGate> { entries.values.lazy.map(\.gate) }

    func take(_ key: Key, make: (Key) -> UpstreamGate) -> UpstreamGate {
        var entry = entries[key] ?? Entry(gate: make(key), takers: 0)
        entry.takers += 1
        entries[key] = entry
        return entry.gate
    }

    func giveBack(_ gate: UpstreamGate) {
        guard var entry = entries[gate.key], entry.gate === gate else { return }
        entry.takers -= 1
        if entry.takers == 0 {
            entries[gate.key] = nil
            gate.retire()
        } else {
            entries[gate.key] = entry
        }
    }

    /// The worker ends.
    func removeAll() {
        let last = entries.values.map(\.gate)
        entries = [:]
        for gate in last { gate.retire() }
    }
}
