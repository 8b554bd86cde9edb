import Synchronization

/// The overrides that are in force in this process just now, and who wants to hear of others.
package final class OverrideBoard: Sendable {
    private let state: Mutex<State>
    /// Held while listeners are called, so that none hears of a change before what it hears first, or last of what was there before.
    private let telling = Mutex(())

    private struct State {
        var overrides: LimitOverrides
        var listeners: [@Sendable (LimitOverrides) -> Void] = []
    }

    /// `limits`: the configuration's.
    package init(_ limits: LimitTable) { state = Mutex(State(overrides: LimitOverrides(of: limits))) }

    package var overrides: LimitOverrides { state.withLock { $0.overrides } }

    /// `listener` is called with the overrides there are, and with those of each change, on the thread that makes it: one call
    /// after the other, in the order of the changes. It must not listen or post itself.
    package func listen(_ listener: @escaping @Sendable (LimitOverrides) -> Void) {
        telling.withLock { _ in
            let overrides = state.withLock { state in
                state.listeners.append(listener)
                return state.overrides
            }
            listener(overrides)
        }
    }

    /// Puts these in force. One at a time calls it.
    package func post(_ list: [LimitOverride]) {
        change { LimitOverrides(list, of: $0.limits, after: $0) }
    }

    /// The overrides are of these limits from now on.
    package func use(_ limits: LimitTable) {
        change { LimitOverrides($0.list, of: limits) }
    }

    private func change(_ make: (LimitOverrides) -> LimitOverrides) {
        telling.withLock { _ in
            let (overrides, listeners) = state.withLock { state in
                state.overrides = make(state.overrides)
                return (state.overrides, state.listeners)
            }
            for listener in listeners { listener(overrides) }
        }
    }
}
