/// Decides calls. Each is answered exactly once, on the event loop that asked, possibly before `decide` returns.
///
/// A store that talks to a network belongs to one event loop; LocalStore may be shared by all.
package protocol LimitStore: AnyObject {
    func decide(_ call: LimitCall)
}

/// Microseconds since the epoch, never going back while the process runs.
package protocol TimeSource: Sendable {
    var nowMicroseconds: Int64 { get }
}

/// Why a shared store did not answer.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// No connection, or it broke before the command was sent: nothing was charged.
        case disconnected
        /// No answer within the deadline: whether it was charged is unknown.
        case timeout
        /// The connection broke after the command was sent: whether it was charged is unknown.
        case interrupted
        /// More calls wait than may.
        case overloaded
        /// The store refuses writes for now: READONLY, OOM, NOREPLICAS, MISCONF, LOADING, BUSY, CLUSTERDOWN, MASTERDOWN.
        case refused
        /// NOAUTH, WRONGPASS, NOPERM: people must act.
        case unauthorized
        /// The server is too old, or answered what the protocol does not allow.
        case incompatible
        case shutdown
    }

    package let code: Code
    /// For the log.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Whether waiting may cure it; the others need people.
    package var isTransient: Bool { code != .unauthorized && code != .incompatible }

    package var description: String { "\(code.rawValue): \(detail)" }
}
