import LimiterCore
import TestSupport

/// Makes things go wrong in a world, and sets them right again.
final class FaultInjector {
    private unowned let run: Run
    private var world: World { run.world }
    private var network: Network { run.network }
    private var redis: RedisModel { run.redis }

    init(_ run: Run) { self.run = run }

    func plan(_ faults: [PlannedFault]) {
        for planned in faults {
            world.at(planned.time) { [self] in
                world.note(.fault, planned.time, "\(planned)")
                begin(planned.fault, for: planned.duration)
            }
        }
    }

    private func begin(_ fault: Fault, for duration: Int64) {
        func afterwards(_ action: @escaping () -> Void) { world.after(duration, action) }
        switch fault {
        case .slowNetwork(nil, let delay):
            network.jitter += delay
            afterwards { self.network.jitter -= delay }
        case .slowNetwork(let replica?, let delay):
            network.slow[replica, default: 0] += delay
            afterwards { self.network.slow[replica, default: 0] -= delay }
        case .lossyNetwork(let one):
            network.lossOneIn = one
            afterwards { self.network.lossOneIn = 0 }
        case .duplicates(let one):
            network.duplicatesOneIn = one
            afterwards { self.network.duplicatesOneIn = 0 }
        case .partition(let replicas):
            network.cut.formUnion(replicas)
            afterwards {
                self.network.cut.subtract(replicas)
                self.reset(replicas, "the network was parted")
            }
        case .deaf(let replicas):
            network.deaf.formUnion(replicas)
            afterwards {
                self.network.deaf.subtract(replicas)
                self.reset(replicas, "nothing was heard")
            }
        case .resets(let replicas): reset(replicas, "reset by peer")
        case .storePause: redis.primary.pausedUntil = world.now + duration
        case .slowStore(let time):
            let node = redis.primary
            node.serviceTime = time
            afterwards { node.serviceTime = 0 }
        case .refusal(let text):
            let node = redis.primary
            node.refusal = StoreError(.refused, text)
            afterwards { node.refusal = nil }
        case .scriptsForgotten: redis.primary.forgottenScripts = 3
        case .failover(let lag, let ahead, let split): failOver(lag: lag, ahead: ahead, split: split, for: duration)
        case .flush: redis.forgetEverything()
        case .eviction(let counters, let ledgers): evict(counters: counters, ledgers: ledgers)
        case .clockJump(let microseconds):
            run.referee.disturbedAt = world.now
            redis.primary.clock.jump(microseconds)
        case .crash(let index), .restart(let index):
            let replica = run.replicas[index]
            if case .restart = fault { replica.leave() } else { replica.crash() }
            run.referee.hasLostReplicas = true
            afterwards { replica.start() }
        case .replicaPause(let index): run.replicas[index].pause(for: 10_000_000)
        case .scaleUp(let count): for _ in 0..<count { run.addReplica().start() }
        case .scaleDown(let index):
            guard run.replicas.count(where: \.isUp) > 1 else { return }
            run.referee.hasLostReplicas = true
            run.replicas[index].leave()
        case .configuration(let replicas):
            for index in replicas { run.versions[index] = 1 - run.versions[index] }
        }
    }

    private func reset(_ replicas: [Int], _ reason: String) {
        for index in replicas { for link in run.replicas[index].links { link.reset(reason) } }
    }

    private func evict(counters: Bool, ledgers: Bool) {
        let keys = run.referee.keys
        guard !keys.isEmpty else { return }
        redis.evict([world.random.pick(keys)], counters: counters, ledgers: ledgers)
    }

    private func failOver(lag: Int64, ahead: Int64, split: [Int], for duration: Int64) {
        run.referee.disturbedAt = world.now
        let clock = SimulatedClock(
            world, base: Epoch.start + ahead, partsPerMillion: world.random.number(-200...200))
        let former = redis.failOver(lag: lag, clock)
        let others = run.replicas.indices.filter { !split.contains($0) }
        if split.isEmpty {
            former.isDown = true
            return reset(others, "the server went away")
        }
        for index in split { run.replicas[index].former = former }
        reset(others, "the server went away")
        world.after(duration) { [self] in
            former.isReadOnly = true
            for index in split where run.replicas[index].former === former { run.replicas[index].former = nil }
            run.referee.disturbedAt = world.now
        }
    }
}
