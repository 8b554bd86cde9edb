import Synchronization
import WeirConfiguration

/// What all workers and the health checks know of one endpoint of a service; any thread may read and write it.
final class EndpointStatus: Sendable {
    let service: String
    let upstream: Upstream
    private let isUnhealthy = Atomic(false)
    private let ejecting = Atomic(0)

    init(service: String, upstream: Upstream) {
        self.service = service
        self.upstream = upstream
    }

    /// As its checks say; without checks: true.
    var isHealthy: Bool {
        get { !isUnhealthy.load(ordering: .relaxed) }
        set { isUnhealthy.store(!newValue, ordering: .relaxed) }
    }

    /// How many workers have ejected it.
    var ejections: Int { ejecting.load(ordering: .relaxed) }

    func countEjection(_ change: Int) { ejecting.wrappingAdd(change, ordering: .relaxed) }
}

/// The endpoints of a service at one time, each upstream once.
struct EndpointSet: Sendable {
    let endpoints: [Endpoint]
    /// One of each endpoint.
    let statuses: [EndpointStatus]
}

/// The endpoints of all services as the sources of their upstreams name them just now: the configuration, DNS, files.
final class EndpointDirectory: Sendable {
    fileprivate struct State {
        var discovered: [UpstreamSource: [Endpoint]] = [:]
        /// By service: of what is in its set now, in order, and of whatever a worker or the checks still hold.
        var statuses: [String: (current: [Upstream], known: [Upstream: EndpointStatus])] = [:]
    }

    private let state = Mutex(State())

    /// From now on these are what the source names.
    func use(_ endpoints: [Endpoint], of source: UpstreamSource) {
        state.withLock { $0.discovered[source] = endpoints }
    }

    /// What a service has now. An endpoint has one status for all who ask, as long as any of them holds it.
    func set(of service: Service) -> EndpointSet {
        state.withLock { state in
            var endpoints: [Endpoint] = []
            // Taken out of the state, so that what nobody else holds is held here alone.
            var known = state.statuses.removeValue(forKey: service.name)?.known ?? [:]
            var upstreams: Set<Upstream> = []
            for endpoint in service.sources.flatMap({ state.endpoints(of: $0) })
            where upstreams.insert(endpoint.upstream).inserted {
                endpoints.append(endpoint)
                if known[endpoint.upstream] == nil {
                    known[endpoint.upstream] = EndpointStatus(service: service.name, upstream: endpoint.upstream)
                }
            }
            for upstream in Set(known.keys).subtracting(upstreams) {
                if isKnownUniquelyReferenced(&known[upstream]) { known[upstream] = nil }
            }
            state.statuses[service.name] = (endpoints.map(\.upstream), known)
            return EndpointSet(endpoints: endpoints, statuses: endpoints.map { known[$0.upstream]! })
        }
    }

    /// Forgets what no service of these has.
    func keep(_ services: [Service]) {
        let names = Set(services.map(\.name))
        let sources = Set(services.flatMap(\.sources))
        state.withLock { state in
            state.statuses = state.statuses.filter { names.contains($0.key) }
            state.discovered = state.discovered.filter { sources.contains($0.key) }
        }
    }

    /// Of the endpoints that there are now, by service.
    var statuses: [EndpointStatus] {
        state.withLock { state in
            state.statuses.sorted { $0.key < $1.key }.flatMap { _, statuses in
                statuses.current.compactMap { statuses.known[$0] }
            }
        }
    }
}

extension EndpointDirectory.State {
    fileprivate func endpoints(of source: UpstreamSource) -> [Endpoint] {
        if case .fixed(let endpoint) = source { return [endpoint] }
        return discovered[source] ?? []
    }
}
