import Logging

/// The call that changes what is logged.
extension OpenAPI {
    static let logLevelPaths: JSON = [
        "/v1/log-level": [
            "get": operation(
                "logLevel", "The least level that this process logs", ok: "The level", schema: reference("LogLevel")),
            "put": operation(
                "setLogLevel", "Change the least level that this process logs, until it ends",
                body: reference("LogLevel"), needsBody: true, ok: "The level from now on",
                schema: reference("LogLevel"),
                others: [
                    "400": problem("The body cannot be read, or names no level"),
                    "413": problem("The body is over 64 KiB"),
                ]),
        ]
    ]

    static let logLevelSchemas: JSON = [
        "LogLevel": object(["level": ["enum": .array(Logger.Level.allCases.map { .string($0.rawValue) })]])
    ]
}
