import HTTPWire
import Telemetry
import WeirConfiguration

/// What a line of the access log has, made ready once.
struct AccessLine: Sendable {
    /// Where a value comes from.
    enum Source: Sendable {
        case time, status, duration, upstreamDuration, upstreamStatus, bytesIn, bytesOut
        case outcome, limitedBy, shadowLimitedBy, degraded
        case attempts, breaker, served
        case text(Text)
    }

    enum Text: Sendable {
        case requestID, traceID, clientIP, method, host, path, query, service, route, tenant, apiKey, upstream, cause,
            version
        case header(FieldName)
    }

    /// What is written in place of a text.
    enum Form: Sendable {
        case asItIs
        /// Of an address.
        case network
        /// Of a query: all its values.
        case withoutValues
        /// Of a query: those of some parameters.
        case withoutSomeValues
        /// A word that stands for the value.
        case word
    }

    struct Column: Sendable {
        let name: MemberName
        let source: Source
        let form: Form
    }

    let format: AccessLogSettings.Format
    /// Of JSON lines.
    let columns: [Column]
    let parameters: [[UInt8]]
    let sampler: Sampler
    let combined: CombinedForms

    /// How combined lines write what can be redacted.
    struct CombinedForms: Sendable {
        let clientIP, tenant, path, query, referer, userAgent: Form
    }

    init(_ settings: AccessLogSettings) {
        format = settings.format
        let parameters = settings.redactedParameters.sorted().map { Array($0.utf8) }
        self.parameters = parameters
        sampler = Sampler(share: settings.sample)
        func form(of field: AccessLogSettings.Field) -> Form {
            Self.form(of: field, settings.redacted, hidesSome: !parameters.isEmpty)
        }
        combined = CombinedForms(
            clientIP: form(of: .clientIP), tenant: form(of: .tenant), path: form(of: .path), query: form(of: .query),
            referer: form(of: .referer), userAgent: form(of: .userAgent))
        columns = settings.fields.compactMap { field in
            Self.source(of: field).map {
                Column(
                    name: MemberName(field.name), source: $0,
                    form: form(of: field))
            }
        }
    }

    private static func form(
        of field: AccessLogSettings.Field, _ redacted: Set<AccessLogSettings.Field>, hidesSome: Bool
    ) -> Form {
        guard redacted.contains(field) else { return field == .query && hidesSome ? .withoutSomeValues : .asItIs }
        switch field {
        case .clientIP: return .network
        case .query: return .withoutValues
        default: return .word
        }
    }

    /// nil: a header whose name is none.
    private static func source(of field: AccessLogSettings.Field) -> Source? {
        switch field {
        case .time: .time
        case .requestID: .text(.requestID)
        case .traceID: .text(.traceID)
        case .clientIP: .text(.clientIP)
        case .method: .text(.method)
        case .host: .text(.host)
        case .path: .text(.path)
        case .query: .text(.query)
        case .status: .status
        case .service: .text(.service)
        case .route: .text(.route)
        case .tenant: .text(.tenant)
        case .apiKey: .text(.apiKey)
        case .outcome: .outcome
        case .limitedBy: .limitedBy
        case .shadowLimitedBy: .shadowLimitedBy
        case .degraded: .degraded
        case .duration: .duration
        case .upstream: .text(.upstream)
        case .upstreamDuration: .upstreamDuration
        case .upstreamStatus: .upstreamStatus
        case .bytesIn: .bytesIn
        case .bytesOut: .bytesOut
        case .userAgent: FieldName("user-agent").map { .text(.header($0)) }
        case .referer: FieldName("referer").map { .text(.header($0)) }
        case .cause: .text(.cause)
        case .attempts: .attempts
        case .breaker: .breaker
        case .served: .served
        case .version: .text(.version)
        case .header(let name): FieldName(name).map { .text(.header($0)) }
        }
    }
}
