import HTTPWire
import LimiterCore
import Tokens
import WeirConfiguration

/// How requests say who they are.
struct IdentityPlan: Sendable {
    /// Lowercase name of the field that trusted proxies set to the tenant.
    let header: FieldName?
    let keyHeader: FieldName?
    /// By SHA-256 of the key.
    let keys: [[UInt8]: APIKey]
    let issuers: [Issuer]
    /// The fields that may hold a token, and whose.
    let tokenFields: [TokenField]
    /// What tokens claim is passed on in these, so no client may send them.
    let claimFields: [FieldName]
    /// The fields that say who asks.
    let credentials: [FieldName]
    /// Whether it matters what time it is.
    let needsTime: Bool
    private let plans: TenantPlans
    private let unauthenticated: Problem.Text
    private let refusals: [Problem.Text]

    struct TokenField: Sendable {
        let name: FieldName
        /// Whether a scheme stands before the token, as in Authorization; a field of another scheme holds no token.
        let needsScheme: Bool
        /// Indices of `issuers`.
        let issuers: [Int]
        /// Whether not all of them want their tokens passed on.
        let mayHideTokens: Bool
    }

    init(_ settings: IdentitySettings, _ plans: TenantPlans) {
        header = settings.header.flatMap { FieldName($0) }
        keyHeader = settings.apiKeys.flatMap { FieldName($0.header) }
        self.plans = plans
        keys =
            settings.apiKeys?.keys.mapValues { key in
                APIKey(key, Tenant(Array(key.tenant.utf8), plan: plans.index(of: key.tenant) ?? -1))
            } ?? [:]
        issuers = settings.tokens.map { Issuer($0) }
        var names: [String] = []
        for name in settings.tokens.map(\.header) where !names.contains(name) { names.append(name) }
        tokenFields = names.compactMap { name in
            FieldName(name).map { field in
                let issuers = settings.tokens.indices.filter { settings.tokens[$0].header == name }
                return TokenField(
                    name: field, needsScheme: name == "authorization", issuers: issuers,
                    mayHideTokens: issuers.contains { !settings.tokens[$0].isForwarded })
            }
        }
        claimFields = Array(Set(settings.tokens.flatMap { $0.fields.compactMap { FieldName($0.name) } }))
        credentials = [header, keyHeader].compactMap { $0 } + tokenFields.map(\.name)
        needsTime = !issuers.isEmpty || keys.values.contains { $0.expiresAt < .max }
        let keyChallenge = keyHeader != nil || issuers.isEmpty ? "WWW-Authenticate: ApiKey realm=\"weir\"\r\n" : ""
        let challenge = "WWW-Authenticate: Bearer realm=\"weir\""
        unauthenticated = Problem.Text(
            .unauthenticated, fields: (issuers.isEmpty ? "" : challenge + "\r\n") + keyChallenge)
        refusals = TokenFault.allCases.map { fault in
            let fields =
                "\(challenge), error=\"invalid_token\", error_description=\"\(fault.sentence)\"\r\n\(keyChallenge)"
            return Problem.Text(.unauthenticated, detail: "\(fault.sentence)", fields: fields)
        }
    }

    /// The tenant that a trusted proxy names.
    func tenant(named name: [UInt8]) -> Tenant {
        Tenant(name, plan: plans.index(of: String(decoding: name, as: UTF8.self)) ?? -1)
    }

    /// The tenant that a token names, with the plan that it names, if it is to be asked and does.
    func tenant(of claims: Claims, _ issuer: Issuer) -> Tenant {
        guard let claim = issuer.planClaim, let plan = claims.text(named: claim) else {
            return tenant(named: claims.tenant)
        }
        return Tenant(claims.tenant, plan: plans.index(ofPlan: String(decoding: plan, as: UTF8.self)) ?? -1)
    }

    /// Where keys are fetched from.
    var keyAddresses: Set<String> { Set(issuers.compactMap(\.address)) }

    var isAnonymous: Bool { header == nil && keyHeader == nil && issuers.isEmpty }

    /// What is answered to a request without a valid credential; `fault` says what is wrong with its token.
    func refusal(_ fault: TokenFault?) -> Problem.Text { fault.map { refusals[$0.rawValue] } ?? unauthenticated }
}

/// An API key, known by its hash.
final class APIKey: Sendable {
    let tenant: Tenant
    /// For the log.
    let name: String?
    /// From then on it is none any more, in milliseconds since 1970.
    let expiresAt: Int64
    let scopes: [[UInt8]]

    init(_ settings: IdentitySettings.APIKey, _ tenant: Tenant) {
        self.tenant = tenant
        name = settings.name
        expiresAt = settings.expiresAt.map { $0 * 1000 } ?? .max
        scopes = settings.scopes.map { Array($0.utf8) }
    }
}

/// Whoever makes tokens that are believed.
final class Issuer: Sendable {
    let policy: TokenPolicy
    /// Its keys where the configuration has them.
    let keys: KeySet?
    /// Where they are fetched from otherwise.
    let address: String?
    let isForwarded: Bool
    let planClaim: [UInt8]?
    private let fields: [(name: [UInt8], claim: [UInt8])]

    init(_ settings: TokenSettings) {
        policy = settings.policy
        switch settings.keys {
        case .known(let set): (keys, address) = (set, nil)
        case .url(let url): (keys, address) = (nil, url)
        }
        isForwarded = settings.isForwarded
        planClaim = settings.planClaim.map { Array($0.utf8) }
        fields = settings.fields.map { (Array($0.name.utf8), Array($0.claim.utf8)) }
    }

    /// The fields that tell upstreams what a token claims, each a line. A claim that is missing, or that cannot be a field's value as
    /// it is, has none; a list's elements are separated by commas.
    func fields(of claims: Claims) -> [UInt8] {
        var lines: [UInt8] = []
        for (name, claim) in fields {
            guard let value = Self.fieldValue(claims.value(named: claim)) else { continue }
            lines += name
            lines += ": ".utf8
            lines += value
            lines += "\r\n".utf8
        }
        return lines
    }

    private static func fieldValue(_ value: Claims.Value?) -> [UInt8]? {
        let text: [UInt8]
        switch value {
        case nil: return nil
        case .text(let one)?: text = one
        case .list(let list)?:
            guard !list.contains(where: { $0.contains(UInt8(ascii: ",")) }) else { return nil }
            text = Array(list.joined(separator: ", ".utf8))
        }
        return !text.isEmpty && text.allSatisfy { $0 > 0x1f && $0 != 0x7f } ? text : nil
    }
}

/// A token that was believed, and whose it is.
final class BearerToken: Sendable {
    let claims: Claims
    let tenant: Tenant
    let issuer: Issuer
    /// The keys that it was checked with: once there are others, it is to be checked again.
    let keys: KeySet
    /// Lines for the upstream.
    let fields: [UInt8]

    init(_ claims: Claims, _ tenant: Tenant, _ issuer: Issuer, _ keys: KeySet) {
        self.claims = claims
        self.tenant = tenant
        self.issuer = issuer
        self.keys = keys
        fields = issuer.fields(of: claims)
    }
}
