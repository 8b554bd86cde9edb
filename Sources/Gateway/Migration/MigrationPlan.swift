import HTTPWire
import NIOCore
import Telemetry
import WeirConfiguration

/// How one service moves to second versions. What a configuration declares as the one before did goes on.
final class MigrationPlan: Sendable {
    struct ShiftPlan: Sendable {
        /// Index of the second version.
        let service: Int
        let name: String
        let progress: ShiftProgress
    }

    struct MirrorPlan: Sendable {
        /// Index of the second version.
        let service: Int
        let rules: Mirror
        let figures: MirrorFigures
        let timeout: TimeAmount
        private let methods: UInt64

        init(_ rules: Mirror, service: Int, figures: MirrorFigures) {
            self.rules = rules
            self.service = service
            self.figures = figures
            timeout = TimeAmount(rules.timeout)
            methods = Method.allCases.reduce(0) { mask, method in
                rules.methods.contains(method.name.description) ? mask | 1 << UInt64(method.rawValue) : mask
            }
        }

        func takes(_ method: Method) -> Bool { methods & 1 << UInt64(method.rawValue) != 0 }
    }

    let name: String
    let hash: ByteTable.Hash
    let shift: ShiftPlan?
    let mirror: MirrorPlan?

    /// nil: the service stays where it is.
    init?(_ service: Service, _ names: [String: Int], following previous: MigrationPlan?) {
        guard service.shift != nil || service.mirror != nil else { return nil }
        name = service.name
        hash = ByteTable.Hash(Array(service.name.utf8))
        shift = service.shift.flatMap { declared in
            let before = previous?.shift?.progress
            return names[declared.service].map {
                ShiftPlan(
                    service: $0, name: declared.service,
                    progress: before.flatMap { $0.shift == declared ? $0 : nil } ?? ShiftProgress(declared))
            }
        }
        mirror = service.mirror.flatMap { declared in
            let before = previous?.mirror
            let figures = before?.rules.service == declared.service ? before?.figures : nil
            return names[declared.service].map {
                MirrorPlan(declared, service: $0, figures: figures ?? MirrorFigures())
            }
        }
    }

    /// `seconds` since the epoch; `now` in nanoseconds of a monotonic clock.
    func status(atSeconds seconds: Int64, _ now: Int64) -> MigrationMetrics.Status {
        var status = MigrationMetrics.Status(service: name)
        status.mirror = mirror.map {
            MigrationMetrics.Mirror(service: $0.rules.service, share: $0.rules.share, report: $0.figures.report)
        }
        status.shift = shift.map { plan in
            let counts = plan.progress.counts(at: now)
            return MigrationMetrics.Shift(
                service: plan.name, share: plan.progress.share(atSeconds: seconds),
                scheduledShare: plan.progress.shift.share(atSeconds: seconds), isReturned: plan.progress.isReturned,
                first: counts.map { .init(requests: $0.first.requests, failures: $0.first.failures) },
                second: counts.map { .init(requests: $0.second.requests, failures: $0.second.failures) })
        }
        return status
    }
}
