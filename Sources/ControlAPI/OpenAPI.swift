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
        "paths": .object(paths.members + limitPaths.members + logLevelPaths.members + migrationPaths.members),
        "components": [
            "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            "schemas": .object(
                schemas.members + limitSchemas.members + logLevelSchemas.members + migrationSchemas.members),
        ],
    ]

    private static let paths: JSON = [
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
            "parameters": [tenant, clientIP, method, header, claim],
            "get": operation(
                "budget", "What a tenant has left; consumes nothing", ok: "One row a counter",
                schema: reference("Budget"), others: ["400": problem("The tenant or the query cannot be read")]),
        ],
        "/v1/tenants/{tenant}/usage": [
            "parameters": [tenant, clientIP, method, header, claim, usageLimit, usageFormat],
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
            "parameters": [tenant, clientIP, method, header, claim],
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
    ]

    private static let schemas: JSON = [
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
                "claims": [
                    "type": "object", "additionalProperties": ["type": ["string", "integer", "boolean"]],
                    "description": "What the caller's token claims, for limits per claim.",
                ],
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
        "Reset": object([:], optional: ["limit": text, "service": text]),
        "Problem": object([
            "type": text, "title": text, "status": count, "detail": text,
            "code": ["enum": .array(ControlError.Code.allCases.map { .string($0.rawValue) })],
        ]),
    ]

    static let text: JSON = ["type": "string"]
    private static let count: JSON = ["type": "integer", "minimum": 0]
    private static let unknown = "Null: the counter's key depends on the request, or nobody can say just now."

    static let algorithm: JSON = ["enum": ["sliding_window", "token_bucket", "calendar"]]

    private static let row: JSON = [
        "name": text,
        "service": ["type": ["string", "null"]],
        "algorithm": algorithm,
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

    static let tenant: JSON = [
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
    private static let claim: JSON = [
        "name": "claims", "in": "query", "style": "form", "explode": true,
        "description": "`claim:<name>=<value>`, for limits per that claim.",
        "schema": [
            "type": "object", "propertyNames": ["pattern": "^claim:."], "additionalProperties": ["type": "string"],
        ],
    ]
    private static let header: JSON = [
        "name": "headers", "in": "query", "style": "form", "explode": true,
        "description": "`header:<name>=<value>`, for limits per that header.",
        "schema": [
            "type": "object", "propertyNames": ["pattern": "^header:."], "additionalProperties": ["type": "string"],
        ],
    ]

    static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }

    static func object(_ required: JSON, optional: JSON = [:]) -> JSON {
        [
            "type": "object", "required": .array(required.members.map { .string($0.name) }),
            "properties": .object(required.members + optional.members), "additionalProperties": false,
        ]
    }

    static func answer(_ description: String, _ schema: JSON, type: String = "application/json") -> JSON {
        ["description": .string(description), "content": .object([.init(type, ["schema": schema])])]
    }

    static func problem(_ description: String) -> JSON {
        answer(description, reference("Problem"), type: "application/problem+json")
    }

    static func operation(
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
