/// A second version of a service that is asked what the first one is asked, and whose answers nobody gets.
package struct Mirror: Hashable, Sendable {
    /// The service that is the second version.
    package var service: String
    /// Of 10 000 requests that may be mirrored; 1...10 000.
    package var share = 10_000
    /// By name. What is done twice is not always as good as once.
    package var methods: Set<String> = ["GET", "HEAD", "OPTIONS"]
    /// Requests with longer bodies are not mirrored.
    package var maximumBodyBytes = 64 * 1024
    /// For a mirrored request's whole answer.
    package var timeout: Duration = .seconds(10)
    /// Mirrored requests that one worker has in flight at most; others are left out, and counted.
    package var maximumInFlight = 100

    package init(to service: String) { self.service = service }
}

/// A second version of a service that gets its requests step by step, tenant by tenant.
package struct Shift: Hashable, Sendable {
    /// When it is given up.
    package struct Return: Hashable, Sendable {
        /// By how many requests of 10 000 more than the first one the second version may fail.
        package var margin = 500
        /// So many requests of the second version say something.
        package var minimumRequests = 50
        package var window: Duration = .seconds(60)

        package init() {}
    }

    /// The service that is the second version.
    package var service: String
    /// Since the epoch: when the first step begins.
    package var startSeconds: Int64
    /// Shares in 10 000, ascending.
    package var steps = [500, 1000, 2500, 5000, 10_000]
    /// From one step to the next.
    package var interval: Duration = .seconds(3600)
    /// nil: it goes on however the second version does.
    package var automaticReturn: Return? = Return()

    package init(to service: String, startSeconds: Int64) {
        self.service = service
        self.startSeconds = startSeconds
    }

    /// The share in 10 000 that the schedule gives the second version, at a time since the epoch.
    package func share(atSeconds now: Int64) -> Int {
        guard now >= startSeconds, !steps.isEmpty else { return 0 }
        let interval = max(1, interval.components.seconds)
        return steps[Int(min(Int64(steps.count - 1), (now - startSeconds) / interval))]
    }
}
