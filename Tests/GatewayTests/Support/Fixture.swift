import Gateway
import Glibc
import LimiterCore
import Logging
import NIOCore
import NIOPosix
import Telemetry
import TestSupport
import WeirConfiguration

/// A gateway on a free port, and what a test says to it.
final class Fixture: Sendable {
    let port: Int
    let server: GatewayServer
    let time: ManualTime
    let limits: LimitTable

    init(port: Int, server: GatewayServer, time: ManualTime, limits: LimitTable) {
        self.port = port
        self.server = server
        self.time = time
        self.limits = limits
    }

    func connect() throws -> MessageReader { MessageReader(try Wire.connect(port: port)) }

    /// One request on a connection of its own.
    func ask(_ request: String, withoutBody: Bool = false) throws -> Message {
        let reader = try connect()
        try reader.wire.send(request)
        guard let answer = try reader.next(withoutBody: withoutBody) else {
            throw Wire.Failure(description: "closed without an answer")
        }
        return answer
    }

    func get(_ path: String, _ fields: String...) throws -> Message {
        try ask("GET \(path) HTTP/1.1\r\nHost: weir.test\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n")
    }
}

/// What a test configures.
struct Setup {
    var gateway = GatewaySettings()
    var identity = IdentitySettings()
    /// `path` to upstream ports; the service has the path's name.
    var services: [(name: String, path: String, upstreams: [Int])] = []
    var limits: [LimitDeclaration] = []
    var serviceLimits: [String: [LimitDeclaration]] = [:]
    /// What each plan changes, and who has which.
    var plans: [String: [LimitChange]] = [:]
    var planOfTenant: [String: String] = [:]
    var upstreamScheme = "http"
    var upstreamHost = "127.0.0.1"
    var trust = GatewayServer.UpstreamTrust.system
    var accessLog: AccessLog?
    var spans: SpanQueue?
    /// Replaces one that logs nothing.
    var logger: Logger?
    /// The wall clock, in microseconds since 1970; nil: the system's.
    var epoch: (@Sendable () -> Int64)?
    var requestKeys: @Sendable (String) -> Void = { _ in }
    /// Replaces the store in memory.
    var makeStore: (@Sendable (any EventLoop) -> any LimitStore)?
    var metrics: Metrics?

    init(_ upstream: TestUpstream) { services = [(name: "service", path: "/", upstreams: [upstream.port])] }

    init(_ services: [(name: String, path: String, upstreams: [Int])]) { self.services = services }

    /// Replaces everything above but `accessLog`, `spans`, `logger`, `metrics`, `epoch`, `requestKeys` and `makeStore`.
    var yaml: String?
    /// What relative paths in it start from.
    var folder = ""

    /// As a file says it; `services` and all else but the listeners stand in it.
    init(yaml: String) {
        services = []
        self.yaml = yaml
    }

    func configuration() throws -> Configuration {
        if let yaml {
            var configuration = try Configuration.parse(yaml, file: folder + "weir.yaml")
            configuration.gateway.listen = ListenAddress(host: "127.0.0.1", port: 0)
            configuration.gateway.workers = gateway.workers
            return configuration
        }
        var global = LimitScope()
        for limit in limits { try global.declare(limit) }
        var table = LimitTable(
            global: global,
            services: try services.map { service in
                var scope = global.service(service.name)
                for limit in serviceLimits[service.name] ?? [] { try scope.declare(limit) }
                return LimitTable.ServiceLimits(
                    name: service.name, scope: scope, routes: [(name: service.path, scope: scope.route(service.path))])
            })
        var plans = TenantPlans()
        for (name, changes) in self.plans { plans.add(TenantPlans.Plan.make(name, changes, of: table).plan) }
        for (tenant, plan) in planOfTenant { plans.assign(plan, to: tenant) }
        table = table.serving(plans)
        var gateway = gateway
        gateway.listen = ListenAddress(host: "127.0.0.1", port: 0)
        return Configuration(
            gateway: gateway, control: ControlSettings(), store: nil, identity: identity,
            services: services.map { service in
                Service(
                    name: service.name, routes: [Route(name: service.path, path: service.path, host: nil)],
                    upstreams: service.upstreams.map {
                        Upstream(usesTLS: upstreamScheme == "https", host: upstreamHost, port: $0)
                    })
            }, limits: table)
    }
}

/// Runs a gateway while `body` runs.
func withGateway(
    _ setup: Setup, port: Int = 0, overrides: [LimitOverride] = [], _ body: (Fixture) async throws -> Void
) async throws {
    var configuration = try setup.configuration()
    configuration.gateway.listen.port = port
    let group = MultiThreadedEventLoopGroup(numberOfThreads: setup.gateway.workers)
    let time = ManualTime()
    let store = LocalStore(labels: configuration.limits.labels, time: time)
    let metrics =
        setup.metrics
        ?? Metrics(
            services: configuration.services.map(\.name), limits: configuration.limits.labels.map { ($0.limit, nil) },
            workers: setup.gateway.workers + 1,
            traffic: TrafficNames(
                configuration.services.map { TrafficNames.Service($0.name, routes: $0.routes.map(\.name)) }))
    var logger = setup.logger ?? Logger(label: "gateway-tests")
    if setup.logger == nil { logger.logLevel = .critical }
    let server = GatewayServer(
        configuration: configuration, group: group, guards: store, metrics: metrics, logger: logger,
        accessLog: setup.accessLog, spans: setup.spans, trust: setup.trust, requestKeys: setup.requestKeys,
        epoch: setup.epoch ?? { SystemTime.epochMicroseconds }, makeStore: setup.makeStore ?? { _ in store })
    server.use(LimitOverrides(overrides, of: configuration.limits))
    do {
        let address = try await server.start()
        try await body(Fixture(port: address.port, server: server, time: time, limits: configuration.limits))
    } catch {
        await server.shutdown()
        try await group.shutdownGracefully()
        throw error
    }
    await server.shutdown()
    try await group.shutdownGracefully()
}

/// The same before one upstream, which is stopped afterwards; `change` says what else is configured.
func withGateway(
    before upstream: TestUpstream, _ change: (inout Setup) -> Void = { _ in }, _ body: (Fixture) async throws -> Void
) async throws {
    defer { upstream.stop() }
    var setup = Setup(upstream)
    change(&setup)
    try await withGateway(setup, body)
}

/// Waits until a condition holds, for ten seconds at most.
func eventually(_ condition: () throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        await Task.yield()
        usleep(2000)
    }
    return try condition()
}

func declared(
    _ name: String, per: [Dimension] = [.tenant], _ rate: String, burst: Int64? = nil, shadow: Bool = false,
    cost: Cost? = nil, isGuard: Bool = false, counts: Limit.Counted? = nil
) throws -> LimitDeclaration {
    var limit = LimitDeclaration(name: name)
    limit.per = per
    limit.rate = try Rate(parsing: rate)
    if let burst {
        limit.algorithm = .tokenBucket
        limit.burst = burst
    }
    limit.isShadow = shadow
    limit.cost = cost
    limit.isGuard = isGuard
    limit.counts = counts
    return limit
}
