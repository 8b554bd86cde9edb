import Foundation
import LimiterCore
import Logging
import Telemetry
import WeirConfiguration

/// Looks after what was used of calendar quotas: brings the book up to date every so often, and records it in a file where the
/// configuration names one, from which counters go on after a start.
struct UsageRecorder: Sendable {
    /// nil: nothing is recorded.
    private let file: UsageFile?
    private let counters: any UsageKeeping
    private let interval: Duration
    private let logger: Logger

    /// Throws where the file cannot be used.
    init(_ configuration: Configuration, _ counters: any UsageKeeping, _ logger: Logger) throws(CommandError) {
        self.counters = counters
        self.logger = logger
        guard let settings = configuration.usage else {
            if configuration.limits.hasCalendarQuotas, configuration.store == nil {
                logger.warning(
                    "the counts of calendar quotas end with this process; `usage: {file: usage.log}` would keep them")
            }
            file = nil
            interval = .seconds(60)
            return
        }
        interval = settings.interval
        let (file, contents) = try UsageFile.open(settings.file, at: SystemTime.epochMicroseconds)
        self.file = file
        counters.usage.restore(birth: contents.birth)
        let unknown = counters.restore(contents.records, of: configuration.limits)
        if contents.damaged > 0 {
            logger.warning(
                "the usage file has lines that cannot be read; they are left out",
                metadata: ["file": "\(file.path)", "lines": "\(contents.damaged)"])
        }
        if unknown > 0 {
            logger.warning(
                "the usage file has counters of no limit that there is; they stay there",
                metadata: ["file": "\(file.path)", "counters": "\(unknown)"])
        }
        if contents.records.count > unknown {
            logger.notice(
                "calendar quotas go on from the usage file",
                metadata: ["file": "\(file.path)", "counters": "\(contents.records.count - unknown)"])
        }
    }

    /// Goes on until the task is cancelled.
    func run() async {
        while (try? await Task.sleep(for: interval)) != nil { record() }
    }

    /// What has changed since the last time that it could be recorded.
    func record() {
        counters.updateUsage()
        let now = SystemTime.epochMicroseconds
        let changes = counters.usage.changes(at: now)
        do {
            try file?.append(changes.map(\.record), birth: counters.usage.birth, at: now)
            counters.usage.confirm(changes)
        } catch {
            logger.error(
                "the usage file cannot be written",
                metadata: [
                    "file": "\(file?.path ?? "")", "reason": "\((error as? CommandError)?.message ?? "\(error)")",
                ])
        }
    }
}
