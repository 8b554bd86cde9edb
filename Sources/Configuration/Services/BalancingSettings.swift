/// How the upstreams of a service share its requests, and when one of them is passed over.
package struct BalancingSettings: Hashable, Sendable {
    package enum Rule: Hashable, Sendable {
        /// The fewest requests in flight for its weight.
        case leastRequests
        case roundRobin
        /// Requests that are alike in this go to the same one.
        case hash(HashKey)
    }

    package enum HashKey: Hashable, Sendable {
        case tenant, clientIP
        /// Lowercase.
        case header(String)
    }

    /// Questions asked of each upstream, by this process and not by each worker.
    package struct Health: Hashable, Sendable {
        package var path = "/"
        package var interval = Duration.seconds(10)
        package var timeout = Duration.seconds(1)
        /// So many failed checks in a row make it unhealthy.
        package var unhealthyAfter = 3
        /// So many good ones in a row make it healthy again.
        package var healthyAfter = 2
        /// Statuses of a good answer.
        package var statuses: [ClosedRange<Int>] = [200...299]

        package init() {}
    }

    /// What requests themselves show of an upstream.
    package struct Ejection: Hashable, Sendable {
        /// So many in a row eject it.
        package var consecutiveFailures = 5
        /// For how long, the first time; doubled each time in a row.
        package var duration = Duration.seconds(10)
        /// Percent of a service's upstreams that may be ejected at a time.
        package var most = 50

        package static let longest = Duration.seconds(300)

        package init() {}
    }

    /// Of a worker to one upstream.
    package struct Connections: Hashable, Sendable {
        /// nil: `gateway.max_upstream_connections`.
        package var maximum: Int?
        /// Requests that wait for one; nil: four for each connection, 64 at least.
        package var waiting: Int?

        package init() {}
    }

    package var rule = Rule.leastRequests
    /// nil: nobody is asked.
    package var health: Health?
    /// nil: nobody is ejected.
    package var ejection: Ejection? = Ejection()
    package var connections = Connections()

    package init() {}
}
