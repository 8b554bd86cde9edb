import LimiterCore
import Logging
import NIOCore
import NIOPosix
import RedisStore
import WeirConfiguration

/// Prints what decisions of one store cost, for `Benchmarks/store`.
///
///     StoreBench redis PORT SECONDS COUNT       decisions a second through one connection, COUNT under way, a tenant of its own each
///     StoreBench keys ROUNDS SECONDS KEYS...    decisions in memory, one limit, with so many keys
///     StoreBench limits ROUNDS SECONDS (LIMITS ROUTES)...
///                                               decisions in memory, five limits of so many that are configured, for requests
///                                               that take one of so many routes
///
/// The latter two print a line with the bytes a key, then one a round with the nanoseconds a decision, a column for each case.
@main
struct StoreBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.dropFirst().compactMap { Int($0) }) {
        case ("redis", let numbers) where numbers.count == 3:
            print(try await redis(port: numbers[0], seconds: numbers[1], underWay: numbers[2]))
        case ("keys", let numbers) where numbers.count > 2:
            let loads = try numbers.dropFirst(2).map { keys in
                try LocalLoad(services: 1, limitsEach: 1, routes: 1, tenants: keys)
            }
            report(loads, rounds: numbers[0], seconds: numbers[1])
        case ("limits", let numbers) where numbers.count > 2 && numbers.count.isMultiple(of: 2):
            // Always as many counters, so that only the numbers of limits and routes differ.
            let loads = try stride(from: 2, to: numbers.count, by: 2).map {
                let (limits, routes) = (numbers[$0], numbers[$0 + 1])
                return try LocalLoad(services: limits / 5, limitsEach: 5, routes: routes, tenants: 20_000 / routes)
            }
            report(loads, rounds: numbers[0], seconds: numbers[1])
        default:
            print("usage: StoreBench redis PORT SECONDS COUNT | keys|limits ROUNDS SECONDS NUMBER...")
        }
    }

    private static func report(_ loads: [LocalLoad], rounds: Int, seconds: Int) {
        func line(_ value: (LocalLoad) -> Double) { print(loads.map { "\(value($0))" }.joined(separator: " ")) }
        line(\.bytesPerKey)
        for _ in 0..<rounds { line { $0.nanosecondsPerDecision(for: .seconds(seconds)) } }
    }

    /// Decisions a second.
    private static func redis(port: Int, seconds: Int, underWay: Int) async throws -> Double {
        let group = try LocalLoad.configuration(services: 1, limitsEach: 1).limits.services[0].routes[0]
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = loops.next()
        let promise = loop.makePromise(of: Double.self)
        let access = try RedisAccess(StoreSettings(redis: RedisAddress(host: "127.0.0.1", port: port)))
        loop.execute {
            let store = RedisStore(
                access, deadline: .seconds(5), on: loop,
                logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: nil)
            store.start()
            Load(store, group, loop, seconds: seconds, underWay: underWay) { promise.succeed($0) }.start()
        }
        let rate = try await promise.futureResult.get()
        try await loops.shutdownGracefully()
        return rate
    }
}
