import HTTPWire

/// What the gateway answers by itself when it does not forward: one prepared `application/problem+json` a kind.
enum Problem: Int, CaseIterable, Sendable {
    case malformedRequest
    case hostMismatch
    case unauthenticated
    case forbidden
    case noRoute
    case methodNotAllowed
    case requestTimeout
    case bodyTooLarge
    case targetTooLong
    case expectationFailed
    case tooManyAuthenticationFailures
    case quotaExceeded
    case costOverLimit
    case headTooLarge
    case notImplemented
    case upstreamFailed
    case keysUnavailable
    case storeUnavailable
    case upstreamBusy
    case circuitOpen
    case concurrencyExceeded
    case upstreamTimeout
    case versionNotSupported
    case noUpstream

    var status: Int {
        switch self {
        case .malformedRequest, .hostMismatch: 400
        case .unauthenticated: 401
        case .forbidden: 403
        case .noRoute: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .expectationFailed: 417
        case .tooManyAuthenticationFailures, .quotaExceeded, .costOverLimit: 429
        case .headTooLarge: 431
        case .notImplemented: 501
        case .upstreamFailed: 502
        case .keysUnavailable, .storeUnavailable, .upstreamBusy, .noUpstream, .circuitOpen, .concurrencyExceeded: 503
        case .upstreamTimeout: 504
        case .versionNotSupported: 505
        }
    }

    /// The problem for a status that the parser gives what it refuses.
    init(refusing status: Int) {
        switch status {
        case 413: self = .bodyTooLarge
        case 414: self = .targetTooLong
        case 417: self = .expectationFailed
        case 431: self = .headTooLarge
        case 501: self = .notImplemented
        case 505: self = .versionNotSupported
        default: self = .malformedRequest
        }
    }

    private var reason: String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "HTTP Version Not Supported"
        }
    }

    private var detail: String {
        switch self {
        case .malformedRequest: "The request is not well-formed HTTP/1.1."
        case .hostMismatch: "The request's target and its Host field name different hosts."
        case .unauthenticated: "The request carries no valid credential."
        case .forbidden: "The caller may not do this."
        case .noRoute: "No route matches this host and path."
        case .methodNotAllowed: "This method is not allowed here."
        case .requestTimeout: "The request did not arrive in time."
        case .bodyTooLarge: "The request's body is larger than this gateway accepts."
        case .targetTooLong: "The request's target is longer than this gateway accepts."
        case .expectationFailed: "The only expectation that is met is 100-continue."
        case .tooManyAuthenticationFailures: "Too many credentials from this client were refused."
        case .quotaExceeded: "The request exceeds a limit; `violated-policies` names which."
        case .costOverLimit: "The request costs more than a limit ever allows; `violated-policies` names which."
        case .headTooLarge: "The request's header fields are larger than this gateway accepts."
        case .notImplemented: "The request asks for something that this gateway does not implement."
        case .upstreamFailed: "The upstream did not give a valid answer."
        case .keysUnavailable: "The keys that tokens are checked with are not known yet."
        case .storeUnavailable: "The limits of this request cannot be checked at the moment."
        case .upstreamBusy: "No connection to the upstream became free in time."
        case .circuitOpen: "The upstream has failed too often of late, and is left alone for a while."
        case .concurrencyExceeded: "Too many requests to this service are in flight at the moment."
        case .upstreamTimeout: "The upstream did not answer in time."
        case .versionNotSupported: "The request's HTTP version is not supported."
        case .noUpstream: "The service has no upstream at the moment."
        }
    }

    /// Fields of its own that every answer of the kind carries.
    private var fields: String {
        switch self {
        case .unauthenticated: "WWW-Authenticate: ApiKey realm=\"weir\"\r\n"
        case .keysUnavailable, .storeUnavailable, .upstreamBusy, .noUpstream, .concurrencyExceeded:
            "Retry-After: 1\r\n"
        default: ""
        }
    }

    private var type: String {
        switch self {
        case .tooManyAuthenticationFailures, .quotaExceeded, .costOverLimit:
            "https://iana.org/assignments/http-problem-types#quota-exceeded"
        default: "about:blank"
        }
    }

    /// The bytes that are the same in every answer of a kind.
    struct Text: Sendable {
        /// From the status line on, with everything but length, id and date; ends in CRLF.
        let head: [UInt8]
        /// The JSON object's start, without a comma at its end.
        let body: [UInt8]

        /// `detail`, and `fields` with the end of each line: instead of those of every problem of the kind.
        init(_ problem: Problem, detail: String? = nil, fields: String? = nil) {
            head = Array(
                "HTTP/1.1 \(problem.status) \(problem.reason)\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n\(fields ?? problem.fields)"
                    .utf8)
            let title = problem.status == 429 ? "Quota exceeded" : problem.reason
            body = Array(
                #"{"type":"\#(problem.type)","title":"\#(title)","status":\#(problem.status),"detail":"\#(detail ?? problem.detail)""#
                    .utf8)
        }
    }

    private static let texts = allCases.map { Text($0) }

    var text: Text { Self.texts[rawValue] }

    /// The text that names what is wrong with a message.
    static func text(refusing code: WireError.Code) -> Text { wireTexts[code]! }

    private static let wireTexts = Dictionary(
        uniqueKeysWithValues: WireError.Code.allCases.map { code in
            let error = WireError(code)
            return (code, Text(Problem(refusing: error.status), detail: "The request is refused: \(error.message)."))
        })
}
