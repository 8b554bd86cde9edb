import Foundation
import LimiterCore
import Logging
import Telemetry
import WeirConfiguration

/// Records the counts of calendar quotas in a file, every so often and at the end, and gives the counters back at the start what is there.
struct UsageRecorder: Sendable {
    private let file: UsageFile
    private let counters: any UsageKeeping
    private let interval: Duration
    private let logger: Logger

    /// nil: the configuration names no file. Throws where it cannot be used.
    init?(_ configuration: Configuration, _ counters: any UsageKeeping, _ logger: Logger) throws(CommandError) {
        let hasQuotas = configuration.limits.hasCalendarQuotas
        guard let settings = configuration.usage else {
            if hasQuotas, configuration.store == nil {
                logger.warning(
                    "the counts of calendar quotas end with this process; `usage: {file: usage.log}` would keep them")
            }
            return nil
        }
        let limits = configuration.limits
        let now = SystemTime.epochMicroseconds
        let (file, contents) = try UsageFile.open(settings.file) { limits.isKept($0, at: now) }
        counters.usage.restore(birth: contents.birth)
        let unknown = counters.restore(contents.records, of: limits)
        self.file = file
        self.counters = counters
        self.interval = settings.interval
        self.logger = logger
        if contents.damaged > 0 {
            logger.warning(
                "the usage file has lines that cannot be read; they are left out",
                metadata: ["file": "\(file.path)", "lines": "\(contents.damaged)"])
        }
        if !contents.records.isEmpty {
            logger.notice(
                "calendar quotas go on from the usage file",
                metadata: ["file": "\(file.path)", "counters": "\(contents.records.count - unknown)"])
        }
    }

    /// Records until the task is cancelled.
    func run() async {
        while (try? await Task.sleep(for: interval)) != nil { record() }
    }

    /// What has changed since the last time.
    func record() {
        counters.updateUsage()
        let changed = counters.usage.takeChanged(at: SystemTime.epochMicroseconds)
        do {
            try file.append(changed, birth: counters.usage.birth)
        } catch {
            logger.error(
                "the usage file cannot be written",
                metadata: ["file": "\(file.path)", "reason": "\((error as? CommandError)?.message ?? "\(error)")"])
        }
    }
}
