import LimiterCore

/// What one process of a replica was told of a counter, and what it spent: from that follows what it may spend.
final class View {
    /// What it last saw of the counter, by the rules of the protocol; nil: nothing.
    private(set) var seen: CounterState?
    /// The latest window that it has been in.
    var position: Int64 = 0
    private var windows: [Window] = []

    /// One of the last few windows.
    struct Window {
        var position: Int64
        /// Units that it spent from leases, and of its share.
        var leased: Int64 = 0
        var local: Int64 = 0
        /// Units that the store granted or knows to be spent, as it was told.
        var taken: Int64 = 0
    }
    /// A bucket: units spent of its share since it last heard what the store knows, when that was, and what it held then.
    var spent: Int64 = 0
    private(set) var since: Int64 = 0
    private(set) var taken: Int64 = 0
    /// The largest share that it has spent of since then: the fleet may have become larger meanwhile.
    private(set) var share: Int64 = 0

    /// Windows move on. What lies over a second ahead was never the store's time.
    func move(to now: Int64, _ rule: CounterRule) {
        let window = now / rule.periodMicroseconds
        if position * rule.periodMicroseconds > now + 1_000_000 {
            // What it spent there and in the window before, it tells of in the one that the store is in.
            var local = self[position].leased + self[position].local
            if window == position - 1 { local += self[window].leased + self[window].local }
            self[window] = Window(position: window, local: local)
            position = window
        }
        position = max(position, window)
    }

    /// The counter is in a window over a second ahead of the store's time: that went back, and what was spent since belongs there.
    func moveAhead(to window: Int64) {
        guard window > position else { return }
        let spent = self[position].leased + self[position].local
        let leased = self[window].leased
        self[window] = Window(position: window, leased: leased, local: max(0, spent - leased))
        position = window
    }

    /// When the lease call was sent that is under way, in microseconds of the world; nil: none is.
    var askedAt: Int64?
    /// When the last lease call was sent, and the one whose answer it heard last.
    var lastAskedAt: Int64 = 0
    private(set) var grantedFrom: Int64 = 0

    subscript(window: Int64) -> Window {
        get { windows.last { $0.position == window } ?? Window(position: window) }
        set {
            if let index = windows.lastIndex(where: { $0.position == window }) {
                windows[index] = newValue
            } else {
                windows.append(newValue)
                if windows.count > 8 { windows.removeFirst() }
            }
        }
    }

    /// An answer to a decision: the later generation, and of one generation the fuller count.
    func saw(_ state: CounterState, _ rule: CounterRule, mayBeLeased: Bool, at now: Int64) {
        guard let known = seen else { return seen = state }
        if known.generation != state.generation {
            if state.generation > known.generation { seen = state }
            return
        }
        let (before, after) = (Oracle(known, rule, at: now), Oracle(state, rule, at: now))
        if after.available <= before.available {
            seen = after.state
        } else if !mayBeLeased {
            seen = before.state
        }
    }

    /// The ledger's word.
    func heard(_ state: CounterState) { seen = state }

    /// A bucket: the store knows everything that was spent.
    func settle(at now: Int64, holding units: Int64) {
        grantedFrom = lastAskedAt
        (spent, since, taken, share) = (0, now, units, 0)
    }

    /// A bucket: units of its share, which is so large now.
    func spend(_ units: Int64, of share: Int64) {
        spent += units
        self.share = max(self.share, share)
    }

    /// Units left as far as it knows, at its time.
    func available(_ rule: CounterRule, at now: Int64) -> Int64 {
        guard let seen else { return rule.limit }
        return Oracle(seen, rule, at: now).available
    }
}
