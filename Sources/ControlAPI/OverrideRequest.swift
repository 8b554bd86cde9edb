import Foundation
import LimiterCore

/// The body of `PUT /v1/tenants/{tenant}/overrides/{limit}`.
struct OverrideRequest: Sendable {
    static let maximumReasonBytes = 256

    let override: LimitOverride

    init(_ fields: RequestFields, tenant: String, limit: String, client: String?) throws(ControlError) {
        var fields = fields
        let rate = try fields.string("rate", maximumBytes: 64)
        let burst = try fields.whole("burst", in: 1...Int64(1) << 52)
        let service = try fields.string("service", maximumBytes: 64)
        let expiry = try fields.moment("expires_at")
        let reason = try fields.string("reason", maximumBytes: Self.maximumReasonBytes)
        for key in ["algorithm", "per", "mode", "cost", "shadow", "route"] { try fields.refuse(key, Self.refusal(key)) }
        try fields.finish()
        guard let rate else {
            throw ControlError(.invalidRequest, "`rate` is missing; say what the limit shall be, like \"100/minute\"")
        }
        let parsed: Rate
        do throws(LimitError) {
            parsed = try Rate(parsing: rate)
        } catch {
            throw ControlError(.invalidRequest, error.message)
        }
        override = LimitOverride(
            LimitOverride.Subject(tenant: tenant, limit: limit, service: service), rate: parsed, burst: burst,
            expiresAtMicroseconds: expiry, author: LimitOverride.Author(reason: reason, client: client))
    }

    private static func refusal(_ key: String) -> String {
        key == "route"
            ? "an override is for all places or for a `service`, not for a route; leave `route` out"
            : "an override cannot change `\(key)`; it gives a limit another `rate` and `burst`, and the rest stays as configured"
    }
}

extension LimitOverride {
    /// What both the list and the audit show of it.
    var values: [JSON.Member] {
        [
            .init("rate", .string(rate.description)), .init("burst", burst.map { .integer($0) } ?? .null),
            .init("expires_at", Moment.json(expiresAtMicroseconds)),
        ]
    }

    /// `problem`: why it is not in force, or not everywhere; nil: it is.
    func json(problem: String?) -> JSON {
        var members: [JSON.Member] = [
            .init("limit", .string(subject.limit)), .init("service", .optional(subject.service)),
        ]
        members += values
        members += [
            .init("set_at", Moment.json(setAtMicroseconds)), .init("reason", .optional(author.reason)),
            .init("client", .optional(author.client)),
        ]
        if let problem { members.append(.init("problem", .string(problem))) }
        return .object(members)
    }
}

extension OverrideRecord {
    var json: JSON {
        [
            "at": Moment.json(atMicroseconds), "action": .string(action.rawValue), "tenant": .string(subject.tenant),
            "limit": .string(subject.limit), "service": .optional(subject.service),
            "before": before.map { .object($0.values) } ?? .null, "after": after.map { .object($0.values) } ?? .null,
            "reason": .optional(author.reason), "client": .optional(author.client),
        ]
    }
}
