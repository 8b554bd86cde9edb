import HTTPWire
import NIOCore
import Telemetry
import WeirConfiguration

/// The life of an attempt, from its admission to its one end.
extension Exchange {
    /// Before the first attempt. Returns why there must be none.
    func beginAttempts() -> Problem? {
        guard target < 0, let place else { return nil }
        target = version(of: place.service)
        // A second version is asked as it declares itself.
        let declared =
            target == place.service
            ? edition.plan.resilience.routes[place.service][place.route] : edition.plan.resilience.services[target]
        guard let plan = declared else { return nil }
        resilience = plan
        trial = Trial()
        trial.active = plan
        if let concurrency = plan.concurrency {
            guard concurrency.inFlight.enter(atMost: concurrency.maximum) else {
                count(.concurrencyRefused)
                return .concurrencyExceeded
            }
            trial.inFlight = concurrency.inFlight
        }
        if let total = plan.total { trial.totalDeadline = startedAt &+ total }
        if let retries = plan.retries { edition.resilience.budgets[retries.budget].requestBegan(at: worker.now) }
        if case .length(let length) = client.reader.head.framing, length <= Int64(plan.longestKeptBody) {
            trial.keepsBody = true
        }
        let method = client.reader.head.method
        if let stale = plan.stale, method == .get || method == .head {
            let route = edition.plan.services[place.service].routes[place.route].name
            trial.staleKey = StaleKey.make(
                of: client.reader.head, path: path, route: route, tenant: tenant.name,
                credentials: edition.plan.identity.credentials, stale)
        }
        return nil
    }

    /// Whether the breaker lets another attempt through.
    func isAdmitted() -> Bool {
        settle(.passed)
        guard let breaker = trial.active?.breaker else { return true }
        let admission = breaker.admit(at: worker.now)
        switch admission {
        case .refused(let until):
            trial.openUntil = until
            if !trial.isFallback {
                trial.breakerNote = .open
                count(.circuitOpen)
            }
            return false
        case .probe: if !trial.isFallback { trial.breakerNote = .halfOpen }
        case .counted: break
        }
        (trial.breaker, trial.admission) = (breaker, admission)
        return true
    }

    /// The breaker lets none through.
    func attemptRefused() {
        let end = trial.failure ?? .circuitOpen
        if trial.failure == nil { note(.circuitOpen) }
        if !giveSomethingBetter(than: end) { fail(end) }
    }

    /// The one place where attempts end. Returns whether the answer that came is to be passed on; otherwise everything has
    /// been done already.
    @discardableResult
    func attemptEnded(_ end: AttemptEnd) -> Bool {
        guard !isEnded else { return false }
        note(end)
        guard let resilience else {
            if case .answered = end { return true }
            if failsOver(end) { tryAgain(after: 0) } else { Respond.refuse(self, end.problem) }
            return false
        }
        tellBreaker(end)
        if case .answered(let status) = end {
            let failures = trial.isFallback ? trial.active?.failures ?? .serverFailures : resilience.failures
            if !failures.contains(status) { return true }
        }
        if let delay = retryDelay(after: end, resilience) {
            trial.failure = end
            tryAgain(after: delay)
            return false
        }
        if giveSomethingBetter(than: end) { return false }
        if case .answered = end, !trial.isFallback { return true }
        fail(end)
        return false
    }

    /// For passive health, metrics, the log and traces.
    private func note(_ end: AttemptEnd) {
        if case .answered(let status) = end { upstreamStatus = status }
        if let cause = end.cause { noteFailure(cause) }
        if let outcome = end.outcome { report(outcome) }
    }

    // MARK: The breaker

    private func tellBreaker(_ end: AttemptEnd) {
        guard let admission = trial.admission else { return }
        switch end {
        case .answered(let status):
            if trial.active?.breakerFailures.contains(status) == true {
                settle(.failed)
            } else if isSlow {
                settle(.slow)
            } else if case .probe(let phase, _) = admission {
                // A long answer must not keep others waiting; if it breaks off, that still counts.
                settle(.passed)
                trial.admission = .counted(phase: phase)
            }
        case .unreachable, .connectTimeout, .reset, .invalid, .timedOut: settle(.failed)
        case .busy, .noUpstream: settle(.abandoned)
        case .circuitOpen: break
        }
    }

    /// From the end of the request, so that a client's slow upload is not the upstream's slowness.
    private var isSlow: Bool {
        isRequestComplete && worker.now - max(sentAt, completedAt) > trial.active?.slowOver ?? .max
    }

    private func settle(_ outcome: CircuitBreaker.Outcome) {
        guard let breaker = trial.breaker, let admission = trial.admission else { return }
        trial.admission = nil
        guard let phase = breaker.ended(admission, outcome, at: worker.now) else { return }
        breaker.log(phase, at: worker.now, to: worker.logger)
    }

