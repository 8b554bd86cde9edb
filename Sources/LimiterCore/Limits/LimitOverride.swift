/// A tenant's own value for a limit, set at run time.
package struct LimitOverride: Hashable, Sendable {
    /// What there can be one override of.
    package struct Subject: Hashable, Sendable, Comparable {
        package var tenant: String
        package var limit: String
        /// nil: wherever a limit of that name applies.
        package var service: String?

        package init(tenant: String, limit: String, service: String?) {
            self.tenant = tenant
            self.limit = limit
            self.service = service
        }

        package func isOf(_ tenant: String) -> Bool { TenantKey(self.tenant) == TenantKey(tenant) }

        package static func == (a: Subject, b: Subject) -> Bool {
            a.isOf(b.tenant) && a.limit == b.limit && a.service == b.service
        }

        package static func < (a: Subject, b: Subject) -> Bool {
            (TenantKey(a.tenant), a.limit, a.service ?? "") < (TenantKey(b.tenant), b.limit, b.service ?? "")
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(TenantKey(tenant))
            hasher.combine(limit)
            hasher.combine(service)
        }
    }

    package var subject: Subject
    package var rate: Rate
    /// nil: the rate's count, where the limit is a bucket.
    package var burst: Int64?
    /// Microseconds since the epoch by the store's clock; nil: it stays until it is removed.
    package var expiresAtMicroseconds: Int64?
    /// When it was set, likewise; 0: it was not yet.
    package var setAtMicroseconds: Int64
    /// Who asked for it: why, and from where.
    package var author: Author

    package struct Author: Hashable, Sendable {
        package var reason: String?
        /// An address.
        package var client: String?

        package init(reason: String? = nil, client: String? = nil) {
            self.reason = reason
            self.client = client
        }
    }

    package init(
        _ subject: Subject, rate: Rate, burst: Int64? = nil, expiresAtMicroseconds: Int64? = nil,
        setAtMicroseconds: Int64 = 0, author: Author = Author()
    ) {
        self.subject = subject
        self.rate = rate
        self.burst = burst
        self.expiresAtMicroseconds = expiresAtMicroseconds
        self.setAtMicroseconds = setAtMicroseconds
        self.author = author
    }

    package func hasExpired(at now: Int64) -> Bool { expiresAtMicroseconds.map { $0 <= now } ?? false }

    /// What it does to the limits of its tenant.
    package var change: LimitChange {
        LimitChange(
            .override(untilMicroseconds: expiresAtMicroseconds), limit: subject.limit, service: subject.service,
            rate: rate, burst: burst)
    }

    /// Most overrides that there can be of all tenants together; what concerns more belongs in a plan.
    package static let mostOverrides = 5000
}
