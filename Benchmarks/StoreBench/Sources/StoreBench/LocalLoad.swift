import LimiterCore
import Telemetry
import WeirConfiguration

/// Decisions in memory, asked as the gateway asks them: a prepared call, a value for each dimension of the route's limits, and all
/// of these decided at once. Every counter is there before anything is measured.
final class LocalLoad {
    private let store: LocalStore
    private let groups: [LimitGroup]
    private let tenants: Int
    private let call = LimitCall()
    private var random = SplitMix()

    /// Requests take the first so many `routes`, of as many as there are services.
    init(services: Int, limitsEach: Int, routes: Int, tenants: Int) throws {
        let limits = try Self.configuration(services: services, limitsEach: limitsEach).limits
        store = LocalStore(labels: limits.labels, time: Monotonic())
        groups = limits.services.prefix(routes).map { $0.routes[0] }
        self.tenants = tenants
        for tenant in 0..<tenants {
            for group in groups { ask(group, tenant) }
        }
    }

    /// Limits that nobody reaches and that outlast the measurement; every service has the same ones, with counters of its own.
    static func configuration(services: Int, limitsEach: Int) throws -> Configuration {
        let limits = [
            "{name: hourly, per: tenant, rate: 1000000/hour}",
            "{name: daily, per: tenant, rate: 1000000/day}",
            "{name: bucket, per: tenant, rate: 1000000/day, algorithm: token_bucket}",
            "{name: methods, per: [tenant, method], rate: 1000000/hour}",
            "{name: routes, per: [tenant, route], rate: 1000000/hour}",
        ]
        let list = limits.prefix(limitsEach).joined(separator: ", ")
        let blocks = (0..<services).map { number in
            """
              - name: service-\(number)
                routes: [{path: /\(number)}]
                upstreams: ["http://127.0.0.1:9000"]
                limits: [\(list)]
            """
        }
        let text = """
            gateway: {trusted_proxies: [127.0.0.0/8]}
            identity: {header: X-Tenant}
            services:

            """
        return try Configuration.parse(text + blocks.joined(separator: "\n"), file: "bench.yaml")
    }

    /// One limit a tenant that nobody reaches; `mode` begins with a comma where it says something.
    static func oneLimit(mode: String = "") throws -> LimitTable {
        try Configuration.parse(
            """
            gateway: {trusted_proxies: [127.0.0.0/8]}
            identity: {header: X-Tenant}
            limits: [{name: hourly, per: tenant, rate: 1000000000/hour\(mode)}]
            services:
              - {name: service, routes: [{path: /}], upstreams: ["http://127.0.0.1:9000"]}
            """, file: "bench.yaml"
        ).limits
    }

    var bytesPerKey: Double { Double(store.byteCount) / Double(store.count) }

    /// Over tenants and routes drawn at random.
    func nanosecondsPerDecision(for duration: Duration) -> Double {
        let start = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - start < duration {
            for _ in 0..<1000 {
                ask(groups[random.next(below: groups.count)], random.next(below: tenants))
            }
            count += 1000
        }
        return (ContinuousClock.now - start) / .nanoseconds(count)
    }

    private func ask(_ group: LimitGroup, _ tenant: Int) {
        call.prepare(group)
        for dimension in group.dimensions {
            if dimension == .tenant { call.appendTenant(UInt64(tenant)) } else { call.appendValue("GET") }
        }
        store.decide(call)
    }
}

extension LimitCall {
    /// A name of sixteen letters, a different one for each number.
    func appendTenant(_ number: UInt64) {
        var letters: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &letters) { bytes in
            for index in 0..<16 { bytes[index] = UInt8(ascii: "a") + UInt8(number >> UInt64(4 * index) & 15) }
            appendValue(UnsafeRawBufferPointer(bytes))
        }
    }
}

/// Random numbers that cost a nanosecond.
struct SplitMix {
    private var state = UInt64.random(in: 0 ... .max)

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((word ^ word >> 31).multipliedFullWidth(by: UInt64(bound)).high)
    }
}

/// The gateway's clock, so that it costs what it costs there.
struct Monotonic: TimeSource {
    private let offsetMicroseconds = SystemTime.epochMicroseconds - SystemTime.monotonicNanoseconds / 1000

    var nowMicroseconds: Int64 { SystemTime.monotonicNanoseconds / 1000 + offsetMicroseconds }
}
