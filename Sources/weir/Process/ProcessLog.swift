import Logging
import Telemetry
import WeirConfiguration

/// How the process logs: one logger, and the level that it and all others share.
struct ProcessLog {
    let logger: Logger
    let level: SharedLogLevel

    /// Logs to standard error from now on. Call it once a process; `level` goes before the configuration's.
    init(_ settings: LoggingSettings, level: Logger.Level?) {
        let shared = SharedLogLevel(level ?? settings.level.loggerLevel)
        let format: LineLogHandler.Format =
            switch settings.format {
            case .text: .text
            case .json: .json
            }
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format, level: shared) }
        self.level = shared
        logger = Logger(label: "weir")
    }
}

extension LoggingSettings.Level {
    var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
