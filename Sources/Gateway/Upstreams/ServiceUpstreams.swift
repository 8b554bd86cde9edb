import HTTPWire
import LimiterCore
import Logging
import NIOCore
import WeirConfiguration

/// The upstreams of one service as one worker sees them: the gates to them, and who gets the next request.
final class ServiceUpstreams {
    let service: String
    private let settings: BalancingSettings
    /// Holds the editions that hold this.
    private unowned let worker: Worker
    private let registry: GateRegistry
    private let hashesHeader: FieldName?
    private var balancer: Balancer
    private var set: EndpointSet
    private var gates: [UpstreamGate] = []
    /// Whether it says who is ejected; only the latest of a service does.
    private var counts = true
    private var isPanicking = false
    private var nextPanicLog: Int64 = 0

    private static let panicLogInterval: Int64 = 5_000_000_000

    /// `earlier`: the same service's before, from which what is known of endpoints that stay is taken.
    init(_ service: Service, _ set: EndpointSet, worker: Worker, after earlier: ServiceUpstreams? = nil) {
        self.service = service.name
        settings = service.balancing
        self.worker = worker
        registry = worker.gates
        self.set = set
        hashesHeader =
            if case .hash(.header(let name)) = settings.rule { FieldName(name) } else { nil }
        balancer = Balancer(set.endpoints, settings.rule, settings.ejection.map { EjectionRules($0) })
        if let earlier {
            balancer.take(from: earlier.balancer.members)
            earlier.stopCounting()
        }
        gates = set.endpoints.map { worker.takeGate($0.upstream, settings.connections) }
        count(1)
    }

    deinit {
        count(-1)
        for gate in gates { registry.giveBack(gate) }
    }

    var count: Int { gates.count }

    /// From now on these are the service's.
    func use(_ set: EndpointSet) {
        count(-1)
        let before = gates
        var changed = Balancer(set.endpoints, balancer.rule, balancer.ejection)
        changed.take(from: balancer.members)
        balancer = changed
        self.set = set
        // Taken before the others are given back, so that a gate which stays keeps its connections.
        gates = set.endpoints.map { worker.takeGate($0.upstream, settings.connections) }
        for gate in before { registry.giveBack(gate) }
        count(1)
    }

    /// Another one has taken its place, and counts who is ejected.
    private func stopCounting() {
        count(-1)
        counts = false
    }

    private func count(_ change: Int) {
        guard counts else { return }
        for (member, status) in zip(balancer.members, set.statuses) where !member.ejection.isInUse {
            status.countEjection(change)
        }
    }

    // MARK: Choosing

    /// nil: there are none just now.
    func choose(for exchange: Exchange) -> UpstreamGate? {
        let choice = balancer.choose(
            at: worker.now, key: key(of: exchange),
            isHealthy: { set.statuses[$0].isHealthy },
            isTried: { exchange.attempted != nil && exchange.hasTried(gates[$0]) },
            inFlight: { gates[$0].inFlight })
        guard let choice else { return nil }
        if choice.isPanic != isPanicking { panicChanged(choice.isPanic) }
        return gates[choice.index]
    }

    /// What the request is hashed by; nil: nothing, or it has none of it.
    private func key(of exchange: Exchange) -> UInt64? {
        guard case .hash(let key) = settings.rule, gates.count > 1 else { return nil }
        switch key {
        case .tenant:
            return exchange.tenant.name.isEmpty ? nil : Rendezvous.hash(exchange.tenant.name)
        case .clientIP:
            return Rendezvous.hash(exchange.clientAddress.high, exchange.clientAddress.low)
        case .header:
            guard let hashesHeader else { return nil }
            guard let index = exchange.client.reader.head.fields.firstIndex(named: hashesHeader) else { return nil }
            return exchange.client.reader.head.fields.withValue(at: index) {
                $0.isEmpty ? nil : Rendezvous.hash($0)
            }
        }
    }

    private func panicChanged(_ isPanic: Bool) {
        isPanicking = isPanic
        guard worker.now >= nextPanicLog else { return }
        nextPanicLog = worker.now + Self.panicLogInterval
        if isPanic {
            worker.logger.warning(
                "no upstream of a service is healthy, so requests are sent to all of them",
                metadata: ["service": "\(service)", "upstreams": "\(gates.count)"])
        } else {
            worker.logger.notice("a service has healthy upstreams again", metadata: ["service": "\(service)"])
        }
    }

    // MARK: Outcomes

    /// What became of an attempt at one of the gates, which may have gone meanwhile.
    func report(_ outcome: AttemptOutcome, of gate: UpstreamGate) {
        guard let index = gates.firstIndex(where: { $0 === gate }) else { return }
        let change: Ejection.Change?
        switch outcome {
        case .succeeded: change = balancer.succeeded(index)
        case .answered: change = balancer.answered(index)
        case .failed: change = balancer.failed(index, at: worker.now)
        case .unreachable:
            balancer.unreachable(index, at: worker.now)
            change = balancer.failed(index, at: worker.now)
        }
        guard let change else { return }
        let upstream = "\(set.endpoints[index].upstream)"
        switch change {
        case .ejected(let nanoseconds):
            if counts, balancer.members[index].ejection.times == 1 { set.statuses[index].countEjection(1) }
            worker.logger.warning(
                "an upstream fails and is passed over for a while",
                metadata: [
                    "service": "\(service)", "upstream": "\(upstream)", "milliseconds": "\(nanoseconds / 1_000_000)",
                ])
        case .returned:
            if counts { set.statuses[index].countEjection(-1) }
            worker.logger.notice(
                "an upstream is used again", metadata: ["service": "\(service)", "upstream": "\(upstream)"])
        }
    }
}

/// What became of one attempt at an upstream, as far as it tells of the upstream.
enum AttemptOutcome {
    /// A whole answer came.
    case succeeded
    /// The head of an answer came.
    case answered
    /// Reset, timed out, not valid, or 502, 503, 504.
    case failed
    /// No connection could be opened.
    case unreachable

    /// What an answer with this status tells.
    init(status: Int) {
        self = (502...504).contains(status) ? .failed : .answered
    }
}

extension Exchange {
    /// Remembers where this attempt goes, so that another one goes elsewhere.
    func attempt(at gate: UpstreamGate) {
        if attempts > 0, let attempted { tried.append(attempted) }
        attempted = gate
    }

    func hasTried(_ gate: UpstreamGate) -> Bool { attempted === gate || tried.contains { $0 === gate } }

    /// Once an attempt, or twice where an answer that began well ended badly.
    func report(_ outcome: AttemptOutcome) {
        guard let attempted, target >= 0 else { return }
        edition.upstreams[target].report(outcome, of: attempted)
    }
}
