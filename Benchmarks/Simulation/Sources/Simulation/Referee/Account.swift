import LimiterCore

/// What the referee knows of one counter of the store, whoever forgets it.
final class Account {
    /// In one clock window, in cost units.
    struct Window {
        let position: Int64
        /// Charged by decisions of the store.
        var charged: Int64 = 0
        /// Spent by replicas from what they were granted.
        var leased: Int64 = 0
        /// Spent by replicas that were cut off.
        var local: Int64 = 0
        /// Charged or granted, and forgotten by the store.
        var lost: Int64 = 0
        /// Admitted to callers, wherever it was decided.
        var admitted: Int64 = 0
        var resets: Int64 = 0
    }

    let key: [UInt8]
    let name: String
    let isWindow: Bool
    /// The widest version of the limit that was in force.
    private(set) var rule: CounterRule
    /// The limit was counted with other numbers too.
    private(set) var isWidened = false
    var level: Level
    private var windows: [Window] = []
    /// The latest time that a script decided at, and the world's time then.
    private var storeTime: Int64?
    private var worldTime: Int64 = 0
    /// Somebody asked for leases of it, though others may take the limit for too small for that: what was granted may be given back.
    var isLeased = false
    /// The store forgot something of it, or was reset.
    var isDisturbed = false

    init(_ key: [UInt8], _ rule: CounterRule, at now: Int64) {
        self.key = key
        name = String(decoding: key, as: UTF8.self)
        self.rule = rule
        isWindow = rule.algorithm == .slidingWindow
        level = Level(rule, at: now)
    }

    func widen(_ rule: CounterRule) {
        guard rule != self.rule else { return }
        isWidened = true
        level.widen(rule)
        if rule.limit > self.rule.limit { self.rule = rule }
    }

    subscript(position: Int64) -> Window {
        get { windows.last { $0.position == position } ?? Window(position: position) }
        set {
            if let index = windows.lastIndex(where: { $0.position == position }) {
                windows[index] = newValue
            } else {
                windows.append(newValue)
                if windows.count > 64 { windows.removeFirst(32) }
            }
        }
    }

    /// A script decided at `now` while the world's time was `worldNow`. Returns by how much the store's time ran ahead since the last.
    func advance(to now: Int64, _ worldNow: Int64) -> Int64 {
        defer {
            storeTime = max(storeTime ?? now, now)
            worldTime = worldNow
        }
        guard let storeTime else { return 0 }
        let elapsed = worldNow - worldTime
        let ahead = now - storeTime - elapsed - elapsed * Level.drift / 1_000_000 - 2
        return max(0, ahead)
    }

    /// The most that may be charged and spent from leases in a window.
    func most(in window: Window) -> Int64 { rule.limit * (1 + window.resets) + window.lost }
}
