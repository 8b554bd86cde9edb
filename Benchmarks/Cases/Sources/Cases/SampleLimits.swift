import LimiterCore

/// Limits as a configuration of many services has them, and the tenants that they apply to.
struct SampleLimits {
    let table: LimitTable

    /// Every service has as many limits per tenant of its own as `limitsEach` says, windows and buckets in turn; all share
    /// those for everyone.
    init(
        services: Int, limitsEach: Int, forEveryone: Int = 0, rate: String = "1000000000/minute",
        mode: Limit.Mode? = nil
    ) throws {
        var global = LimitScope()
        for number in 0..<forEveryone {
            try global.declare(Self.declaration("everyone-\(number)", per: [], rate: rate, isBucket: false, mode))
        }
        table = LimitTable(
            global: global,
            services: try (0..<services).map { service in
                var scope = global.service("service-\(service)")
                for number in 0..<limitsEach {
                    try scope.declare(
                        Self.declaration("limit-\(number)", per: [.tenant], rate: rate, isBucket: number % 2 == 1, mode)
                    )
                }
                return LimitTable.ServiceLimits(
                    name: "service-\(service)", scope: scope, routes: [("/", scope.route("/"))])
            })
    }

    /// What applies to a request of the last service.
    var group: LimitGroup { table.services[table.services.count - 1].routes[0] }

    static let tenants = (0..<1000).map { Array("tenant-\($0)".utf8) }

    private static func declaration(
        _ name: String, per: [Dimension], rate: String, isBucket: Bool, _ mode: Limit.Mode?
    ) throws -> LimitDeclaration {
        var declaration = LimitDeclaration(name: name)
        declaration.per = per
        declaration.rate = try Rate(parsing: rate)
        declaration.algorithm = isBucket ? .tokenBucket : .slidingWindow
        declaration.mode = mode
        return declaration
    }
}

/// 2026-01-01T00:02:03.456789Z, always.
struct StandingTime: TimeSource {
    let nowMicroseconds: Int64 = 1_767_225_723_456_789
}
