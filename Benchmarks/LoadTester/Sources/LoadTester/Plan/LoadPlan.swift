/// Everything about a load test that its command line fixes.
package struct LoadPlan: Sendable {
    package enum Pace: Hashable, Sendable {
        /// Every connection sends its next request as soon as the last one is answered.
        case closed
        /// Requests are due on schedule, whatever the target does.
        case open(Arrivals.Spacing)
    }

    package enum WireProtocol: Hashable, Sendable {
        case http1
        /// So many requests at a time on each connection.
        case http2(streams: Int)
    }

    package var targets: [Target]
    package var requests: Requests
    package var tenants = Tenants.anonymous
    /// Of all targets together, at least one for each of them and for each thread.
    package var connections = 10
    package var threads = 1
    package var wire = WireProtocol.http1
    package var pace = Pace.closed
    /// One after the other; without requestCount they fix the run's length.
    package var phases: [Phase]
    /// Ends the run after so many requests.
    package var requestCount: Int?
    /// For a connection, and for an answer; nanoseconds.
    package var timeout: Int64 = 10_000_000_000
    package var verifiesCertificates = true
    package var seed: UInt64
    package var limit: LimitClaim?
    package var stop: [Condition] = []
    package var faults: [Fault] = []

    package init(targets: [Target], requests: Requests, phases: [Phase], seed: UInt64) {
        self.targets = targets
        self.requests = requests
        self.phases = phases
        self.seed = seed
    }

    /// Nanoseconds.
    package var length: Int64 { phases.reduce(0) { $0 + $1.nanoseconds } }

    /// Requests due or sent before this are warm-up.
    package var warmUp: Int64 {
        phases.prefix { $0.kind == .warmUp }.reduce(0) { $0 + $1.nanoseconds }
    }

    /// Throws where parts of the plan do not go together.
    package func validate() throws(LoadError) {
        guard !targets.isEmpty else { throw .usage("there is no target; give one or more URLs") }
        guard (1...100_000).contains(connections) else { throw .usage("--connections must be between 1 and 100000") }
        guard (1...256).contains(threads) else { throw .usage("--threads must be between 1 and 256") }
        guard connections >= threads else {
            throw .usage("--connections must be at least --threads (\(threads)), or some threads have nothing to do")
        }
        guard connections >= targets.count else {
            throw .usage("--connections must be at least the number of targets (\(targets.count))")
        }
        if case .http2(let streams) = wire, !(1...10_000).contains(streams) {
            throw .usage("--streams must be between 1 and 10000")
        }
        guard timeout > 0 else { throw .usage("--timeout must be over 0") }
        if let requestCount, requestCount < 1 { throw .usage("--requests must be at least 1") }
        guard !phases.isEmpty, phases.contains(where: { $0.kind != .warmUp }) else {
            throw .usage("there is nothing but warm-up; add a phase that is measured, like --phase hold:30s")
        }
        if phases.dropFirst(phases.prefix { $0.kind == .warmUp }.count).contains(where: { $0.kind == .warmUp }) {
            throw .usage("--phase: warm-up comes first")
        }
        try validatePace()
        for fault in faults where fault.at >= length {
            throw .usage(
                "--redis-fault \(fault.kind.rawValue) comes after the run's end; it lasts \(TimeText.show(Double(length)))"
            )
        }
    }

    private func validatePace() throws(LoadError) {
        let rated = phases.count { !$0.pieces.isEmpty }
        switch pace {
        case .closed:
            guard rated == 0 else {
                throw .usage(
                    "some phases have rates and some have none; give a rate to each, or --rate for those without")
            }
        case .open:
            guard rated == phases.count else {
                throw .usage(
                    "some phases have rates and some have none; give a rate to each, or --rate for those without")
            }
            guard phases.contains(where: { $0.pieces.contains { $0.from + $0.to > 0 } }) else {
                throw .usage("--rate must be over 0")
            }
        }
    }
}

/// What the tester is told about the limit.
package struct LimitClaim: Hashable, Sendable {
    package var promise: Promise
    /// One counter for all tenants.
    package var isShared = false
    /// By how much the limiter's clock may differ from this machine's, in nanoseconds.
    package var skew: Int64
    /// Tenants of the tester's own that find out whether Retry-After is honest.
    package var probes = 0

    package init(promise: Promise, skew: Int64) {
        self.promise = promise
        self.skew = skew
    }
}
