import LimiterCore

/// The control API as OpenAPI 3.1: what is built, nothing else.
enum OpenAPI {
    static let document: JSON = [
        "openapi": "3.1.0",
        "info": [
            "title": "Weir control API", "version": "1",
            "description": "Ask what budget tenants have left, decide requests, give budgets back, and change limits.",
        ],
        "security": [["token": []], [:]],
        "paths": [
            "/": ["get": operation("index", "The calls there are", ok: "The list", schema: ["type": "object"])],
            "/healthz": [
                "get": operation(
                    "healthz", "Whether the process is alive", ok: "It is", schema: reference("Health"), isOpen: true)
            ],
            "/readyz": [
                "get": operation(
                    "readyz", "Whether it should be sent requests", ok: "It should", schema: reference("Readiness"),
                    isOpen: true, others: ["503": answer("It starts or drains", reference("Readiness"))])
            ],
            "/metrics": [
                "get": [
                    "operationId": "metrics", "summary": "Metrics as Prometheus reads them",
                    "responses": [
                        "200": [
                            "description": "Text format 0.0.4",
                            "content": ["text/plain": ["schema": ["type": "string"]]],
                        ],
                        "401": problem("The token is missing or wrong"),
                    ],
                ]
            ],
            "/openapi.json": [
                "get": operation("openapi", "This document", ok: "OpenAPI 3.1", schema: ["type": "object"])
            ],
            "/v1/tenants/{tenant}/budget": [
                "parameters": [tenant, clientIP, method, header],
                "get": operation(
                    "budget", "What a tenant has left; consumes nothing", ok: "One row a counter",
                    schema: reference("Budget"), others: ["400": problem("The tenant or the query cannot be read")]),
            ],
            "/v1/tenants/{tenant}/usage": [
                "parameters": [tenant, clientIP, method, header, usageLimit, usageFormat],
                "get": operation(
                    "usage", "What a tenant used of its calendar quotas, the latest period first",
                    ok: "One row a quota",
                    schema: reference("Usage"),
                    others: [
                        "400": problem("The tenant or the query cannot be read"),
                        "404": problem("There is no such calendar quota"),
                    ]),
            ],
            "/v1/tenants/{tenant}/reset": [
                "parameters": [tenant, clientIP, method, header],
                "post": operation(
                    "reset", "Give a tenant its budget back; counters that everyone shares stay as they are",
                    body: reference("Reset"), ok: "The rows that were given back", schema: reference("Budget"),
                    others: [
                        "400": problem("The body or the query cannot be read"),
                        "404": problem("There is no such limit"),
                        "413": problem("The body is over 64 KiB"),
                        "422": problem("The limit is not the tenant's own, or its key depends on the request"),
                        "503": problem("The shared store does not decide just now"),
                    ]),
            ],
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
            "/v1/check": [
                "post": operation(
                    "check", "Decide one request and charge it", body: reference("CheckRequest"), needsBody: true,
                    ok: "It may pass", schema: reference("Check"),
                    others: [
                        "429": answer("It may not", reference("Check")),
                        "400": problem("The body cannot be read"),
                        "404": problem("There is no such service or route"),
                        "413": problem("The body is over 64 KiB"),
                        "503": problem("Nobody can decide, and a limit refuses then"),
                    ])
            ],
        ],
        "components": [
            "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            "schemas": [
                "Health": object(["status": ["const": "alive"]]),
                "Readiness": object([
                    "status": ["enum": ["starting", "ready", "draining"]],
                    "degraded": ["type": "boolean"],
                    "store": ["enum": ["memory", "shared", "fallback", "probing"]],
                    "replicas_alive": count, "shares": count, "unmerged": count,
                ]),
                "Budget": object([
                    "tenant": ["type": "string"],
                    "degraded": [
                        "type": "boolean",
                        "description": "The limits are configured for Redis, and Redis did not decide.",
                    ],
                    "limits": ["type": "array", "items": reference("Row")],
                ]),
                "Usage": object([
                    "tenant": text,
                    "degraded": [
                        "type": "boolean", "description": "Redis was not asked: these are this replica's own numbers.",
                    ],
                    "usage": [
                        "type": "array",
                        "items": object(
                            [
                                "name": text, "service": ["type": ["string", "null"]],
                                "limit": ["type": "integer", "minimum": 1], "per": text, "time_zone": text,
                                "periods": [
                                    "type": "array",
                                    "items": object([
                                        "period": text, "from": ["type": "string", "format": "date-time"],
                                        "to": ["type": "string", "format": "date-time"], "used": count,
                                        "current": ["type": "boolean"],
                                    ]),
                                ],
                            ], optional: ["route": text]),
                    ],
                ]),
                "Row": object(row, optional: rowExtras),
                "CheckRow": object(
                    .object(row.members + [.init("allowed", ["type": "boolean"])]), optional: rowExtras),
                "CheckRequest": object(
                    ["service": text],
                    optional: [
                        "tenant": ["type": "string", "minLength": 1, "maxLength": 256],
                        "route": text, "method": text, "client_ip": text,
                        "headers": ["type": "object", "additionalProperties": ["type": "string"]],
                        "cost": [
                            "type": "integer", "minimum": 0, "maximum": 2_147_483_648,
                            "description": "Instead of every limit's own cost.",
                        ],
                        "dry_run": ["type": "boolean", "description": "Answer the same, charge nothing."],
                    ]),
                "Check": object([
                    "allowed": ["type": "boolean"], "degraded": ["type": "boolean"],
                    "retry_after_seconds": [
                        "type": ["number", "null"],
                        "description": "Null when allowed, and when the cost is over the limit and can never pass.",
                    ],
                    "violated": ["type": "array", "items": text],
                    "limits": ["type": "array", "items": reference("CheckRow")],
                ]),
                "Limits": object([
                    "tenant": text, "plan": optionalText,
                    "limits": ["type": "array", "items": reference("LimitRow")],
                ]),
                "LimitRow": object(
                    .object(limitRow.members + value.members),
                    optional: .object(
                        valueExtras.members + [
                            .init("time_zone", text), .init("guard", ["const": true]), .init("shadow", ["const": true]),
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
                "Reset": object([:], optional: ["limit": text, "service": text]),
                "Problem": object([
                    "type": text, "title": text, "status": count, "detail": text,
                    "code": ["enum": .array(ControlError.Code.allCases.map { .string($0.rawValue) })],
                ]),
            ],
        ],
    ]

    private static let text: JSON = ["type": "string"]
    private static let count: JSON = ["type": "integer", "minimum": 0]
    private static let unknown = "Null: the counter's key depends on the request, or nobody can say just now."

    private static let row: JSON = [
        "name": text,
        "service": ["type": ["string", "null"]],
        "algorithm": ["enum": ["sliding_window", "token_bucket", "calendar"]],
        "limit": ["type": "integer", "minimum": 1],
        "window_seconds": [
            "type": ["integer", "null"], "minimum": 1, "description": "null: `period` and `time_zone` say it.",
        ],
        "used": ["type": ["integer", "null"], "description": .string(unknown)],
        "remaining": ["type": ["integer", "null"], "minimum": 0],
        "reset_after_seconds": ["type": ["number", "null"], "description": "Until nothing is used any more."],
    ]
    private static let rowExtras: JSON = [
        "route": text, "shadow": ["const": true],
        "period": ["enum": .array(CalendarPeriod.Unit.allCases.map { .string($0.rawValue) })], "time_zone": text,
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
        "algorithm": ["enum": ["sliding_window", "token_bucket", "calendar"]],
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

    private static let tenant: JSON = [
        "name": "tenant", "in": "path", "required": true,
        "schema": ["type": "string", "minLength": 1, "maxLength": 256],
    ]
    private static let usageLimit: JSON = [
        "name": "limit", "in": "query", "schema": text, "description": "This quota alone.",
    ]
    private static let usageFormat: JSON = [
        "name": "format", "in": "query", "schema": ["enum": ["json", "csv"]],
        "description": "csv: a line a period, under a header.",
    ]
    private static let clientIP: JSON = [
        "name": "client_ip", "in": "query", "schema": text, "description": "For limits per client_ip.",
    ]
    private static let method: JSON = [
        "name": "method", "in": "query", "schema": text, "description": "For limits per method.",
    ]
    private static let header: JSON = [
        "name": "headers", "in": "query", "style": "form", "explode": true,
        "description": "`header:<name>=<value>`, for limits per that header.",
        "schema": [
            "type": "object", "propertyNames": ["pattern": "^header:."], "additionalProperties": ["type": "string"],
        ],
    ]

    private static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }

    private static func object(_ required: JSON, optional: JSON = [:]) -> JSON {
        [
            "type": "object", "required": .array(required.members.map { .string($0.name) }),
            "properties": .object(required.members + optional.members), "additionalProperties": false,
        ]
    }

    private static func answer(_ description: String, _ schema: JSON, type: String = "application/json") -> JSON {
        ["description": .string(description), "content": .object([.init(type, ["schema": schema])])]
    }

    private static func problem(_ description: String) -> JSON {
        answer(description, reference("Problem"), type: "application/problem+json")
    }

    private static func operation(
        _ name: String, _ summary: String, body: JSON? = nil, needsBody: Bool = false, ok: String, schema: JSON,
        isOpen: Bool = false, others: JSON = [:]
    ) -> JSON {
        var members: [JSON.Member] = [.init("operationId", .string(name)), .init("summary", .string(summary))]
        if isOpen { members.append(.init("security", [])) }
        if let body {
            let content: JSON = ["application/json": ["schema": body]]
            members.append(.init("requestBody", ["required": .bool(needsBody), "content": content]))
        }
        var responses: [JSON.Member] = [.init("200", answer(ok, schema))] + others.members
        if !isOpen { responses.append(.init("401", problem("The token is missing or wrong"))) }
        members.append(.init("responses", .object(responses)))
        return .object(members)
    }
}
