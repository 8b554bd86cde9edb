import Synchronization

/// What one worker counts of upstreams that fail, by service. As cheap as the rest of `WorkerMetrics`.
package final class ResilienceMetrics: Sendable {
    package enum Event: Int, Sendable, CaseIterable {
        /// An attempt was repeated.
        case retry
        /// An attempt was not repeated, because too many of late had been.
        case retryDenied
        /// A client got the last good answer instead of a failure.
        case stale
        /// A request was passed to another service instead.
        case fallback
        /// A request was refused, because as many were in flight as may be.
        case concurrencyRefused
        /// A request found the breaker open.
        case circuitOpen
    }

    private let services: Int
    private let cells: Cells

    init(services: Int) {
        self.services = services
        cells = Cells(count: max(1, services) * Event.allCases.count)
    }

    /// `service` is its index in the configuration; unknown ones are not counted.
    package func count(_ event: Event, service: Int) {
        guard service >= 0, service < services else { return }
        cells.add(at: service * Event.allCases.count + event.rawValue)
    }

    func value(_ event: Event, service: Int) -> Int {
        service < services ? cells.value(at: service * Event.allCases.count + event.rawValue) : 0
    }
}

/// What one circuit breaker shows.
package final class BreakerGauge: Sendable {
    package enum State: Int, Sendable {
        case closed, halfOpen, open
    }

    package let service: String
    /// nil: it is the service's.
    package let route: String?
    private let shown = Atomic(State.closed.rawValue)

    package init(service: String, route: String?) {
        self.service = service
        self.route = route
    }

    package var state: State {
        get { State(rawValue: shown.load(ordering: .relaxed)) ?? .closed }
        set { shown.store(newValue.rawValue, ordering: .relaxed) }
    }
}
