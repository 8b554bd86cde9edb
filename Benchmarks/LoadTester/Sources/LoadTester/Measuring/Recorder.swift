import Histogram

/// What one event loop counts.
struct Recorder: Sendable {
    /// By status, 0...999.
    private(set) var statuses: [Int]
    private(set) var failures: [FailureKind: Int] = [:]
    /// Nanoseconds from when a request was due; 2xx and 3xx, 429, any other status.
    private(set) var admittedLatency = Recorder.histogram()
    private(set) var refusedLatency = Recorder.histogram()
    private(set) var otherLatency = Recorder.histogram()
    /// Of an open loop: how late requests were sent though a connection was free. Nanoseconds.
    private(set) var lateness = Recorder.histogram()
    private(set) var bodyBytes: Int64 = 0
    /// By target.
    private(set) var sent: [Int]
    private(set) var admitted: [Int]
    private(set) var refused: [Int]
    /// By tenant; empty where they are anonymous.
    private(set) var tenants: [TenantCounts]
    private(set) var connections = 0
    private(set) var connectFailures: [FailureKind: Int] = [:]
    /// Due, and never sent.
    private(set) var unsent = 0
    /// Answers by the end of the run's time; others came in the time of grace.
    private(set) var answeredInTime = 0
    private(set) var lastAnswer: Int64 = 0
    /// Warm-up included.
    private(set) var everAnswered = 0

    private(set) var series = TimeSeries()
    private(set) var observations: [Observation] = []
    private(set) var notKept = 0
    private let mostObservations: Int

    /// Warm-up and this are not measured.
    private let begin: Int64
    private let end: Int64

    static func histogram() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 256, highestTrackableValue: 7_200_000_000_000,
            numberOfSignificantValueDigits: .three)
    }

    init(targets: Int, tenants: Int, begin: Int64, end: Int64, mostObservations: Int) {
        statuses = Array(repeating: 0, count: 1000)
        sent = Array(repeating: 0, count: targets)
        admitted = sent
        refused = sent
        self.tenants = Array(repeating: TenantCounts(), count: tenants)
        self.begin = begin
        self.end = end
        self.mostObservations = mostObservations
    }

    mutating func wasSent(_ shot: Shot, to target: Int, lateness nanoseconds: Int64?) {
        guard shot.intended >= begin else { return }
        sent[target] += 1
        if let nanoseconds { lateness.record(UInt64(max(0, nanoseconds))) }
    }

    mutating func wasAnswered(_ shot: Shot, _ answer: Answer, from target: Int, cost: Int, at now: Int64) {
        let outcome = Self.outcome(answer.status)
        keep(shot, outcome, cost: cost, answer.retryAfter, at: now)
        everAnswered += 1
        guard shot.intended >= begin else { return }
        let latency = now - shot.intended
        statuses[answer.status] += 1
        bodyBytes += answer.bodyBytes
        if !tenants.isEmpty { tenants[Int(shot.tenant)].count(outcome) }
        if now <= end { answeredInTime += 1 }
        lastAnswer = max(lastAnswer, now)
        let recorded = UInt64(max(0, latency))
        switch outcome {
        case .admitted:
            admitted[target] += 1
            admittedLatency.record(recorded)
        case .refused:
            refused[target] += 1
            refusedLatency.record(recorded)
        case .unknown: otherLatency.record(recorded)
        }
        series.update(at: now) { step in
            switch outcome {
            case .admitted: step.admitted += 1
            case .refused: step.refused += 1
            case .unknown: step.other += 1
            }
            step.latency.record(latency)
        }
    }

    mutating func hasFailed(_ shot: Shot, _ kind: FailureKind, cost: Int, at now: Int64) {
        keep(shot, .unknown, cost: cost, .missing, at: now)
        guard shot.intended >= begin else { return }
        failures[kind, default: 0] += 1
        if !tenants.isEmpty { tenants[Int(shot.tenant)].failed += 1 }
        series.update(at: now) { $0.failed += 1 }
    }

    mutating func wasNeverSent(dueAt time: Int64, at now: Int64) {
        guard time >= begin else { return }
        unsent += 1
        series.update(at: now) { $0.failed += 1 }
    }

    mutating func hasConnected() { connections += 1 }

    mutating func couldNotConnect(_ kind: FailureKind) { connectFailures[kind, default: 0] += 1 }

    private mutating func keep(
        _ shot: Shot, _ outcome: Observation.Outcome, cost: Int, _ retryAfter: Observation.RetryAfter, at now: Int64
    ) {
        guard mostObservations > 0 else { return }
        guard observations.count < mostObservations else {
            notKept += 1
            return
        }
        observations.append(
            Observation(
                sent: shot.sent, received: now, tenant: Int(shot.tenant), cost: cost, outcome: outcome,
                retryAfter: retryAfter))
    }

    static func outcome(_ status: Int) -> Observation.Outcome {
        switch status {
        case 200..<400: .admitted
        case 429: .refused
        default: .unknown
        }
    }

    mutating func add(_ other: Recorder) {
        for index in statuses.indices { statuses[index] += other.statuses[index] }
        failures.merge(other.failures, uniquingKeysWith: +)
        connectFailures.merge(other.connectFailures, uniquingKeysWith: +)
        admittedLatency.add(other.admittedLatency)
        refusedLatency.add(other.refusedLatency)
        otherLatency.add(other.otherLatency)
        lateness.add(other.lateness)
        bodyBytes += other.bodyBytes
        for index in sent.indices {
            sent[index] += other.sent[index]
            admitted[index] += other.admitted[index]
            refused[index] += other.refused[index]
        }
        for index in tenants.indices { tenants[index].add(other.tenants[index]) }
        connections += other.connections
        unsent += other.unsent
        answeredInTime += other.answeredInTime
        lastAnswer = max(lastAnswer, other.lastAnswer)
        everAnswered += other.everAnswered
        series.add(other.series)
        observations += other.observations
        notKept += other.notKept
    }
}

extension Recorder {
    /// Requests without an answer, connections that could not be made, and what was due and never sent.
    var errorCount: Int {
        failures.values.reduce(0, +) + connectFailures.values.reduce(0, +) + unsent
    }
}
