import Crypto
package import HTTPWire
import LimiterCore
import Tokens
package import WeirConfiguration

/// Finds out whose a request is. It belongs to one worker and one configuration.
///
/// All of it is synchronous: whoever calls is known before the step returns, without a task or a hop to another thread. That
/// is why tokens are checked with swift-crypto and the module Tokens rather than with jwt-kit, whose keys are an actor.
package struct Authenticator {
    enum Outcome {
        /// The caller was filled in.
        case known
        /// No credential, one that is not valid, one that is there twice, or two that disagree; and what is wrong with the token.
        case refused(TokenFault?)
        /// The token's key is not there; `id` is nil where there are no keys at all.
        case needsKeys(KeySource, id: [UInt8]?)
    }

    struct Caller {
        var tenant: Tenant?
        var key: APIKey?
        var token: BearerToken?
        /// A bit each, by the indices of the fields for tokens.
        var forwardedTokens: UInt64 = 0
    }

    private let plan: IdentityPlan
    private var keys = CredentialCache<APIKey>()
    private var tokens: CredentialCache<BearerToken>?
    /// Tenants that trusted proxies named, so that a name costs an allocation once and not a request.
    private var names = CredentialCache<Tenant>()
    /// By the issuers' indices; nil: the configuration has its keys.
    private(set) var sources: [KeySource?]

    /// `source` gives the keys of an address.
    init(_ plan: IdentityPlan, source: (String) -> KeySource) {
        self.plan = plan
        sources = plan.issuers.map { $0.address.map(source) }
        tokens = plan.issuers.isEmpty ? nil : CredentialCache()
    }

    /// On its own, without plans and without keys that are fetched.
    package init(_ settings: IdentitySettings) {
        self.init(IdentityPlan(settings, TenantPlans())) { KeySource($0, ask: { _ in }) }
    }

    /// The tenant's name; nil: the request is not to be let in.
    package mutating func tenant(of fields: borrowing HeadFields, at now: Int64) -> [UInt8]? {
        var caller = Caller()
        guard case .known = identify(&caller, by: fields, isFromTrustedProxy: false, at: now) else { return nil }
        return caller.tenant?.name
    }

    /// `isFromTrustedProxy`: the peer may name the tenant. `now` is in milliseconds since 1970.
    mutating func identify(
        _ caller: inout Caller, by fields: borrowing HeadFields, isFromTrustedProxy: Bool, at now: Int64
    ) -> Outcome {
        if let header = plan.keyHeader, let index = fields.firstIndex(named: header) {
            guard fields.firstIndex(named: header, from: index + 1) == nil else { return .refused(nil) }
            caller.key = fields.withValue(at: index) { owned(byKey: $0, at: now) }
            guard let key = caller.key else { return .refused(nil) }
            caller.tenant = key.tenant
        }
        if isFromTrustedProxy, let header = plan.header, let index = fields.firstIndex(named: header) {
            guard fields.firstIndex(named: header, from: index + 1) == nil else { return .refused(nil) }
            let named = fields.withValue(at: index) { self.named($0) }
            guard let named, caller.tenant == nil || caller.tenant?.name == named.name else { return .refused(nil) }
            caller.tenant = named
        }
        for place in plan.tokenFields.indices {
            let outcome = readToken(place, fields, at: now, for: &caller)
            if let outcome { return outcome }
        }
        return caller.tenant == nil ? .refused(nil) : .known
    }

    private mutating func owned(byKey key: UnsafeRawBufferPointer, at now: Int64) -> APIKey? {
        if let known = keys.find(key) { return now < known.expiresAt ? known : nil }
        guard let known = plan.keys[Array(SHA256.hash(data: key))], now < known.expiresAt else { return nil }
        keys.insert(key, known)
        return known
    }

    private mutating func named(_ name: UnsafeRawBufferPointer) -> Tenant? {
        if let known = names.find(name) { return known }
        guard Tenant.isValid(name) else { return nil }
        let tenant = plan.tenant(named: Array(name))
        names.insert(name, tenant)
        return tenant
    }

    // MARK: Tokens

    /// nil: there is none in this field, or one that is valid and agrees with what is known of the caller.
    private mutating func readToken(
        _ place: Int, _ fields: borrowing HeadFields, at now: Int64, for caller: inout Caller
    ) -> Outcome? {
        let field = plan.tokenFields[place]
        guard let index = fields.firstIndex(named: field.name) else { return nil }
        guard fields.firstIndex(named: field.name, from: index + 1) == nil else { return .refused(nil) }
        let result: TokenCheck? = fields.withValue(at: index) { value in
            guard let text = Self.token(in: value, needsScheme: field.needsScheme) else { return nil }
            return check(text, field, at: now)
        }
        switch result {
        case nil: return nil
        case .fault(let fault)?: return .refused(fault)
        case .needsKeys(let source, let id)?: return .needsKeys(source, id: id)
        case .valid(let token)?:
            guard caller.tenant == nil || caller.tenant?.name == token.tenant.name else { return .refused(nil) }
            caller.token = token
            if token.issuer.isForwarded { caller.forwardedTokens |= 1 << UInt64(place) }
            caller.tenant = token.tenant
            return nil
        }
    }

    private enum TokenCheck {
        case valid(BearerToken)
        case fault(TokenFault)
        case needsKeys(KeySource, id: [UInt8]?)
    }

    /// What follows `Bearer`; nil: the field is of another scheme.
    private static func token(in value: UnsafeRawBufferPointer, needsScheme: Bool) -> UnsafeRawBufferPointer? {
        guard isBearer(value) else { return needsScheme ? nil : value }
        var start = scheme.utf8CodeUnitCount
        while start < value.count, value[start] == 0x20 { start += 1 }
        return UnsafeRawBufferPointer(rebasing: value[start...])
    }

    private static let scheme: StaticString = "bearer"

    /// Others may take a tab for the blank behind the scheme, so such a value is no other scheme's; nor is it a token.
    static func isBearer(_ value: UnsafeRawBufferPointer) -> Bool {
        let length = scheme.utf8CodeUnitCount
        return value.count >= length && UnsafeRawBufferPointer(rebasing: value[..<length]).equalsLowercase(scheme)
            && (value.count == length || value[length] == 0x20 || value[length] == 0x09)
    }

    private mutating func check(
        _ text: UnsafeRawBufferPointer, _ field: IdentityPlan.TokenField, at now: Int64
    ) -> TokenCheck {
        if let known = tokens?.find(text), isCurrent(known, field, at: now) { return .valid(known) }
        do throws(TokenFault) {
            let token = try Token(parsing: text)
            guard let index = field.issuers.first(where: { plan.issuers[$0].policy.issuer == token.issuer }) else {
                throw .wrongIssuer
            }
            let issuer = plan.issuers[index]
            guard let keys = issuer.keys ?? sources[index]?.keys else {
                return sources[index].map { .needsKeys($0, id: nil) } ?? .fault(.unsuitableKey)
            }
            let claims: Claims
            do throws(TokenFault) {
                claims = try issuer.policy.verify(token, with: keys, at: now)
            } catch {
                guard error == .unknownKey, let source = sources[index], let id = token.keyID else { throw error }
                return .needsKeys(source, id: id)
            }
            let bearer = BearerToken(claims, plan.tenant(of: claims, issuer), issuer, keys)
            tokens?.insert(text, bearer)
            return .valid(bearer)
        } catch {
            return .fault(error)
        }
    }

    /// Whether a token that was valid is so still, in this field, by the keys that there are now.
    private func isCurrent(_ token: BearerToken, _ field: IdentityPlan.TokenField, at now: Int64) -> Bool {
        guard token.claims.from <= now, now < token.claims.until,
            let index = field.issuers.first(where: { plan.issuers[$0] === token.issuer })
        else { return false }
        return token.keys === (token.issuer.keys ?? sources[index]?.keys)
    }
}
