import Synchronization

/// Where a table keeps one counter.
struct CounterPlace: Hashable, Sendable {
    var hash: KeyHash
    var shard: Int
}

/// Bounded memory for counters, shared by all event loops: open addressing in shards with a lock each.
///
/// A key is its keyed 128-bit hash. All counters of a tenant lie in one shard, so that deciding its limits together
/// takes one lock as a rule. A limit has at most as many keys as it may; further ones share its overflow counter. A counter is
/// only removed once it is neutral, so forgetting it favours nobody; each access sweeps two slots, and more where keys are
/// missing, so no timer is needed.
final class CounterTable<Value: BitwiseCopyable & Sendable>: Sendable {
    /// 128 bits of hash and 64 of bookkeeping beside the value.
    struct Slot: BitwiseCopyable {
        /// Zero: empty.
        var hash: KeyHash
        /// Seconds since the table's base when the counter becomes neutral.
        var expirySeconds: UInt32
        /// Index of the limit, or `uncounted`.
        var limit: UInt32
        var value: Value
    }

    private static var uncounted: UInt32 { .max }
    private static var shardCount: Int { 256 }

    private let secret: (UInt64, UInt64)
    private let placesByKey: Bool
    private let baseSeconds: Int64
    private let keyCounts: KeyCounts
    /// One more than `shardCount`: the last holds the overflow counters.
    private let shards: [CounterShard<Value>]
    /// The next shard to look through when a limit has all its keys.
    private let rover = Atomic<Int>(0)

    /// `now` in microseconds; the labels say how many keys each limit may have. `placesByKey`: calls have their keys' bytes.
    /// Without a `secret` one is drawn.
    init(labels: [LimitTable.Label], now: Int64, placesByKey: Bool, secret: (UInt64, UInt64)? = nil) {
        self.placesByKey = placesByKey
        var random = SystemRandomNumberGenerator()
        self.secret = secret ?? (random.next(), random.next())
        baseSeconds = now / 1_000_000 - 1
        keyCounts = KeyCounts(labels)
        shards = (0...Self.shardCount).map { _ in CounterShard() }
    }

    /// Keys of all limits together.
    var count: Int { keyCounts.all.reduce(0) { $0 + $1.current.load(ordering: .relaxed) } }

    /// Labels of a table that goes on from the one before, before the first call that asks for one of its new limits.
    func add(_ labels: [LimitTable.Label]) { keyCounts.add(labels) }

    /// Bytes of all slots, used and free.
    var byteCount: Int { shards.reduce(0) { sum, shard in sum + shard.lock.withLock { _ in shard.byteCount } } }

    /// Runs `body` while every counter of the call is locked; `call.places` then says where each is.
    func locked(_ call: LimitCall, at now: Int64, _ body: () -> Void) {
        if call.places.isEmpty { place(call) }
        lock(call, above: -1, at: now, body)
    }

    /// Runs `body` with one counter locked.
    func locked(_ place: CounterPlace, _ body: () -> Void) { shards[place.shard].lock.withLock { _ in body() } }

    /// The key says it all: `weir:{<tag>}:…` of a tenant lies where its tag belongs, that of a limit without tenant anywhere,
    /// and one whose scope is `~` is an overflow counter.
    func place(ofKey key: UnsafeRawBufferPointer) -> CounterPlace {
        var hash = KeyHash(hashing: key, key: secret)
        if hash.isZero { hash.low = 1 }
        if let colon = key.lastIndex(of: UInt8(ascii: ":")), colon >= 2, key[colon - 1] == UInt8(ascii: "~"),
            key[colon - 2] == UInt8(ascii: ":")
        {
            return CounterPlace(hash: hash, shard: Self.shardCount)
        }
        let tag = key.dropFirst(KeyTemplate.tagStart).prefix { $0 != UInt8(ascii: "}") }
        let spread =
            tag.first == UInt8(ascii: "~") ? hash : KeyHash(hashing: UnsafeRawBufferPointer(rebasing: tag), key: secret)
        return CounterPlace(hash: hash, shard: Int(spread.high % UInt64(Self.shardCount)))
    }

    func isOverflow(_ place: CounterPlace) -> Bool { place.shard == Self.shardCount }

    /// Whether the limit has fewer keys than it may.
    func hasRoom(_ limit: Int) -> Bool { !keyCounts[limit].isFull }

    /// The counter, if the table has it. Only while it is locked; valid until the next insertion.
    func find(_ place: CounterPlace) -> UnsafeMutablePointer<Slot>? { shards[place.shard].find(place.hash) }

