import Logging
import NIOCore
import NIOPosix
import NIOSSL
import WeirConfiguration

/// Asks the endpoints of services that want it, for the whole process, how they are. It belongs to one event loop.
final class HealthChecker {
    private struct Key: Hashable {
        let service: String
        let upstream: Upstream
    }

    /// The checks of one endpoint, one at a time.
    private final class Check {
        let status: EndpointStatus
        var rules: BalancingSettings.Health
        var state = HealthState()
        var next: Scheduled<Void>?
        var isOver = false

        init(_ status: EndpointStatus, _ rules: BalancingSettings.Health) {
            self.status = status
            self.rules = rules
        }
    }

    private let loop: any EventLoop
    private var tls: NIOSSLContext?
    private let logger: Logger
    private var checks: [Key: Check] = [:]
    private var isStopped = false

    init(on loop: any EventLoop, tls: NIOSSLContext?, logger: Logger) {
        self.loop = loop
        self.tls = tls
        self.logger = logger
    }

    /// From now on these are checked: the new ones at once, those that were before as they would have been.
    func use(_ services: [Service], _ directory: EndpointDirectory, tls: NIOSSLContext?) {
        guard !isStopped else { return }
        self.tls = tls
        var wanted: [Key: Check] = [:]
        for service in services {
            guard let rules = service.balancing.health else { continue }
            for status in directory.set(of: service).statuses {
                let key = Key(service: service.name, upstream: status.upstream)
                if let known = checks[key], known.status === status {
                    known.rules = rules
                    wanted[key] = known
                } else {
                    wanted[key] = Check(status, rules)
                }
            }
        }
        let before = checks
        checks = wanted
        for (key, check) in before where wanted[key] !== check { end(check) }
        for (key, check) in wanted where before[key] !== check { run(check) }
    }

    func stop() {
        isStopped = true
        for check in checks.values { end(check) }
        checks = [:]
    }

    private func end(_ check: Check) {
        check.isOver = true
        check.next?.cancel()
        // Where it is an endpoint still, nobody will say any more how it is.
        check.status.isHealthy = true
    }

    private func run(_ check: Check) {
        HealthProbe.ask(check.status.upstream, check.rules, on: loop, tls: tls) { [self] failure in
            guard !check.isOver else { return }
            if let isHealthy = check.state.checked(isGood: failure == nil, check.rules) {
                check.status.isHealthy = isHealthy
                announce(check, failure)
            }
            let again = NIOLoopBound((checker: self, check: check), eventLoop: loop)
            check.next = loop.scheduleTask(in: TimeAmount(check.rules.interval)) {
                again.value.checker.run(again.value.check)
            }
        }
    }

    private func announce(_ check: Check, _ failure: String?) {
        var metadata: Logger.Metadata = [
            "service": "\(check.status.service)", "upstream": "\(check.status.upstream)",
        ]
        if let failure {
            metadata["cause"] = "\(failure)"
            logger.warning("an upstream is unhealthy", metadata: metadata)
        } else {
            logger.notice("an upstream is healthy again", metadata: metadata)
        }
    }
}
