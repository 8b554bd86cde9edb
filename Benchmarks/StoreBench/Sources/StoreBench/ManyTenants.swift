import Foundation
import LimiterCore
import NIOCore
import NIOPosix

/// A replica with so many active tenants: what it takes of memory, and how long a decision is.
struct ManyTenants {
    /// `memory`, or a Redis.
    let store: String
    let count: Int

    /// Enough to fill the counters soon, and few enough for a decision's time to be its own.
    private static let (filling, measuring) = (64, 1)

    func report(seconds: Int) async throws {
        let before = Self.residentMiB()
        let outcome: Load.Outcome
        if store == "memory" {
            outcome = try await inMemory(seconds, before)
        } else {
            let load = try await SharedLoad(url: store, .automatic)
            _ = try await load.run(seconds: 0, underWay: Self.filling, .counted(count))
            print(before, Self.residentMiB(), terminator: " ")
            outcome = try await load.run(seconds: seconds, underWay: Self.measuring, .drawn(count), isTimed: true)
            try await load.end()
        }
        print(outcome.percentile(50), outcome.percentile(99))
    }

    private func inMemory(_ seconds: Int, _ before: Double) async throws -> Load.Outcome {
        let limits = try LocalLoad.oneLimit()
        let local = LocalStore(labels: limits.labels, time: Monotonic())
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = loops.next()
        func run(_ tenants: Load.Tenants, isTimed: Bool) async throws -> Load.Outcome {
            let promise = loop.makePromise(of: Load.Outcome.self)
            loop.execute {
                Load(
                    local, limits.services[0].routes[0], loop, seconds: seconds, underWay: Self.measuring,
                    tenants: tenants, isTimed: isTimed
                ) { promise.succeed($0) }.start()
            }
            return try await promise.futureResult.get()
        }
        _ = try await run(.counted(count), isTimed: false)
        print(before, Self.residentMiB(), terminator: " ")
        let outcome = try await run(.drawn(count), isTimed: true)
        try await loops.shutdownGracefully()
        return outcome
    }

    /// Of this process; the kernel counts in pages.
    private static func residentMiB() -> Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }
}
