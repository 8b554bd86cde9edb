import HummingbirdCore
import LimiterCore

/// What a question says of the request that it is about.
struct RequestFacts: Sendable {
    static let maximumTenantBytes = 256

    var tenant = ""
    var method: String?
    var clientIP: ClientAddress?
    /// Lowercase names.
    var headers: [String: String] = [:]
    var claims: [String: String] = [:]

    init() {}

    /// The tenant in the path `/v1/tenants/{tenant}/…`, and the dimensions that the query gives.
    init(uri: URI) throws(ControlError) { try self.init(RequestQuery(uri)) }

    /// The same of what nobody else took of the query.
    init(_ query: RequestQuery) throws(ControlError) {
        tenant = try query.tenant()
        for (name, value) in query.items { try add(name, value, knowing: query.known) }
    }

    private mutating func add(_ name: String, _ value: String, knowing others: [String]) throws(ControlError) {
        switch name {
        case "client_ip":
            guard let address = ClientAddress(parsing: value) else {
                throw ControlError(.invalidRequest, "`client_ip` must be an IPv4 or IPv6 address, not \"\(value)\"")
            }
            clientIP = address
        case "method": method = value
        case _ where name.hasPrefix("header:") && name.utf8.count > 7:
            headers[name.dropFirst(7).lowercased()] = value
        case _ where name.hasPrefix("claim:") && name.utf8.count > 6: claims[String(name.dropFirst(6))] = value
        default:
            let known = (others + ["client_ip", "method"]).joined(separator: ", ")
            throw ControlError(
                .invalidRequest,
                "`\(name)` is not known in the query; known are \(known), header:<name> and claim:<name>")
        }
    }

    /// Whether the counter's key is known: by the configuration, the tenant, and what the question gives.
    func fixes(_ limit: Limit) -> Bool { limit.per.allSatisfy(fixes) }

    func fixes(_ dimension: LimiterCore.Dimension) -> Bool {
        switch dimension {
        case .tenant: !tenant.isEmpty
        case .service, .route: true
        case .method: method != nil
        case .clientIP: clientIP != nil
        case .header(let name): headers[name] != nil
        case .claim(let name): claims[name] != nil
        }
    }

    func question(_ group: LimitGroup, _ operation: LimitCall.Operation) -> LimitQuestion {
        var question = LimitQuestion(group, operation, tenant: tenant)
        question.method = method ?? ""
        question.clientIP = clientIP
        question.headers = headers
        question.claims = claims
        return question
    }
}
