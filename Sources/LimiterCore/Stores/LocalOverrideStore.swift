import Synchronization

/// Overrides in this process's memory: they end with it.
package final class LocalOverrideStore: OverrideStore {
    private struct State {
        var overrides: [LimitOverride.Subject: LimitOverride] = [:]
        /// The last one last.
        var records: [OverrideRecord] = []
    }

    private let state = Mutex(State())
    private let board: OverrideBoard
    private let time: any TimeSource

    package init(_ board: OverrideBoard, time: any TimeSource) {
        self.board = board
        self.time = time
    }

    package var isShared: Bool { false }

    package func set(_ override: LimitOverride) async throws(OverrideError) -> LimitOverride? {
        try state.withLock { state throws(OverrideError) in
            let now = time.nowMicroseconds
            guard !override.hasExpired(at: now) else { throw OverrideError(.past, "it has expired already") }
            let before = state.overrides[override.subject]
            guard before != nil || state.overrides.count < LimitOverride.mostOverrides else {
                throw OverrideError(.full, "there are \(LimitOverride.mostOverrides) overrides already")
            }
            var after = override
            after.setAtMicroseconds = now
            state.overrides[override.subject] = after
            note(.set, override.subject, before, after, override.author, at: now, &state)
            board.post(Array(state.overrides.values))
            return before
        }
    }

    package func remove(
        _ subject: LimitOverride.Subject, by author: LimitOverride.Author
    ) async throws(OverrideError) -> LimitOverride? {
        state.withLock { state in
            guard let before = state.overrides.removeValue(forKey: subject) else { return nil }
            note(.removed, subject, before, nil, author, at: time.nowMicroseconds, &state)
            board.post(Array(state.overrides.values))
            return before
        }
    }

    package func records(of tenant: String?, most: Int) async throws(OverrideError) -> [OverrideRecord] {
        state.withLock { state in
            Array(
                state.records.reversed().lazy.filter { record in tenant.map { record.subject.isOf($0) } ?? true }
                    .prefix(most))
        }
    }

    /// Ends what has expired. Somebody calls it every now and then.
    package func tick() {
        state.withLock { state in
            let now = time.nowMicroseconds
            let expired = state.overrides.values.filter { $0.hasExpired(at: now) }
            guard !expired.isEmpty else { return }
            for override in expired.sorted(by: { $0.subject < $1.subject }) {
                state.overrides[override.subject] = nil
                note(.expired, override.subject, override, nil, LimitOverride.Author(), at: now, &state)
            }
            board.post(Array(state.overrides.values))
        }
    }

    private func note(
        _ action: OverrideRecord.Action, _ subject: LimitOverride.Subject, _ before: LimitOverride?,
        _ after: LimitOverride?, _ author: LimitOverride.Author, at now: Int64, _ state: inout State
    ) {
        state.records.append(
            OverrideRecord(
                atMicroseconds: now, action: action, subject: subject, before: before, after: after, author: author))
        if state.records.count > OverrideRecord.mostRecords { state.records.removeFirst() }
    }
}
