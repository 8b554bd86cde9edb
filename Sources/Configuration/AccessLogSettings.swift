/// What is written of each request, and where to.
package struct AccessLogSettings: Hashable, Sendable {
    package enum Destination: Hashable, Sendable {
        case off
        case standardOutput
        case file(String)
    }

    package enum Format: String, Sendable, CaseIterable {
        case json
        /// The combined log format of Apache and nginx.
        case combined
    }

    package enum Field: Hashable, Sendable {
        case time, requestID, traceID, clientIP, method, host, path, query, status, service, route, tenant, apiKey,
            outcome
        case limitedBy, shadowLimitedBy, degraded, duration, upstream, upstreamDuration, upstreamStatus
        case bytesIn, bytesOut, userAgent, referer, cause
        case attempts, breaker, served, version
        /// Lowercase name.
        case header(String)

        /// Those that are written where nothing else is said.
        package static let defaults: [Field] = [
            .time, .requestID, .traceID, .clientIP, .method, .path, .status, .service, .route, .tenant, .apiKey,
            .outcome,
            .limitedBy, .shadowLimitedBy, .degraded, .duration, .upstream, .upstreamDuration, .bytesIn, .bytesOut,
            .cause, .attempts, .breaker, .served, .version,
        ]

        static let words: [(String, Field)] = [
            ("time", .time), ("request_id", .requestID), ("trace_id", .traceID), ("client_ip", .clientIP),
            ("method", .method), ("host", .host), ("path", .path), ("query", .query), ("status", .status),
            ("service", .service), ("route", .route), ("tenant", .tenant), ("api_key", .apiKey), ("outcome", .outcome),
            ("limited_by", .limitedBy), ("shadow_limited_by", .shadowLimitedBy), ("degraded", .degraded),
            ("duration_ms", .duration), ("upstream", .upstream), ("upstream_ms", .upstreamDuration),
            ("upstream_status", .upstreamStatus), ("bytes_in", .bytesIn), ("bytes_out", .bytesOut),
            ("user_agent", .userAgent), ("referer", .referer), ("cause", .cause),
            ("attempts", .attempts), ("breaker", .breaker), ("served", .served), ("version", .version),
        ]

        /// As the configuration and the log call it.
        package var name: String {
            if case .header(let name) = self { return "header:\(name)" }
            return Self.words.first { $0.1 == self }?.0 ?? ""
        }

        /// Whether its value is text that a client chose, or that says who somebody is.
        var canBeHashed: Bool {
            switch self {
            case .host, .path, .tenant, .apiKey, .userAgent, .referer, .header: true
            default: false
            }
        }
    }

    package var destination = Destination.off
    package var format = Format.json
    /// In the order in which they are written; of JSON lines only.
    package var fields = Field.defaults
    /// Fields whose values are not written as they are: a query keeps its names, an address its network, and all else becomes a word
    /// that stands for the value.
    package var redacted: Set<Field> = []
    /// Parameters of the query whose values are not written.
    package var redactedParameters: Set<String> = []
    /// How much of the requests that went well is written, from 0 to 1.
    package var sample = 1.0

    package init(_ destination: Destination = .off) { self.destination = destination }
}
