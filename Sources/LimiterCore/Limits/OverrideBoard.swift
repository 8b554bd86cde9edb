import Synchronization

/// The overrides that are in force in this process just now, and who wants to hear of others.
package final class OverrideBoard: Sendable {
    private let state: Mutex<State>

    private struct State {
        var overrides: LimitOverrides
        var listeners: [@Sendable (LimitOverrides) -> Void] = []
    }

    /// `limits`: the configuration's.
    package init(_ limits: LimitTable) { state = Mutex(State(overrides: LimitOverrides(of: limits))) }

    package var overrides: LimitOverrides { state.withLock { $0.overrides } }

    /// `listener` is called with the overrides there are, and with those of each change, on the thread that makes it.
    package func listen(_ listener: @escaping @Sendable (LimitOverrides) -> Void) {
        let overrides = state.withLock { state in
            state.listeners.append(listener)
            return state.overrides
        }
        listener(overrides)
    }

    /// Puts these in force. One at a time calls it.
    package func post(_ list: [LimitOverride]) {
        let (overrides, listeners) = state.withLock { state in
            state.overrides = LimitOverrides(list, of: state.overrides.limits, after: state.overrides)
            return (state.overrides, state.listeners)
        }
        for listener in listeners { listener(overrides) }
    }
}
