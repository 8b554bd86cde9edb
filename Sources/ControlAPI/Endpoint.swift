/// One call of the control API, as the index lists it.
struct Endpoint: Hashable, Sendable {
    let method: String
    /// With `{name}` where a part of the path is the caller's.
    let path: String
    let does: String
    var isBuilt = true

    static let all: [Endpoint] = [
        Endpoint(method: "GET", path: "/", does: "this list"),
        Endpoint(method: "GET", path: "/healthz", does: "whether the process is alive"),
        Endpoint(method: "GET", path: "/readyz", does: "whether it should be sent requests, and how counters are kept"),
        Endpoint(method: "GET", path: "/metrics", does: "metrics as Prometheus reads them"),
        Endpoint(method: "GET", path: "/openapi.json", does: "this API as OpenAPI 3.1"),
        Endpoint(
            method: "GET", path: "/v1/tenants/{tenant}/budget", does: "what a tenant has left; consumes nothing"),
        Endpoint(
            method: "GET", path: "/v1/tenants/{tenant}/usage",
            does: "what a tenant used of its calendar quotas, by period; as CSV with ?format=csv"),
        Endpoint(
            method: "POST", path: "/v1/check",
            does: "decide one request and charge it, or ask with \"dry_run\" and charge nothing"),
        Endpoint(method: "POST", path: "/v1/tenants/{tenant}/reset", does: "give a tenant its budget back"),
        Endpoint(
            method: "GET", path: "/v1/tenants/{tenant}/limits",
            does: "which limits apply to a tenant, with which values, and why"),
        Endpoint(
            method: "PUT", path: "/v1/tenants/{tenant}/overrides/{limit}",
            does: "change a tenant's limit at run time, on every replica"),
        Endpoint(method: "DELETE", path: "/v1/tenants/{tenant}/overrides/{limit}", does: "end such a change"),
        Endpoint(method: "GET", path: "/v1/tenants/{tenant}/overrides", does: "a tenant's changes that are in force"),
        Endpoint(method: "GET", path: "/v1/audit", does: "who changed which limit of whom, the last change first"),
        Endpoint(
            method: "GET", path: "/v1/migrations",
            does: "how far services have moved to second versions, and what these answered"),
        Endpoint(method: "GET", path: "/v1/log-level", does: "the least level that this process logs"),
        Endpoint(method: "PUT", path: "/v1/log-level", does: "change it, until the process ends"),
        Endpoint(method: "POST", path: "/v1/reservations", does: "reserve a cost", isBuilt: false),
        Endpoint(
            method: "POST", path: "/v1/reservations/{id}/commit", does: "settle a reservation", isBuilt: false),
        Endpoint(method: "DELETE", path: "/v1/reservations/{id}", does: "give a reservation back", isBuilt: false),
        Endpoint(method: "GET", path: "/v1/authorize", does: "forward-auth for other proxies", isBuilt: false),
    ]

    /// The methods that a path takes; empty: there is no such path.
    static func methods(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        let matching = all.filter { endpoint in
            let pattern = endpoint.path.split(separator: "/")
            return pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return matching.map(\.method)
    }

    /// The list at `/`: what is built.
    static var index: JSON {
        let entries = all.filter(\.isBuilt).map { endpoint -> JSON in
            ["method": .string(endpoint.method), "path": .string(endpoint.path), "does": .string(endpoint.does)]
        }
        return ["name": "weir", "paths": .array(entries)]
    }
}
