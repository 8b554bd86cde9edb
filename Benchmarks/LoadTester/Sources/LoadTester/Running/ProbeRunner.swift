import NIOCore

/// Sends a probe's requests, to each target in turn: a limit is one for all of them.
final class ProbeRunner: CarrierOwner {
    private let loop: any EventLoop
    private let plan: LoadPlan
    private let connector: Connector
    private let catalog: RequestCatalog
    private let tenant: Int
    private var clock = RunClock()
    private var probe: RetryProbe
    private var ready: [Int: any Carrier] = [:]
    private var open: [ObjectIdentifier: any Carrier] = [:]
    private var turn = 0
    private var isBusy = false
    private var isStopped = false
    private var sweep: RepeatedTask?
    private var timerAt: Int64?
    private(set) var observations: [Observation] = []

    private static let pause = TimeAmount.milliseconds(50)

    /// `tenant`: its index in `names`.
    init(on loop: any EventLoop, plan: LoadPlan, burst: Int64, tenant: Int, names: [String], connector: Connector) {
        self.loop = loop
        self.plan = plan
        self.connector = connector
        self.tenant = tenant
        catalog = RequestCatalog(plan, names: names)
        probe = RetryProbe(burst: burst)
    }

    var findings: RetryProbe.Findings { probe.findings }

    func start(_ clock: RunClock) {
        self.clock = clock
        for target in plan.targets.indices { connect(target) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        sweep = loop.scheduleRepeatedTask(initialDelay: Self.pause, delay: Self.pause) { _ in bound.value.sweepOnce() }
    }

    func stop() {
        isStopped = true
        sweep?.cancel()
        for carrier in open.values { carrier.close() }
    }

    private func sweepOnce() {
        for carrier in open.values { carrier.expire(sentBefore: clock.now - plan.timeout) }
        step()
    }

    private func step() {
        guard !isStopped, !isBusy else { return }
        let now = clock.now
        switch probe.next(at: now) {
        case .finished: return
        case .wait(let time): setTimer(time)
        case .send:
            // The sweep tries again.
            guard let carrier = nextCarrier() else { return }
            isBusy = true
            let shot = Shot(intended: now, sent: now, tenant: Int32(tenant), variant: 0)
            carrier.send(shot, catalog.request(target: carrier.target, tenant: tenant, variant: 0))
        }
    }

    private func setTimer(_ time: Int64) {
        guard timerAt != time else { return }
        timerAt = time
        loop.assumeIsolated().scheduleTask(deadline: clock.deadline(time)) { [weak self] in self?.step() }
    }

    private func nextCarrier() -> (any Carrier)? {
        for _ in plan.targets.indices {
            turn = (turn + 1) % plan.targets.count
            if let carrier = ready.removeValue(forKey: turn), carrier.isOpen { return carrier }
        }
        return nil
    }

    private func connect(_ target: Int) {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        connector.connect(target, on: loop, for: self).whenFailure { _ in bound.value.connectLater(target) }
    }

    private func connectLater(_ target: Int) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { [weak self] in self?.connect(target) }
    }

    private func note(_ shot: Shot, _ outcome: Observation.Outcome, _ retryAfter: Observation.RetryAfter) {
        let now = clock.now
        observations.append(
            Observation(
                sent: shot.sent, received: now, tenant: tenant, cost: plan.requests.variants[0].cost, outcome: outcome,
                retryAfter: retryAfter))
        isBusy = false
        probe.answered(outcome, retryAfter, sent: shot.sent, received: now)
    }

    // MARK: CarrierOwner

    func carrierOpened(_ carrier: any Carrier) { open[ObjectIdentifier(carrier)] = carrier }

    func carrierIsReady(_ carrier: any Carrier) {
        ready[carrier.target] = carrier
        step()
    }

    func carrierAnswered(_ carrier: any Carrier, _ shot: Shot, _ answer: Answer) {
        note(shot, Recorder.outcome(answer.status), answer.retryAfter)
    }

    func carrierFailed(_ carrier: any Carrier, _ shot: Shot, _ kind: FailureKind) {
        note(shot, .unknown, .missing)
    }

    func carrierClosed(_ carrier: any Carrier, hasWorked: Bool, _ failure: FailureKind?) {
        open[ObjectIdentifier(carrier)] = nil
        connectLater(carrier.target)
    }
}
