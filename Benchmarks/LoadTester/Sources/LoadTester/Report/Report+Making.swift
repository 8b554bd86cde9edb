import Histogram

extension Report {
    package init(_ result: RunResult, assertions: [Condition] = []) {
        let (plan, recorder) = (result.plan, result.recorder)
        tool = "weir-bench"
        version = 1
        startedAt = DateText.rfc3339(result.epoch)
        seed = plan.seed
        setup = Setup(plan)
        warmUpSeconds = Double(plan.warmUp) / 1e9
        stopReason = result.stopReason
        let endsByTime = result.stopReason == nil && plan.requestCount == nil
        let last = recorder.lastAnswer > plan.warmUp ? recorder.lastAnswer : result.elapsed
        let end = endsByTime ? plan.length : last
        measuredSeconds = max(1e-9, Double(end - plan.warmUp) / 1e9)
        let answered = recorder.statuses.reduce(0, +)
        requests = Self.counts(recorder, seconds: measuredSeconds, answered: answered)

        var all = recorder.admittedLatency
        all.add(recorder.refusedLatency)
        all.add(recorder.otherLatency)
        latency = LatencySummary(all)
        admittedLatency = LatencySummary(recorder.admittedLatency)
        refusedLatency = LatencySummary(recorder.refusedLatency)
        distribution = LatencySummary.distribution(all)

        replicas = plan.targets.enumerated().map { index, target in
            Replica(
                url: target.description, sent: recorder.sent[index], admitted: recorder.admitted[index],
                refused: recorder.refused[index])
        }
        tenants = TenantTable(recorder.tenants, names: result.names)
        replicaFairness = Fairness(
            replicas.filter { $0.admitted + $0.refused > 0 }.map {
                Double($0.admitted) / Double($0.admitted + $0.refused)
            })

        let observations = recorder.observations + result.probeObservations
        if let claim = plan.limit {
            var settings = Accuracy.Settings(
                promise: claim.promise, isShared: claim.isShared,
                windows: ClockWindows(length: claim.promise.periodNanoseconds, epoch: result.epoch, skew: claim.skew))
            settings.tenantCount = plan.tenants.names.count
            accuracy = Accuracy(observations, names: result.names, settings, notJudged: recorder.notKept)
            limitCurve = LimitCurve(recorder.observations, names: result.names, settings)
        } else {
            accuracy = nil
            limitCurve = nil
        }
        retryProbe = result.probeFindings.map { findings in
            RetryProbeReport(
                tenants: result.names.count - plan.tenants.names.count, passedWhenDue: findings.passedWhenDue,
                refusedWhenDue: findings.refusedWhenDue, refusedWhenEarly: findings.refusedWhenEarly,
                passedWhenEarly: findings.passedWhenEarly)
        }

        let everAnswered = max(1, recorder.everAnswered)
        let late = plan.pace == .closed ? nil : Double(recorder.lateness.valueAtPercentile(99)) / 1e6
        usage = Tool(
            cpuMicrosecondsPerRequest: Double(result.processNanoseconds) / 1e3 / Double(everAnswered),
            threads: result.threads, sentLateP99Ms: late, connectionsOpened: recorder.connections,
            saturation: Saturation.reasons(threads: result.threads, sentLateP99Ms: late))
        chaos = result.marks
        stepSeconds = Double(recorder.series.stepNanoseconds) / 1e9
        let step = stepSeconds
        series = recorder.series.steps.enumerated().map { index, entry in
            Step(
                seconds: Double(index) * step, admitted: entry.admitted, refused: entry.refused, other: entry.other,
                failed: entry.failed, p50Ms: entry.latency.percentile(50).map { $0 / 1e6 },
                p99Ms: entry.latency.percentile(99).map { $0 / 1e6 })
        }
        self.assertions = assertions.map(asserted)
    }

    private static func counts(_ recorder: Recorder, seconds: Double, answered: Int) -> Counts {
        var counts = Counts()
        counts.answered = answered
        counts.admitted = recorder.admitted.reduce(0, +)
        counts.refused = recorder.refused.reduce(0, +)
        counts.other = answered - counts.admitted - counts.refused
        counts.errors = recorder.errorCount
        counts.unsent = recorder.unsent
        counts.perSecond = Double(recorder.answeredInTime) / seconds
        counts.bodyBytes = recorder.bodyBytes
        for (status, count) in recorder.statuses.enumerated() where count > 0 {
            counts.statuses[String(status)] = count
        }
        for (kind, count) in recorder.failures { counts.errorKinds[kind.rawValue, default: 0] += count }
        for (kind, count) in recorder.connectFailures { counts.errorKinds[kind.rawValue, default: 0] += count }
        if recorder.unsent > 0 { counts.errorKinds["unsent"] = recorder.unsent }
        return counts
    }
}

/// When the tester, and not the target, was the limit.
enum Saturation {
    static func reasons(threads: [ThreadUsage], sentLateP99Ms: Double?) -> [String] {
        var reasons: [String] = []
        let busiest = threads.map(\.busy).max() ?? 0
        if busiest >= 0.95 {
            reasons.append(
                "a thread of weir-bench was busy \(NumberText.percent((busiest * 100).rounded())) of the time; give it more with --threads"
            )
        }
        let waiting = threads.filter { $0.busy < 0.95 && $0.busy + $0.waited >= 0.95 }.map(\.waited).max() ?? 0
        if waiting > 0 {
            reasons.append(
                "a thread of weir-bench waited for a processor \(NumberText.percent((waiting * 100).rounded())) of the time; the machine has too few free"
            )
        }
        if let late = sentLateP99Ms, late > 1 {
            reasons.append("1 of 100 requests left \(TimeText.show(late * 1e6)) or more after it was due")
        }
        return reasons
    }
}
