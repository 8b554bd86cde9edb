import Crypto
import HTTPWire

/// Finds out whose a request is. It belongs to one worker.
struct Authenticator {
    private let plan: IdentityPlan
    private var keys = CredentialCache<Tenant>()
    /// Tenants that trusted proxies named, so that a name costs an allocation once and not a request.
    private var names = CredentialCache<Tenant>()

    init(_ plan: IdentityPlan) { self.plan = plan }

    /// nil: no credential, one that is not valid, one that is there twice, or two that disagree.
    ///
    /// `isFromTrustedProxy`: the peer may name the tenant.
    mutating func tenant(of fields: borrowing HeadFields, isFromTrustedProxy: Bool) -> Tenant? {
        if plan.isAnonymous { return .anonymous }
        var tenant: Tenant?
        if let header = plan.keyHeader, let index = fields.firstIndex(named: header) {
            guard fields.firstIndex(named: header, from: index + 1) == nil else { return nil }
            tenant = fields.withValue(at: index) { owner(ofKey: $0) }
            guard tenant != nil else { return nil }
        }
        if isFromTrustedProxy, let header = plan.header, let index = fields.firstIndex(named: header) {
            guard fields.firstIndex(named: header, from: index + 1) == nil else { return nil }
            let named = fields.withValue(at: index) { self.named($0) }
            guard let named, tenant == nil || tenant?.name == named.name else { return nil }
            tenant = named
        }
        return tenant
    }

    private mutating func owner(ofKey key: UnsafeRawBufferPointer) -> Tenant? {
        if let known = keys.find(key) { return known }
        guard let tenant = plan.tenants[Array(SHA256.hash(data: key))] else { return nil }
        keys.insert(key, tenant)
        return tenant
    }

    private mutating func named(_ name: UnsafeRawBufferPointer) -> Tenant? {
        if let known = names.find(name) { return known }
        guard Tenant.isValid(name) else { return nil }
        let tenant = plan.tenant(named: Array(name))
        names.insert(name, tenant)
        return tenant
    }
}
