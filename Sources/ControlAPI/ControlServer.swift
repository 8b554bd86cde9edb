import Foundation
import Hummingbird
import HummingbirdCore
package import LimiterCore
package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization
package import Telemetry
package import WeirConfiguration

/// The control plane's HTTP server, on an event loop group of its own, so that no scrape stalls the gateway.
package final class ControlServer: Sendable {
    private let settings: ControlSettings
    private let quota: QuotaAPI
    private let operations: OperationsAPI
    private let levels: LogLevelAPI
    private let group: any EventLoopGroup
    private let logger: Logger
    private let running = Mutex<Running?>(nil)

    private struct Running {
        let services: ServiceGroup
        let end: Task<Void, Never>
    }

    private static let maximumConnections = 512
    private static let drainSeconds = 5

    /// `limiter` and `usage` ask a store of the control plane's own; `status` says how counters are kept just now, for the whole process.
    /// `board` has the limits and their overrides that are in force, and `overrides` changes them.
    package init(
        configuration: Configuration, limiter: AsyncLimiter, usage: AsyncUsage, board: OverrideBoard,
        overrides: any OverrideStore, metrics: Metrics, status: @escaping @Sendable () -> StoreStatus,
        readiness: Readiness, logLevel: SharedLogLevel, group: any EventLoopGroup, logger: Logger
    ) {
        settings = configuration.control
        quota = QuotaAPI(
            board: board, overrideStore: overrides, limiter: limiter,
            usage: usage,
            meter: DecisionMeter(metrics, worker: configuration.gateway.workers), status: status, logger: logger)
        operations = OperationsAPI(metrics: metrics, board: board, status: status, readiness: readiness)
        levels = LogLevelAPI(shared: logLevel, logger: logger)
        self.group = group
        self.logger = logger
    }

    /// Listens; returns the bound address once requests are answered. Call it once.
    package func start() async throws(ControlError) -> ListenAddress {
        let (outcomes, outcome) = AsyncStream.makeStream(of: Result<ListenAddress, ControlError>.self)
        let settings = settings
        let application = application { channel in
            outcome.yield(
                .success(
                    ListenAddress(
                        host: settings.listen.host, port: channel.localAddress?.port ?? settings.listen.port)))
        }
        var lifecycle = ServiceGroupConfiguration(services: [application], logger: quiet)
        lifecycle.maximumGracefulShutdownDuration = .seconds(Self.drainSeconds)
        let services = ServiceGroup(configuration: lifecycle)
        let end = Task {
            do {
                try await services.run()
            } catch {
                outcome.yield(.failure(Self.cannotListen(on: settings.listen, error)))
            }
            outcome.finish()
        }
        running.withLock { $0 = Running(services: services, end: end) }
        for await result in outcomes { return try result.get() }
        throw ControlError(.cannotListen, "the control plane was stopped before it listened")
    }

    /// Finishes the requests in flight, at most five seconds, and closes.
    package func shutdown() async {
        guard let running = running.withLock({ $0.take() }) else { return }
        await running.services.triggerGracefulShutdown()
        await running.end.value
    }

    func application(onRunning: @escaping @Sendable (any Channel) -> Void = { _ in }) -> some ApplicationProtocol {
        let router = Router(context: ControlContext.self, options: .autoGenerateHeadEndpoints)
        router.middlewares.add(ProblemDetails())
        router.middlewares.add(Access(token: settings.token))
        operations.addRoutes(to: router)
        levels.addRoutes(to: router)
        quota.addRoutes(to: router)
        return Application(
            router: router,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 32 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.listen.host, port: settings.listen.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.maximumConnections, logger: quiet)),
            onServerRunning: { onRunning($0) },
            eventLoopGroupProvider: .shared(group),
            logger: quiet)
    }

    /// The server's own words on starting and stopping are of no use beside what Weir says itself.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }

    private static func cannotListen(on address: ListenAddress, _ error: any Error) -> ControlError {
        let reason =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: "another process listens there; stop it, or choose another port with --control-port"
            case EACCES: "this user may not listen there; choose a port from 1024 up with --control-port"
            case EADDRNOTAVAIL: "this machine has no such address"
            default: "\(error)"
            }
        return ControlError(.cannotListen, "the control plane cannot listen on \(address): \(reason)")
    }
}
