import LimiterCore

/// The calls about limits' values: which apply, overrides, and their audit.
extension OpenAPI {
    static let limitPaths: JSON = [
        "/v1/tenants/{tenant}/limits": [
            "parameters": [
                tenant, query("service", "Only of requests to this service."),
                query("route", "Only of requests of this route."),
            ],
            "get": operation(
                "limits", "Which limits apply to a tenant, with which values, and why",
                ok: "Guards first, then one row a service, route and limit", schema: reference("Limits"),
                others: [
                    "400": problem("The tenant or the query cannot be read"),
                    "404": problem("There is no such service or route"),
                ]),
        ],
        "/v1/tenants/{tenant}/overrides": [
            "parameters": [tenant],
            "get": operation(
                "overrides", "A tenant's limits that were changed at run time", ok: "One entry an override",
                schema: reference("Overrides"), others: ["400": problem("The tenant cannot be read")]),
        ],
        "/v1/tenants/{tenant}/overrides/{limit}": [
            "parameters": [tenant, limit],
            "put": operation(
                "setOverride", "Change a tenant's limit, on every replica within a second",
                body: reference("OverrideRequest"), needsBody: true, ok: "It is in force on this replica",
                schema: reference("OverrideSet"),
                others: [
                    "400": problem("The body cannot be read, or the limit cannot have that value"),
                    "404": problem("There is no such limit or service"),
                    "409": problem("There are as many overrides as there can be"),
                    "413": problem("The body is over 64 KiB"),
                    "422": problem("The limit has one value for all, or its counter has several places"),
                    "503": problem("Redis, which keeps overrides, does not answer"),
                ]),
            "delete": .object(
                [
                    .init(
                        "parameters",
                        [
                            query("service", "The override for this service; without it, the one for all places."),
                            query("reason", "For the audit record."),
                        ])
                ]
                    + operation(
                        "removeOverride", "End such a change", ok: "It is no longer in force on this replica",
                        schema: reference("OverrideRemoved"),
                        others: [
                            "400": problem("The tenant or the query cannot be read"),
                            "404": problem("There is no such override"),
                            "503": problem("Redis, which keeps overrides, does not answer"),
                        ]
                    ).members),
        ],
        "/v1/audit": [
            "parameters": [
                query("tenant", "Only this tenant's."),
                query("most", "So many records at most, 1 to 1000; default: 100."),
            ],
            "get": operation(
                "audit", "Who changed which limit of whom", ok: "The last change first; 1000 are kept",
                schema: reference("Audit"),
                others: [
                    "400": problem("The query cannot be read"),
                    "503": problem("Redis, which keeps the records, does not answer"),
                ]),
        ],
    ]

    static let limitSchemas: JSON = [
        "Limits": object([
            "tenant": text, "plan": optionalText,
            "limits": ["type": "array", "items": reference("LimitRow")],
        ]),
        "LimitRow": object(
            .object(limitRow.members + value.members),
            optional: .object(
                valueExtras.members + [
                    .init("guard", ["const": true]), .init("shadow", ["const": true]), .init("time_zone", text),
                    .init("count", ["const": "failed_authentication"]),
                ])),
        "Value": object(value, optional: valueExtras),
        "OverrideRequest": object(
            ["rate": ["type": "string", "examples": ["100/minute"]]],
            optional: [
                "burst": [
                    "type": "integer", "minimum": 1,
                    "description": "Of a token bucket; default: the rate's count.",
                ],
                "service": [
                    "type": "string", "description": "Left out: wherever a limit of that name applies.",
                ],
                "expires_at": [
                    "type": ["string", "number"],
                    "description": "RFC 3339 or seconds since 1970; left out: it stays until it is removed.",
                ],
                "reason": ["type": "string", "maxLength": 256, "description": "For the audit record."],
            ]),
        "Override": object(override, optional: ["problem": text]),
        "Overrides": object([
            "tenant": text, "kept_in": keptIn,
            "overrides": ["type": "array", "items": reference("Override")],
        ]),
        "OverrideSet": object([
            "tenant": text, "kept_in": keptIn, "override": reference("Override"),
            "replaces": ["anyOf": [reference("Override"), ["type": "null"]]],
        ]),
        "OverrideRemoved": object([
            "tenant": text, "kept_in": keptIn, "removed": reference("Override"),
        ]),
        "Audit": object([
            "kept_in": keptIn, "records": ["type": "array", "items": reference("Record")],
        ]),
        "Record": object([
            "at": moment,
            "action": ["enum": .array(OverrideRecord.Action.allCases.map { .string($0.rawValue) })],
            "tenant": text, "limit": text, "service": optionalText, "before": overrideValue,
            "after": overrideValue, "reason": optionalText, "client": optionalText,
        ]),
    ]

    private static let optionalText: JSON = ["type": ["string", "null"]]
    private static let moment: JSON = ["type": "string", "format": "date-time"]
    private static let optionalMoment: JSON = ["type": ["string", "null"], "format": "date-time"]
    private static let keptIn: JSON = [
        "enum": ["redis", "memory"], "description": "In memory they are this process's alone, and end with it.",
    ]
    private static let overrideMembers: JSON = [
        "rate": text, "burst": ["type": ["integer", "null"]], "expires_at": optionalMoment,
    ]
    private static let overrideValue: JSON = ["anyOf": [object(overrideMembers), ["type": "null"]]]
    private static let override: JSON = .object(
        [.init("limit", text), .init("service", optionalText)] + overrideMembers.members + [
            .init("set_at", moment), .init("reason", optionalText), .init("client", optionalText),
        ])
    private static let limitRow: JSON = [
        "name": text, "service": optionalText, "route": optionalText,
        "per": ["anyOf": [["const": "everyone"], ["type": "array", "items": text]]],
        "algorithm": algorithm,
        "mode": ["enum": ["exact", "leased", "automatic", "local"]],
        "cost": [
            "type": ["integer", "object"],
            "description": "Units a request; by method, with `other`; or from a `header`, and `otherwise`.",
        ],
        "replaces": [
            "type": "array", "items": reference("Value"),
            "description": "The values that this one comes before, the next one first.",
        ],
    ]
    private static let value: JSON = [
        "rate": text, "source": ["enum": ["override", "plan", "route", "service", "global"]],
    ]
    private static let valueExtras: JSON = [
        "burst": ["type": "integer", "minimum": 1], "plan": text, "expires_at": optionalMoment,
    ]
    private static let limit: JSON = [
        "name": "limit", "in": "path", "required": true, "schema": ["type": "string", "minLength": 1, "maxLength": 64],
    ]

    private static func query(_ name: String, _ description: String) -> JSON {
        ["name": .string(name), "in": "query", "schema": text, "description": .string(description)]
    }
}
