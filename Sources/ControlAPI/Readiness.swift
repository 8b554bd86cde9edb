import Synchronization

/// Whether this process should be sent requests. Set by whoever starts and stops it, read by `/readyz`.
package final class Readiness: Sendable {
    package enum Phase: String, Sendable, CaseIterable {
        case starting
        case ready
        case draining
    }

    private let current = Mutex(Phase.starting)

    package init() {}

    package var phase: Phase {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
