import Logging
import Telemetry
import WeirConfiguration

extension AccessLog {
    /// Opens what the configuration names; nil where it names none.
    static func open(
        _ settings: AccessLogSettings, metrics: WorkerMetrics, logger: Logger
    ) throws(CommandError) -> AccessLog? {
        let destination: Destination
        switch settings.destination {
        case .off: return nil
        case .standardOutput: destination = .standardOutput
        case .file(let path): destination = .file(path)
        }
        do {
            return try AccessLog(destination, logger: logger) { metrics.countAccessLogDropped(lines: $0) }
        } catch {
            throw CommandError(.failed, "\(error)")
        }
    }
}
