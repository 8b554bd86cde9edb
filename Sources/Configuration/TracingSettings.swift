/// How requests are traced, and where spans are sent.
package struct TracingSettings: Hashable, Sendable {
    /// Whose `traceparent` is continued.
    package enum Trust: String, Sendable, CaseIterable {
        case everyone
        /// Trusted proxies' alone; for all others a trace begins here.
        case proxies
    }

    package struct Batch: Hashable, Sendable {
        /// Spans that are sent at once.
        package var most = 512
        /// How long a span waits for others.
        package var interval: Duration = .seconds(5)
        /// Spans that wait to be sent; more are dropped.
        package var queue = 8192

        package init() {}
    }

    /// The collector's URL for traces, OTLP over HTTP.
    package var collector: String
    /// Fields of the requests to the collector; they may be secrets.
    package var headers: [Pair] = []
    /// How much of the traces that begin here is recorded, from 0 to 1.
    package var sample = 0.1
    package var trust = Trust.everyone
    package var serviceName = "weir"
    package var batch = Batch()
    /// What else is said of this process.
    package var attributes: [Pair] = []

    package struct Pair: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(collector: String) { self.collector = collector }

    /// What whoever sends spans needs to know: all but which traces are continued and recorded.
    var export: TracingSettings {
        var settings = self
        (settings.sample, settings.trust) = (1, .everyone)
        return settings
    }
}

/// How the process itself logs, to standard error.
package struct LoggingSettings: Hashable, Sendable {
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, Sendable, CaseIterable {
        case text
        /// One object a line.
        case json
    }

    package var level = Level.info
    package var format = Format.text

    package init() {}
}
