import NIOCore

/// What an exchange remembers of its attempts on a route that declares what to do about failures. Times are the loop's
/// clock, in nanoseconds.
struct Trial {
    enum Served {
        case upstream, stale, fallback
    }

    enum BreakerNote {
        case halfOpen, open
    }

    /// Of the service that is asked just now; a fallback may have none.
    var active: ResiliencePlan?
    var totalDeadline = Int64.max
    /// For the head of the answer to this attempt, once the request is sent.
    var attemptDeadline = Int64.max
    /// Where `admission` comes from.
    var breaker: SharedBreaker?
    /// What the breaker awaits the end of.
    var admission: CircuitBreaker.Admission?
    /// Until when the breaker is open at least.
    var openUntil: Int64 = 0
    /// Why the latest attempt did not do.
    var failure: AttemptEnd?
    var retries = 0
    /// Until the next attempt.
    var timer: Scheduled<Void>?
    var isFallback = false
    /// Attempts that were made before the service was asked that is asked now.
    var attemptsBefore = 0
    /// Whether what has been read of the request's body is in `body`.
    var keepsBody = false
    var body = ByteBuffer()
    /// What the answer is kept under; nil: it is not.
    var staleKey: [UInt8]?
    var recording: StaleRecording?
    var inFlight: RequestsInFlight?

    // For the log
    var served = Served.upstream
    var breakerNote: BreakerNote?
}
