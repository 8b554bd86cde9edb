import TestSupport

/// How long messages take between replicas and stores, and which do not arrive.
final class Network {
    private unowned let world: World
    /// Microseconds one way, at least; and on average on top of that.
    var shortest: Int64 = 150
    var jitter: Int64 = 100
    /// One message in so many is lost and sent again by TCP, which holds up all that follow; 0: none.
    var lossOneIn: Int64 = 0
    /// One lease call or heartbeat in so many is executed twice; 0: none.
    var duplicatesOneIn: Int64 = 0
    /// Replicas from which nothing arrives, and to which nothing does, without anybody being told.
    var cut: Set<Int> = []
    /// Replicas that the servers' words do not reach.
    var deaf: Set<Int> = []
    /// What a message of these replicas takes longer, in microseconds.
    var slow: [Int: Int64] = [:]

    /// What TCP waits before it sends again.
    private static let retransmission: Int64 = 200_000

    init(_ world: World) { self.world = world }

    func delay(of replica: Int) -> Int64 {
        var delay = shortest + world.random.exponential(jitter) + (slow[replica] ?? 0)
        if lossOneIn > 0, world.random.oneIn(lossOneIn) { delay += Self.retransmission }
        return delay
    }

    func isDuplicated() -> Bool { duplicatesOneIn > 0 && world.random.oneIn(duplicatesOneIn) }
}