    // MARK: Another attempt

    /// Nothing was sent, so without declared retries each other upstream of the service may be asked once instead.
    private func failsOver(_ end: AttemptEnd) -> Bool {
        guard end == .unreachable || end == .connectTimeout, !hasRetried else { return false }
        return attempts - (resilience == nil ? 0 : trial.attemptsBefore) < Forwarding.upstreams(of: self)
    }

    /// Nanoseconds to wait before another attempt at the same service; nil: there is none.
    private func retryDelay(after end: AttemptEnd, _ plan: ResiliencePlan) -> Int64? {
        guard !trial.isFallback, let retries = plan.retries else { return failsOver(end) ? 0 : nil }
        guard retries.rules.cover(end), attempts < retries.rules.attempts, mayRepeat(after: end, plan),
            // What probes a service is not repeated.
            plan.breaker?.isClosed != false
        else { return nil }
        var generator = SystemRandomNumberGenerator()
        let delay = retries.backoff.nanoseconds(beforeRetry: trial.retries, using: &generator)
        guard worker.now &+ delay < trial.totalDeadline else { return nil }
        guard edition.resilience.budgets[retries.budget].takeRetry(at: worker.now) else {
            count(.retryDenied)
            return nil
        }
        count(.retry)
        trial.retries += 1
        return delay
    }

    /// Whether the request can be sent again, and does no harm if it is.
    private func mayRepeat(after end: AttemptEnd, _ plan: ResiliencePlan) -> Bool {
        (end.isBeforeSending || plan.mayRepeat(client.reader.head.method)) && (!hasSentBody || trial.keepsBody)
    }

    private func tryAgain(after delay: Int64) {
        leaveAttempt()
        phase = .forwarding
        guard delay > 0 else { return advance() }
        client.expectNothing()
        let ticket = ticket()
        trial.timer = worker.loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
            guard ticket.isCurrent else { return }
            let exchange = ticket.exchange
            exchange.trial.timer = nil
            exchange.worker.readClock()
            exchange.advance()
            exchange.client.link.flush()
        }
    }

    // MARK: Instead of a failure

    /// What is declared for a failure, the first that there is. False: nothing.
    private func giveSomethingBetter(than end: AttemptEnd) -> Bool {
        guard let resilience, !trial.isFallback else { return false }
        for answer in resilience.answers {
            switch answer {
            case .stale:
                guard let stale = resilience.stale, let key = trial.staleKey,
                    let kept = edition.resilience.caches[stale.cache].find(key, at: worker.now)
                else { continue }
                leaveAttempt()
                trial.served = .stale
                count(.stale)
                Respond.stale(self, kept, instead: end)
                return true
            case .fallback(let service):
                guard mayRepeat(after: end, resilience), worker.now < trial.totalDeadline else { continue }
                fallBack(to: service, after: end)
                return true
            }
        }
        return false
    }

    private func fallBack(to service: Int, after end: AttemptEnd) {
        leaveAttempt()
        count(.fallback)
        trial.failure = end
        trial.isFallback = true
        trial.served = .fallback
        trial.attemptsBefore = attempts
        hasRetried = false
        target = service
        trial.active = edition.plan.resilience.services[service]
        phase = .forwarding
        advance()
    }

    /// A fallback that failed, too, is not spoken of.
    private func fail(_ end: AttemptEnd) {
        if trial.isFallback { trial.served = .upstream }
        Respond.refuse(self, (trial.isFallback ? trial.failure ?? end : end).problem)
    }

    private func count(_ event: ResilienceMetrics.Event) {
        worker.metrics.resilience.count(
            event, service: place.map { edition.plan.services[$0.service].metricsIndex } ?? -1)
    }

    // MARK: Ends

    /// The answer that was begun broke off.
    func answerBrokeOff(_ end: AttemptEnd) {
        noteFailure(end == .reset ? .truncated : end.cause ?? .truncated)
        report(.failed)
        if resilience != nil { settle(.failed) }
        Respond.breakOff(self)
    }

    /// The exchange is over, however it ended.
    func endAttempts() {
        trial.timer?.cancel()
        if upstreamNanoseconds >= 0 {
            settle(.passed)
        } else {
            // Clients that leave before a slow answer hide it otherwise.
            settle(upstream != nil && isSlow ? .slow : .abandoned)
        }
        trial.inFlight?.leave()
        trial = Trial()
    }

    /// Seconds after which the breaker may let a request through, at least 1.
    var secondsUntilHalfOpen: Int64 { max(1, (trial.openUntil - worker.now + 999_999_999) / 1_000_000_000) }
}
