/// How the counters are kept just now, for readiness and metrics.
package struct StoreStatus: Hashable, Sendable {
    package enum Phase: String, Sendable, CaseIterable {
        /// No shared store is configured.
        case memory
        /// The shared store decides.
        case shared
        /// The shared store is away; this replica enforces its share.
        case fallback
        /// The shared store is being tried.
        case probing
    }

    package var phase: Phase
    /// Replicas known to be alive, this one included; and how many shares a limit is cut into.
    package var replicasAlive: Int
    package var shares: Int
    /// Counters whose local spending has not reached the shared store yet.
    package var unmerged: Int

    package init(phase: Phase, replicasAlive: Int, shares: Int, unmerged: Int) {
        self.phase = phase
        self.replicasAlive = replicasAlive
        self.shares = shares
        self.unmerged = unmerged
    }

    package var isDegraded: Bool { phase == .fallback || phase == .probing }
}
