/// Where overrides are kept, with a record of who changed what.
package protocol OverrideStore: Sendable {
    /// Whether other replicas have them too, and they outlive this process.
    var isShared: Bool { get }

    /// Sets an override, and returns the one that it replaces. When it returns, this process has it in force.
    func set(_ override: LimitOverride) async throws(OverrideError) -> LimitOverride?

    /// Removes an override, and returns it; nil: there is none. When it returns, this process has it no longer in force.
    func remove(
        _ subject: LimitOverride.Subject, by author: LimitOverride.Author
    ) async throws(OverrideError) -> LimitOverride?

    /// The latest changes, of one tenant or of all, the last one first; `most` at most.
    func records(of tenant: String?, most: Int) async throws(OverrideError) -> [OverrideRecord]
}

/// Why overrides were not changed.
package struct OverrideError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The store does not answer.
        case unavailable
        /// The store answers that it does not do it, and why: nothing was changed.
        case refused
        /// There are `LimitOverride.mostOverrides` already.
        case full
        /// It would have expired by the store's time already.
        case past
    }

    package let code: Code
    /// For the log; where the store refused, what it said.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { detail }
}

/// One change of an override: the audit's unit.
package struct OverrideRecord: Hashable, Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case set
        case removed
        /// Its time has come.
        case expired
        /// The store had lost it, and a replica that knew it brought it back.
        case restored
    }

    /// Microseconds since the epoch by the store's clock.
    package var atMicroseconds: Int64
    package var action: Action
    package var subject: LimitOverride.Subject
    package var before: LimitOverride?
    package var after: LimitOverride?
    package var author: LimitOverride.Author

    package init(
        atMicroseconds: Int64, action: Action, subject: LimitOverride.Subject, before: LimitOverride?,
        after: LimitOverride?, author: LimitOverride.Author
    ) {
        self.atMicroseconds = atMicroseconds
        self.action = action
        self.subject = subject
        self.before = before
        self.after = after
        self.author = author
    }

    /// So many are kept, the latest.
    package static let mostRecords = 1000
}
