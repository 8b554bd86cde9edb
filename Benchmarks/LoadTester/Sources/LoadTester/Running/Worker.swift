import NIOCore

/// One event loop's part of the load: its connections, its schedule, its figures. Everything happens on that loop.
final class Worker: CarrierOwner {
    struct Share: Sendable {
        let index: Int
        let count: Int
        /// Which target each of its connections goes to.
        let targets: [Int]
        /// The most that it may send; nil: until the time is over.
        let requests: Int?
        let mostObservations: Int
    }

    private let loop: any EventLoop
    private let plan: LoadPlan
    private let connector: Connector
    private let catalog: RequestCatalog
    /// Begins when the run does.
    private var clock = RunClock()
    private let end: Int64
    private let tenants: WeightedDraw
    private let variants: WeightedDraw
    private let isOpenLoop: Bool
    private var random: SeededRandom
    private var arrivals: Arrivals
    private(set) var recorder: Recorder

    private var carriers: [ObjectIdentifier: any Carrier] = [:]
    private var idle = CircularBuffer<any Carrier>()
    private var reconnections: [Reconnection]
    private var lastError: String?
    private var inFlight = 0
    private var left: Int
    private var isStarted = false
    private(set) var isStopped = false
    /// When the timer for the next arrival will fire.
    private var timerAt: Int64?
    /// All connections were busy when the last arrival came due.
    private var isStarved = false
    private let finished: EventLoopPromise<Void>
    private var isFinished = false
    private var sweep: RepeatedTask?
    private var usageAtStart: (busy: Int64, waited: Int64) = (0, 0)

    private static let sweepInterval = TimeAmount.milliseconds(50)

    init(on loop: any EventLoop, plan: LoadPlan, share: Share, connector: Connector) {
        self.loop = loop
        self.plan = plan
        self.connector = connector
        end = plan.length
        catalog = RequestCatalog(plan, names: plan.tenants.names)
        tenants = WeightedDraw(weights: plan.tenants.weights)
        variants = WeightedDraw(weights: plan.requests.weights)
        random = SeededRandom(seed: plan.seed, stream: share.index)
        var spacing = Arrivals.Spacing.even
        if case .open(let chosen) = plan.pace { spacing = chosen }
        isOpenLoop = plan.pace != .closed
        arrivals = Arrivals(
            plan.phases, spacing: spacing, share: (share.index, share.count),
            random: SeededRandom(seed: plan.seed, stream: share.index + 1000))
        recorder = Recorder(
            targets: plan.targets.count, tenants: plan.tenants.isAnonymous ? 0 : plan.tenants.names.count,
            begin: plan.warmUp, end: plan.length, mostObservations: share.mostObservations)
        left = share.requests ?? .max
        reconnections = Array(repeating: Reconnection(), count: plan.targets.count)
        finished = loop.makePromise()
        for target in share.targets { connect(target) }
    }

    var whenFinished: EventLoopFuture<Void> { finished.futureResult }

    /// Of its connections: how many there are, how many could not be made so far, and why the last one could not.
    var connectionState: (open: Int, failed: Int, lastError: String?) {
        (carriers.count, recorder.connectFailures.values.reduce(0, +), lastError)
    }

    /// What the run has come to so far.
    func snapshot() -> Snapshot { Snapshot(recorder, connections: carriers.count) }

    // MARK: The run

    func start(_ clock: RunClock) {
        self.clock = clock
        usageAtStart = Usage.thread()
        isStarted = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        sweep = loop.scheduleRepeatedTask(initialDelay: Self.sweepInterval, delay: Self.sweepInterval) { _ in
            bound.value.sweepOnce()
        }
        for _ in 0..<idle.count {
            guard let carrier = idle.popFirst() else { break }
            if carrier.isOpen { carrierIsReady(carrier) }
        }
        if isOpenLoop { pump() }
        finishIfDone()
    }

    /// Sends nothing more. What is in flight may still come back.
    func stop() {
        isStopped = true
        finishIfDone()
    }

    func closeAll() {
        sweep?.cancel()
        isStopped = true
        for carrier in carriers.values { carrier.close() }
        guard !isFinished else { return }
        isFinished = true
        finished.succeed(())
    }

    /// Part of its thread's time since the start that it was busy, and that it waited for a processor: 0...1 each.
    func usage() -> (busy: Double, waited: Double) {
        let now = Usage.thread()
        let elapsed = Double(max(1, clock.now))
        return (
            Double(now.busy - usageAtStart.busy) / elapsed, Double(now.waited - usageAtStart.waited) / elapsed
        )
    }

    private var isOver: Bool {
        isStopped || left == 0 || (isOpenLoop ? arrivals.next == nil && clock.now >= end : clock.now >= end)
    }

