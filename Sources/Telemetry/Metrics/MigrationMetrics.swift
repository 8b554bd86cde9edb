import Synchronization

/// How far services have moved to second versions, and what these answered to mirrored requests, as whoever moves them says when it is
/// asked.
package final class MigrationMetrics: Sendable {
    /// Of one service.
    package struct Status: Sendable {
        package let service: String
        package var mirror: Mirror?
        package var shift: Shift?

        package init(service: String) { self.service = service }
    }

    package struct Mirror: Sendable {
        /// The second version.
        package let service: String
        /// In 10 000.
        package let share: Int
        package let report: MirrorFigures.Report

        package init(service: String, share: Int, report: MirrorFigures.Report) {
            self.service = service
            self.share = share
            self.report = report
        }
    }

    package struct Shift: Sendable {
        /// Within the window that decides about a return.
        package struct Counts: Sendable {
            package let requests, failures: Int

            package init(requests: Int, failures: Int) {
                self.requests = requests
                self.failures = failures
            }
        }

        package let service: String
        /// In 10 000, now and by the schedule.
        package let share, scheduledShare: Int
        package let isReturned: Bool
        /// nil: nothing is counted, because nothing would make it return.
        package let first, second: Counts?

        package init(
            service: String, share: Int, scheduledShare: Int, isReturned: Bool, first: Counts?, second: Counts?
        ) {
            self.service = service
            self.share = share
            self.scheduledShare = scheduledShare
            self.isReturned = isReturned
            self.first = first
            self.second = second
        }
    }

    private let source = Mutex<(@Sendable () -> [Status])?>(nil)

    /// `statuses` are of the services that move, in the configuration's order.
    package func observe(_ statuses: @escaping @Sendable () -> [Status]) { source.withLock { $0 = statuses } }

    package var statuses: [Status] { source.withLock { $0 }?() ?? [] }

    func write(to exposition: inout Exposition) {
        let statuses = statuses
        writeShifts(statuses.compactMap { status in status.shift.map { (status.service, $0) } }, to: &exposition)
        writeMirrors(statuses.compactMap { status in status.mirror.map { (status.service, $0) } }, to: &exposition)
    }

    private func writeShifts(_ shifts: [(service: String, shift: Shift)], to exposition: inout Exposition) {
        guard !shifts.isEmpty else { return }
        let share = "weir_shift_share"
        exposition.family(share, .gauge, "The share of tenants whose requests go to the second version, from 0 to 1.")
        for (service, shift) in shifts {
            exposition.sample(share, Double(shift.share) / 10_000, [("service", service), ("to", shift.service)])
        }
        let returned = "weir_shift_returned"
        exposition.family(returned, .gauge, "1: the second version failed too often, and everything has returned.")
        for (service, shift) in shifts {
            exposition.sample(returned, shift.isReturned ? 1 : 0, [("service", service), ("to", shift.service)])
        }
    }

    private func writeMirrors(_ mirrors: [(service: String, mirror: Mirror)], to exposition: inout Exposition) {
        guard !mirrors.isEmpty else { return }
        let name = "weir_mirrored_total"
        exposition.family(
            name, .counter,
            "Requests that were mirrored, or left out, by whether the second version answered with the same status.")
        for (service, mirror) in mirrors {
            let report = mirror.report
            let different = report.compared - report.same - report.unanswered
            for (result, count) in [
                ("same", report.same), ("different", different), ("unanswered", report.unanswered),
                ("left_out", report.leftOut),
            ] {
                exposition.sample(name, count, [("service", service), ("to", mirror.service), ("result", result)])
            }
        }
    }
}
