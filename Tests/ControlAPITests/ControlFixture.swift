import Hummingbird
import HummingbirdTesting
import LimiterCore
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import WeirConfiguration

@testable import ControlAPI

/// A control plane over counters in memory, whose clock stands still until it is moved.
struct ControlFixture: Sendable {
    final class ManualClock: TimeSource {
        private let now = Mutex<Int64>(1_700_000_040_000_000)

        var nowMicroseconds: Int64 { now.withLock { $0 } }
        func advance(bySeconds seconds: Int64) { now.withLock { $0 += seconds * 1_000_000 } }
    }

    /// Answers as it is told, in place of the counters.
    final class Switch: LimitStore, Sendable {
        enum Mode: Sendable { case local, degraded, unavailable }

        let mode = Mutex(Mode.local)
        let local: LocalStore

        init(_ local: LocalStore) { self.local = local }

        func decide(_ call: LimitCall) {
            switch mode.withLock({ $0 }) {
            case .local: local.decide(call)
            case .unavailable:
                call.decideUnavailable()
                call.answer()
            case .degraded:
                let receiver = call.receiver
                call.receiver = nil
                local.decide(call)
                call.decision.isDegraded = true
                call.receiver = receiver
                call.answer()
            }
        }
    }

    let clock = ManualClock()
    let store: Switch
    let readiness = Readiness()
    let logLevel = SharedLogLevel(.info)
    let metrics: Metrics
    let server: ControlServer
    let status: Status
    let board: OverrideBoard
    let overrides: LocalOverrideStore

    final class Status: Sendable {
        let value = Mutex(StoreStatus(phase: .memory, replicasAlive: 0, shares: 1, unmerged: 0))
    }

    init(
        token: String? = nil, listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 0),
        limits: LimitTable? = nil, overrideStore: (any OverrideStore)? = nil
    ) throws {
        var configuration = Configuration(
            gateway: GatewaySettings(), control: ControlSettings(), store: nil, identity: IdentitySettings(),
            services: [], limits: try limits ?? Self.limits())
        configuration.control.listen = listen
        configuration.control.token = token
        let store = Switch(LocalStore(labels: configuration.limits.labels, time: clock))
        let status = Status()
        let metrics = Metrics(
            services: configuration.limits.services.map(\.name),
            limits: configuration.limits.labels.map { ($0.limit, $0.owner.service) },
            workers: configuration.gateway.workers)
        self.store = store
        self.status = status
        self.metrics = metrics
        let turn = Mutex(())
        board = OverrideBoard(configuration.limits)
        overrides = LocalOverrideStore(board, time: clock)
        server = ControlServer(
            configuration: configuration,
            limiter: AsyncLimiter(store: store) { work in turn.withLock { _ in work() } },
            usage: AsyncUsage(store: store.local) { work in turn.withLock { _ in work() } },
            board: board, overrides: overrideStore ?? overrides, metrics: metrics,
            status: { status.value.withLock { $0 } },
            readiness: readiness, logLevel: logLevel,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func limits() throws -> LimitTable {
        var global = LimitScope()
        try global.declare(limit("global", per: [.tenant], "100/minute"))
        try global.declare(limit("everyone", per: [], "1000/hour"))
        var flood = limit("flood", per: [.clientIP], "50/second")
        flood.isGuard = true
        try global.declare(flood)
        var watched = limit("watched", per: [.tenant, .header("x-team")], "2/minute")
        watched.isShadow = true
        var product = global.service("product")
        try product.declare(limit("global", per: nil, "1000/minute"))
        var payment = global.service("payment")
        var bucket = limit("payment", per: [.tenant], "10/minute")
        bucket.algorithm = .tokenBucket
        try payment.declare(bucket)
        var refunds = payment.route("refunds")
        try refunds.declare(limit("refunds", per: [.tenant], "1/30s"))
        var catalog = global.service("catalog")
        try catalog.declare(watched)
        try catalog.declare(limit("address", per: [.clientIP], "3/minute"))
        let table = LimitTable(
            global: global,
            services: [
                .init(name: "product", scope: product, routes: []),
                .init(
                    name: "payment", scope: payment,
                    routes: [("/payment", payment.route("/payment")), ("refunds", refunds)]),
                .init(name: "catalog", scope: catalog, routes: []),
            ])
        let pro = [
            LimitChange(.plan("pro"), limit: "global", rate: try Rate(parsing: "500/minute")),
            LimitChange(.plan("pro"), limit: "payment", service: "payment", burst: 30),
        ]
        var plans = TenantPlans()
        plans.add(TenantPlans.Plan.make("pro", pro, of: table).plan)
        plans.assign("pro", to: "initech")
        return table.serving(plans)
    }

    static func limit(_ name: String, per: [LimiterCore.Dimension]?, _ rate: String) -> LimitDeclaration {
        var declaration = LimitDeclaration(name: name)
        declaration.per = per
        declaration.rate = try? Rate(parsing: rate)
        return declaration
    }

    /// Runs `body` against the routes, without a socket.
    func run(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await server.application().test(.router) { try await body($0) }
    }
}

/// An answer with its body read.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let text: String
    let json: JSON

    subscript(_ name: String) -> JSON? { json[name] }

    func row(_ name: String, service: String? = nil) -> JSON? {
        guard case .array(let rows)? = json["limits"] else { return nil }
        return rows.first { $0["name"] == .string(name) && $0["service"] == .optional(service) }
    }

    var rowNames: [String] {
        guard case .array(let rows)? = json["limits"] else { return [] }
        return rows.compactMap { if case .string(let name)? = $0["name"] { name } else { nil } }
    }

    var detail: String { if case .string(let text)? = json["detail"] { text } else { "" } }
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method = .get, _ uri: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await execute(uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }) {
            let text = String(buffer: $0.body)
            return Answer(
                status: $0.status.code, headers: $0.headers, text: text, json: JSON(parsing: .init(text.utf8)) ?? .null)
        }
    }

    func check(_ body: String) async throws -> Answer { try await ask(.post, "/v1/check", body) }

    func budget(_ tenant: String, _ query: String = "") async throws -> Answer {
        try await ask(.get, "/v1/tenants/\(tenant)/budget\(query)")
    }
}
