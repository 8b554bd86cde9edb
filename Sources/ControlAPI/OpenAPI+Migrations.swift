/// The call that says how services move to second versions.
extension OpenAPI {
    static let migrationPaths: JSON = [
        "/v1/migrations": [
            "get": operation(
                "migrations",
                "How far services have moved to second versions, and what these answered to mirrored requests, as this replica sees it",
                ok: "The services that move", schema: reference("Migrations"))
        ]
    ]

    static let migrationSchemas: JSON = [
        "Migrations": object(["services": ["type": "array", "items": reference("Migration")]]),
        "Migration": object(["service": word, "shift": optional("Shift"), "mirror": optional("Mirror")]),
        "Shift": object([
            "to": word, "share": share, "scheduled_share": share, "returned": ["type": "boolean"],
            "first": optional("VersionCounts"), "second": optional("VersionCounts"),
        ]),
        "VersionCounts": object(["requests": number, "failures": number]),
        "Mirror": object([
            "to": word, "share": share, "compared": number, "same": number, "unanswered": number, "left_out": number,
            "first_ms": reference("Quantiles"), "second_ms": reference("Quantiles"),
            "statuses": ["type": "array", "items": reference("StatusPair")],
            "differences": ["type": "array", "items": reference("Difference")],
        ]),
        "Quantiles": object(["p50": optionalNumber, "p95": optionalNumber, "p99": optionalNumber]),
        "StatusPair": object(["first": optionalStatus, "second": optionalStatus, "requests": number]),
        "Difference": object([
            "at": ["type": "string", "format": "date-time"], "request_id": word, "method": word, "path": word,
            "first": optionalStatus, "second": optionalStatus, "first_ms": ["type": "number"],
            "second_ms": ["type": "number"],
        ]),
    ]

    private static let word: JSON = ["type": "string"]
    private static let number: JSON = ["type": "integer", "minimum": 0]
    private static let share: JSON = ["type": "number", "minimum": 0, "maximum": 1]
    private static let optionalNumber: JSON = ["type": ["number", "null"]]
    private static let optionalStatus: JSON = ["type": ["integer", "null"]]

    private static func optional(_ name: String) -> JSON { ["anyOf": [reference(name), ["type": "null"]]] }
}
