/// One request on its way: what is needed to account for its answer.
struct Shot: BitwiseCopyable {
    /// Nanoseconds from the start of the run. In a closed loop, the same as `sent`.
    var intended: Int64
    var sent: Int64
    var tenant: Int32
    var variant: Int32
}

/// What came back.
struct Answer: BitwiseCopyable {
    var status: Int
    /// Of a 429.
    var retryAfter: Observation.RetryAfter
    var bodyBytes: Int64
}

/// Why there was no answer.
package enum FailureKind: String, Codable, CaseIterable, Sendable, CodingKeyRepresentable {
    /// The connection could not be made.
    case connect
    /// The connection broke before the answer was complete.
    case closed
    /// No answer within the time allowed, or, of an open loop, no free connection.
    case timeout
    /// The answer was no HTTP.
    case malformed
    /// The certificate, or another part of TLS.
    case tls
    /// The server ended the HTTP/2 stream without an answer.
    case reset
}

/// What carries requests: an HTTP/1 connection, one at a time, or an HTTP/2 connection, several.
protocol Carrier: AnyObject {
    var target: Int { get }
    /// It was closed, or takes no more requests.
    var isOpen: Bool { get }
    /// There must be room, as it said with `carrierIsReady`.
    func send(_ shot: Shot, _ request: PreparedRequest)
    /// Gives up requests that were sent before this.
    func expire(sentBefore time: Int64)
    func close()
}

/// Whom carriers work for. Everything happens on one event loop.
protocol CarrierOwner: AnyObject {
    /// Once, before anything else: the connection is made, TLS agreed upon, the HTTP/2 settings exchanged.
    func carrierOpened(_ carrier: any Carrier)
    /// There is room for one more request; of n at a time, it says so n times at first.
    func carrierIsReady(_ carrier: any Carrier)
    func carrierAnswered(_ carrier: any Carrier, _ shot: Shot, _ answer: Answer)
    func carrierFailed(_ carrier: any Carrier, _ shot: Shot, _ kind: FailureKind)
    /// It is gone, perhaps without ever having opened. `hasWorked`: there was an answer on it.
    func carrierClosed(_ carrier: any Carrier, hasWorked: Bool, _ failure: FailureKind?)
}
