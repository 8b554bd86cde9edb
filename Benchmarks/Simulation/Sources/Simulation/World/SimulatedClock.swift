import LimiterCore

/// A machine's clock: runs a little fast or slow, and may be set.
///
/// `@unchecked Sendable`: belongs to a world, which runs on one thread.
final class SimulatedClock: TimeSource, @unchecked Sendable {
    private unowned let world: World
    /// Microseconds since the epoch when the world began.
    private var base: Int64
    /// How much faster than the world's time it runs, in parts of a million.
    let partsPerMillion: Int64

    init(_ world: World, base: Int64, partsPerMillion: Int64) {
        self.world = world
        self.base = base
        self.partsPerMillion = partsPerMillion
    }

    var nowMicroseconds: Int64 { base + world.now + world.now * partsPerMillion / 1_000_000 }

    /// Only clocks of stores jump: replicas measure durations, and theirs never go back.
    func jump(_ microseconds: Int64) { base += microseconds }
}
