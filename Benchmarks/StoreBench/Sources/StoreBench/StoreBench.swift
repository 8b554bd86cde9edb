import LimiterCore
import NIOCore
import NIOPosix

/// Prints what decisions of one store cost, for `Benchmarks/store`, `leases` and `scale`.
///
///     StoreBench redis URL MODE TENANTS SECONDS COUNT
///                                               decisions a second, and how many there were, with COUNT under way at a store over Redis:
///                                               bare (its client alone), exact, leased or automatic; TENANTS is one, or each: a new one
///                                               each time
///     StoreBench tenants memory|URL COUNT SECONDS
///                                               MiB of this process before and after so many tenants were asked for, and the 50th and
///                                               99th percentile of the time of a decision among them, in nanoseconds
///     StoreBench keys ROUNDS SECONDS KEYS...    decisions in memory, one limit, with so many keys
///     StoreBench limits ROUNDS SECONDS (LIMITS ROUTES)...
///                                               decisions in memory, five limits of so many that are configured, for requests
///                                               that take one of so many routes
///
/// The latter two print a line with the bytes a key, then one a round with the nanoseconds a decision, a column for each case.
@main
struct StoreBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst().map { $0 }
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        switch (arguments.first, numbers.count) {
        case ("redis", 2) where arguments.count == 6:
            guard let mode = SharedLoad.Mode(rawValue: arguments[2]) else { return usage() }
            let load = try await SharedLoad(url: arguments[1], mode)
            let outcome = try await load.run(
                seconds: numbers[0], underWay: numbers[1], arguments[3] == "one" ? .one : .fresh)
            print(outcome.perSecond, outcome.answered)
            try await load.end()
        case ("tenants", 2) where arguments.count == 4:
            try await ManyTenants(store: arguments[1], count: numbers[0]).report(seconds: numbers[1])
        case ("keys", 3...):
            let loads = try numbers.dropFirst(2).map { keys in
                try LocalLoad(services: 1, limitsEach: 1, routes: 1, tenants: keys)
            }
            report(loads, rounds: numbers[0], seconds: numbers[1])
        case ("limits", 4...) where numbers.count.isMultiple(of: 2):
            // Always as many counters, so that only the numbers of limits and routes differ.
            let loads = try stride(from: 2, to: numbers.count, by: 2).map {
                let (limits, routes) = (numbers[$0], numbers[$0 + 1])
                return try LocalLoad(services: limits / 5, limitsEach: 5, routes: routes, tenants: 20_000 / routes)
            }
            report(loads, rounds: numbers[0], seconds: numbers[1])
        default: usage()
        }
    }

    private static func usage() {
        print(
            "usage: StoreBench redis URL MODE TENANTS SECONDS COUNT | tenants STORE COUNT SECONDS | keys|limits ROUNDS SECONDS NUMBER..."
        )
    }

    private static func report(_ loads: [LocalLoad], rounds: Int, seconds: Int) {
        func line(_ value: (LocalLoad) -> Double) { print(loads.map { "\(value($0))" }.joined(separator: " ")) }
        line(\.bytesPerKey)
        for _ in 0..<rounds { line { $0.nanosecondsPerDecision(for: .seconds(seconds)) } }
    }
}
