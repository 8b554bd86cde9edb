import Logging
import Telemetry

/// Decides which failures are worth a line of the log: the first of a kind, and later ones with how many were left out.
struct FailureLog {
    private struct Kind {
        var next = Int64.min
        var unlogged = 0
    }

    private static let interval: Int64 = 5_000_000_000

    /// By service, the last without one, then by cause.
    private var kinds: [Kind]
    private let services: Int

    init(services: Int) {
        self.services = services
        kinds = Array(repeating: Kind(), count: (services + 1) * FailureCause.allCases.count)
    }

    /// How many of the kind were left out before this one; nil: this one is left out, too. `service` below zero: none.
    mutating func note(_ cause: FailureCause, service: Int, at now: Int64) -> Int? {
        let place = service >= 0 && service < services ? service : services
        let index = place * FailureCause.allCases.count + cause.rawValue
        guard now >= kinds[index].next else {
            kinds[index].unlogged += 1
            return nil
        }
        defer { kinds[index] = Kind(next: now + Self.interval, unlogged: 0) }
        return kinds[index].unlogged
    }
}

extension Exchange {
    /// An attempt to get an answer has failed. What comes of that is somebody else's business.
    func noteFailure(_ cause: FailureCause) {
        self.cause = cause
        if let place, cause.isOfUpstream { edition.traffic.countFailure(service: place.service, cause) }
    }

    /// The answer is the last word on the exchange; the cause says why it is none that anybody wanted.
    func logFailure(_ cause: FailureCause) {
        guard let unlogged = edition.failures.note(cause, service: place?.service ?? -1, at: worker.now) else { return }
        var metadata: Logger.Metadata = [
            "status": "\(status)", "cause": "\(cause.name)", "unlogged_before": "\(unlogged)",
        ]
        for (key, text) in Self.loggedTexts {
            withText(text, &worker.redacted) { metadata[key] = "\(String(decoding: $0, as: UTF8.self))" }
        }
        worker.logger.warning("a request got no good answer", metadata: metadata)
    }

    private static let loggedTexts: [(String, AccessLine.Text)] = [
        ("service", .service), ("route", .route), ("upstream", .upstream), ("request_id", .requestID),
        ("trace_id", .traceID),
    ]
}
