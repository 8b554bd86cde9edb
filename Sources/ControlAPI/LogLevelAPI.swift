import Hummingbird
import Logging
import Telemetry

/// What is logged, asked and changed while the process runs. It lasts until the process ends or another configuration says otherwise.
struct LogLevelAPI: Sendable {
    let shared: SharedLogLevel
    let logger: Logger

    func addRoutes(to router: Router<ControlContext>) {
        router.get("/v1/log-level") { _, _ in answer }
        router.put("/v1/log-level") { request, context in try await set(request, context) }
    }

    private var answer: Response { .json(["level": .string(shared.level.rawValue)]) }

    private func set(_ request: Request, _ context: ControlContext) async throws(ControlError) -> Response {
        var fields = try await RequestFields(body: request.body)
        let word = try fields.string("level", maximumBytes: 16)
        try fields.finish()
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        guard let word else {
            throw ControlError(.invalidRequest, "`level` is missing; it is one of \(levels)")
        }
        guard let level = Logger.Level(rawValue: word) else {
            throw ControlError(.invalidRequest, "`level` must be one of \(levels)")
        }
        let before = shared.level
        shared.level = level
        // At a level that passes: who changed it should be found in the log.
        logger.log(
            level: max(.notice, level), "the log level was changed",
            metadata: ["from": "\(before)", "to": "\(level)", "client": "\(context.client ?? "unknown")"])
        return answer
    }
}