    private func finishIfDone() {
        guard isStarted, !isFinished, inFlight == 0, isOver else { return }
        isFinished = true
        finished.succeed(())
    }

    private func sweepOnce() {
        let now = clock.now
        for carrier in carriers.values { carrier.expire(sentBefore: now - plan.timeout) }
        if isOpenLoop, !isStopped {
            // Nobody was free to send these in all the time that an answer may take.
            while left > 0, let due = arrivals.next, due < now - plan.timeout { giveUp(due, now) }
            if now >= end { while left > 0, let due = arrivals.next { giveUp(due, now) } }
        }
        finishIfDone()
    }

    private func giveUp(_ due: Int64, _ now: Int64) {
        recorder.wasNeverSent(dueAt: due, at: now)
        arrivals.advance()
        if left != .max { left -= 1 }
    }

    // MARK: Sending

    private func fire(_ carrier: any Carrier, intended: Int64, now: Int64, lateness: Int64?) {
        let tenant = tenants.next(&random)
        let variant = variants.next(&random)
        let shot = Shot(intended: intended, sent: now, tenant: Int32(tenant), variant: Int32(variant))
        if left != .max { left -= 1 }
        inFlight += 1
        recorder.wasSent(shot, to: carrier.target, lateness: lateness)
        carrier.send(shot, catalog.request(target: carrier.target, tenant: tenant, variant: variant))
    }

    /// Sends what is due, and sets the timer for what is next.
    private func pump() {
        guard isStarted, !isStopped else { return }
        var now = clock.now
        while left > 0, let due = arrivals.next {
            guard due <= now else {
                setTimer(due)
                isStarved = false
                return
            }
            guard let carrier = popIdle() else {
                isStarved = true
                return
            }
            arrivals.advance()
            fire(carrier, intended: due, now: now, lateness: isStarved ? nil : now - due)
            now = clock.now
        }
    }

    private func setTimer(_ time: Int64) {
        if let timerAt, timerAt <= time { return }
        timerAt = time
        loop.assumeIsolated().scheduleTask(deadline: clock.deadline(time)) { [weak self] in
            self?.timerAt = nil
            self?.pump()
        }
    }

    private func popIdle() -> (any Carrier)? {
        while let carrier = idle.popFirst() {
            if carrier.isOpen { return carrier }
        }
        return nil
    }

    // MARK: Connections

    private func connect(_ target: Int, after delay: Int64 = 0) {
        guard delay == 0 else {
            loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { [weak self] in
                guard let self, !isStopped, !isFinished else { return }
                connect(target)
            }
            return
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        connector.connect(target, on: loop, for: self).whenComplete { result in
            let worker = bound.value
            guard case .failure(let error) = result else { return }
            worker.lastError = ConnectionFailure.describe(error)
            worker.recorder.couldNotConnect(.connect)
            worker.reconnect(target, afterFailure: true)
        }
    }

    private func reconnect(_ target: Int, afterFailure: Bool) {
        guard !isStopped, !isFinished else { return }
        connect(target, after: reconnections[target].next(afterFailure: afterFailure))
    }

    // MARK: CarrierOwner

    func carrierOpened(_ carrier: any Carrier) {
        carriers[ObjectIdentifier(carrier)] = carrier
        recorder.hasConnected()
    }

    func carrierIsReady(_ carrier: any Carrier) {
        guard isStarted, !isOpenLoop else {
            idle.append(carrier)
            if isStarved { pump() }
            return
        }
        let now = clock.now
        guard !isStopped, left > 0, now < end else { return finishIfDone() }
        fire(carrier, intended: now, now: now, lateness: nil)
    }

    func carrierAnswered(_ carrier: any Carrier, _ shot: Shot, _ answer: Answer) {
        inFlight -= 1
        recorder.wasAnswered(
            shot, answer, from: carrier.target, cost: plan.requests.variants[Int(shot.variant)].cost, at: clock.now)
        if inFlight == 0 { finishIfDone() }
    }

    func carrierFailed(_ carrier: any Carrier, _ shot: Shot, _ kind: FailureKind) {
        inFlight -= 1
        recorder.hasFailed(shot, kind, cost: plan.requests.variants[Int(shot.variant)].cost, at: clock.now)
        finishIfDone()
    }

    func carrierClosed(_ carrier: any Carrier, hasWorked: Bool, _ failure: FailureKind?) {
        if carriers.removeValue(forKey: ObjectIdentifier(carrier)) == nil {
            recorder.couldNotConnect(failure ?? .connect)
            lastError = ConnectionFailure.describe(failure)
        }
        reconnect(carrier.target, afterFailure: !hasWorked)
    }
}