    /// Keeps a counter for `milliseconds` from `now`. Only while it is locked.
    func store(_ value: Value, at place: CounterPlace, limit index: Int, now: Int64, milliseconds: Int64) {
        let shard = shards[place.shard]
        let expiry = UInt32(clamping: (now / 1000 + milliseconds) / 1000 + 1 - baseSeconds)
        if let slot = shard.find(place.hash) {
            slot.pointee.value = value
            slot.pointee.expirySeconds = expiry
        } else {
            let limit = isOverflow(place) ? Self.uncounted : UInt32(index)
            if limit != Self.uncounted { keyCounts[index].current.wrappingAdd(1, ordering: .relaxed) }
            shard.insert(Slot(hash: place.hash, expirySeconds: expiry, limit: limit, value: value))
        }
    }

    /// By the keys where the table's owner needs their bytes anyway, and of calendar quotas, which are recorded under their keys; else by
    /// what they would be made of.
    private func place(_ call: LimitCall) {
        if placesByKey || call.group.hasCalendar { call.makeKeys() }
        var tenant: KeyHash?
        for index in call.traits.indices {
            let traits = call.traits[index]
            if placesByKey || traits.isCalendar {
                call.places.append(call.withKey(index, place(ofKey:)))
                continue
            }
            var hash = traits.identity
            var shard: Int?
            if traits.tenant >= 0 {
                let known = tenant ?? call.withValue(traits.tenant) { KeyHash(hashing: $0, key: secret) }
                tenant = known
                hash = KeyHash(high: hash.high ^ known.high, low: hash.low ^ known.low)
                shard = Int(known.high % UInt64(Self.shardCount))
            }
            if traits.hasOtherValues {
                for value in call.group.limits[index].template.otherValues {
                    hash = call.withValue(value) {
                        KeyHash(hashing: $0, key: (secret.0 ^ hash.high, secret.1 ^ hash.low))
                    }
                }
            }
            if hash.isZero { hash.low = 1 }
            call.places.append(CounterPlace(hash: hash, shard: shard ?? Int(hash.high % UInt64(Self.shardCount))))
        }
    }

    /// All that find no place of their own in a limit share a counter.
    private func overflowPlace(_ call: LimitCall, _ index: Int) -> CounterPlace {
        if placesByKey || call.traits[index].isCalendar { return call.withOverflowKey(index, place(ofKey:)) }
        let identity = call.traits[index].identity
        return CounterPlace(hash: KeyHash(high: identity.high, low: ~identity.low | 1), shard: Self.shardCount)
    }

    private func lockedOverflow(_ call: LimitCall, at now: Int64, _ body: () -> Void) {
        let seconds = UInt32(clamping: now / 1_000_000 - baseSeconds)
        let holdsOverflow = call.places.contains(where: isOverflow)
        var overflows = false
        for index in call.places.indices where !isOverflow(call.places[index]) {
            let place = call.places[index]
            shards[place.shard].sweep(at: seconds) { self.forget($0) }
            let limit = call.traits[index].index
            guard keyCounts[limit].isFull, find(place) == nil else { continue }
            rove(call, at: seconds)
            guard keyCounts[limit].isFull else { continue }
            overflows = true
            call.places[index] = overflowPlace(call, index)
        }
        if overflows && !holdsOverflow {
            let shard = shards[Self.shardCount]
            shard.lock.withLock { _ in
                shard.sweep(at: seconds) { self.forget($0) }
                body()
            }
        } else {
            body()
        }
    }

    /// Keys are missing: looks through another shard, which may hold neutral counters that nobody has come by.
    private func rove(_ call: LimitCall, at seconds: UInt32) {
        let next = rover.wrappingAdd(1, ordering: .relaxed).oldValue % Self.shardCount
        guard !call.places.contains(where: { $0.shard == next }) else { return }
        _ = shards[next].lock.withLockIfAvailable { _ in
            for _ in 0..<16 { shards[next].sweep(at: seconds) { self.forget($0) } }
        }
    }

    private func forget(_ limit: UInt32) {
        if limit != Self.uncounted { keyCounts[Int(limit)].current.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Runs `body` with the call's shards above the number `last` locked: in ascending order, so that two calls cannot wait
    /// for each other.
    private func lock(_ call: LimitCall, above last: Int, at now: Int64, _ body: () -> Void) {
        var next = Int.max
        for index in call.places.indices {
            let shard = call.places[index].shard
            if shard > last && shard < next { next = shard }
        }
        guard next < .max else { return lockedOverflow(call, at: now, body) }
        shards[next].lock.withLock { _ in lock(call, above: next, at: now, body) }
    }
}
