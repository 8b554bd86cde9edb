import WeirConfiguration

/// What is known of one source of upstreams: the last endpoints that it named, and whether it can be asked just now.
///
/// It performs nothing: it is told what a look at the source has shown, and says what follows.
struct SourceState {
    enum Finding: Equatable {
        /// In any order. `timeToLive` nil: until the source changes.
        case found([Endpoint], timeToLive: Duration?)
        /// Nothing can be said of the source, for this reason. The endpoints that were known stay.
        case trouble(String)
    }

    struct Steps: Equatable {
        /// Other endpoints than before.
        var publish: [Endpoint]?
        var log: LogLine?
        /// When to look again; nil: when the source is to be looked at anyway.
        var next: Duration?
    }

    enum LogLine: Equatable {
        case changed(from: Int, to: Int)
        /// `kept`: so many endpoints are used on.
        case troubled(String, kept: Int)
        case recovered(Int)
    }

    private(set) var endpoints: [Endpoint] = []
    private var trouble: String?
    private var delay: Duration?
    private let settings: DNSSettings

    /// Looks at a source in trouble are never further apart.
    private static let longestDelay = Duration.seconds(30)

    init(_ settings: DNSSettings) { self.settings = settings }

    mutating func looked(_ finding: Finding) -> Steps {
        switch finding {
        case .found(let found, let timeToLive):
            var steps = Steps()
            let ordered = found.sorted { $0.order < $1.order }
            if trouble != nil {
                steps.log = .recovered(ordered.count)
            } else if ordered != endpoints {
                steps.log = .changed(from: endpoints.count, to: ordered.count)
            }
            if ordered != endpoints { steps.publish = ordered }
            endpoints = ordered
            (trouble, delay) = (nil, nil)
            steps.next = timeToLive.map { min(max($0, settings.minimumTTL), settings.maximumTTL) }
            return steps
        case .trouble(let cause):
            var steps = Steps()
            if trouble != cause { steps.log = .troubled(cause, kept: endpoints.count) }
            trouble = cause
            let longest = max(settings.minimumTTL, min(Self.longestDelay, settings.maximumTTL))
            let next = min(delay.map { $0 * 2 } ?? settings.minimumTTL, longest)
            delay = next
            steps.next = next
            return steps
        }
    }
}

extension Endpoint {
    /// Answers come in any order, which means nothing.
    fileprivate var order: (Int, String, Int) { (priority, upstream.description, weight) }
}
