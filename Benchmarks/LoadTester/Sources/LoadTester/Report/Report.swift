/// What a run has shown, for people and for machines.
package struct Report: Codable, Sendable {
    package struct Counts: Codable, Hashable, Sendable {
        package var answered = 0
        package var admitted = 0
        package var refused = 0
        package var other = 0
        /// Without an answer.
        package var errors = 0
        /// Among the errors: due, and never sent.
        package var unsent = 0
        package var perSecond = 0.0
        package var bodyBytes: Int64 = 0
        /// By status.
        package var statuses: [String: Int] = [:]
        package var errorKinds: [String: Int] = [:]
    }

    package struct Replica: Codable, Hashable, Sendable {
        package let url: String
        package let sent: Int
        package let admitted: Int
        package let refused: Int
    }

    package struct Tool: Codable, Hashable, Sendable {
        /// Of the whole process, for each request answered, warm-up included.
        package let cpuMicrosecondsPerRequest: Double
        package let threads: [ThreadUsage]
        /// Of an open loop: 99 of 100 requests left no later than so long after they were due, where a connection was free.
        package let sentLateP99Ms: Double?
        package let connectionsOpened: Int
        /// Why the figures show the tester's limits rather than the target's; empty where they do not.
        package let saturation: [String]
    }

    package struct AssertedFigure: Codable, Hashable, Sendable {
        package let assertion: String
        /// In the figure's unit; nil where the run has no such figure.
        package let value: Double?
        /// For people.
        package let shown: String
        package let holds: Bool
    }

    package struct Step: Codable, Hashable, Sendable {
        /// From the start of the run.
        package let seconds: Double
        package let admitted: Int
        package let refused: Int
        package let other: Int
        package let failed: Int
        package let p50Ms: Double?
        package let p99Ms: Double?
    }

    package let tool: String
    /// Of this format.
    package let version: Int
    /// RFC 3339, UTC.
    package let startedAt: String
    package let seed: UInt64
    package let setup: Setup
    /// Warm-up excluded.
    package let measuredSeconds: Double
    package let warmUpSeconds: Double
    package let stopReason: String?
    package let requests: Counts
    package let latency: LatencySummary
    package let admittedLatency: LatencySummary
    package let refusedLatency: LatencySummary
    package let distribution: [LatencySummary.Point]
    package let replicas: [Replica]
    package let tenants: TenantTable?
    /// Admitted of what was answered, by replica.
    package let replicaFairness: Fairness?
    package let accuracy: Accuracy?
    package let retryProbe: RetryProbeReport?
    package let usage: Tool
    package let chaos: [ChaosMark]
    package let stepSeconds: Double
    package let series: [Step]
    package let limitCurve: LimitCurve?
    package internal(set) var assertions: [AssertedFigure] = []

    package var isPassed: Bool { assertions.allSatisfy(\.holds) }
}

/// What the probes found out about Retry-After.
package struct RetryProbeReport: Codable, Hashable, Sendable {
    package let tenants: Int
    package let passedWhenDue: Int
    package let refusedWhenDue: Int
    package let refusedWhenEarly: Int
    package let passedWhenEarly: Int
}

/// How the run was set up.
package struct Setup: Codable, Hashable, Sendable {
    package let targets: [String]
    package let connections: Int
    package let threads: Int
    package let wire: String
    package let pace: String
    package let phases: [Stretch]
    package let tenants: String
    package let tenantCount: Int

    package struct Stretch: Codable, Hashable, Sendable {
        package let kind: String
        package let fromSeconds: Double
        package let toSeconds: Double
    }

    init(_ plan: LoadPlan) {
        targets = plan.targets.map(\.description)
        connections = plan.connections
        threads = plan.threads
        wire =
            switch plan.wire {
            case .http1: "HTTP/1.1"
            case .http2(let streams): "HTTP/2, \(NumberText.count(streams, "stream")) a connection"
            }
        pace =
            switch plan.pace {
            case .closed: "closed loop"
            case .open(.even): "open loop"
            case .open(.poisson): "open loop, Poisson arrivals"
            }
        var start: Int64 = 0
        var stretches: [Stretch] = []
        for phase in plan.phases {
            let end = start + phase.nanoseconds
            stretches.append(
                Stretch(kind: phase.kind.rawValue, fromSeconds: Double(start) / 1e9, toSeconds: Double(end) / 1e9))
            start = end
        }
        phases = stretches
        tenants = plan.tenants.description
        tenantCount = plan.tenants.isAnonymous ? 0 : plan.tenants.names.count
    }
}
