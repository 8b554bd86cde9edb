import Hummingbird
import HummingbirdCore
import LimiterCore
import Logging

extension QuotaAPI {
    func setOverride(_ request: Request, _ context: ControlContext) async throws(ControlError) -> Response {
        let query = try RequestQuery(request.uri)
        try query.finish()
        let tenant = try query.tenant()
        guard !tenant.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw ControlError(.invalidRequest, "the tenant in the path has a control character; no tenant has one")
        }
        let override = try OverrideRequest(
            try await RequestFields(body: request.body), tenant: tenant, limit: query.part(4, "limit"),
            client: context.client
        ).override
        try check(override)
        let before: LimitOverride?
        do throws(OverrideError) {
            before = try await overrideStore.set(override)
        } catch {
            throw refusal(error)
        }
        note("override set", override.subject, override.author, ["rate": "\(override.rate)"])
        let set = board.overrides[tenant].first { $0.subject == override.subject } ?? override
        return changed(tenant, ["override": set.json(problem: nil), "replaces": before?.json(problem: nil) ?? .null])
    }

    func removeOverride(_ request: Request, _ context: ControlContext) async throws(ControlError) -> Response {
        var query = try RequestQuery(request.uri)
        let subject = LimitOverride.Subject(
            tenant: try query.tenant(), limit: try query.part(4, "limit"),
            service: try query.text("service", maximumBytes: 64))
        let reason = try query.text("reason", maximumBytes: OverrideRequest.maximumReasonBytes)
        try query.finish()
        let author = LimitOverride.Author(reason: reason, client: context.client)
        let removed: LimitOverride?
        do throws(OverrideError) {
            removed = try await overrideStore.remove(subject, by: author)
        } catch {
            throw refusal(error)
        }
        guard let removed else { throw nothing(at: subject) }
        note("override removed", subject, author, [:])
        return changed(subject.tenant, ["removed": removed.json(problem: nil)])
    }

    func overrides(_ request: Request) throws(ControlError) -> Response {
        let query = try RequestQuery(request.uri)
        let tenant = try query.tenant()
        try query.finish()
        let overrides = board.overrides
        let faults = overrides.faults(of: tenant)
        let list = overrides[tenant].map { override in
            override.json(problem: faults.first { $0.change == override.change }?.error.message)
        }
        return changed(tenant, ["overrides": .array(list)])
    }

    func audit(_ request: Request) async throws(ControlError) -> Response {
        var query = try RequestQuery(request.uri)
        let tenant = try query.text("tenant", maximumBytes: RequestFacts.maximumTenantBytes)
        let most = try query.whole("most", in: 1...OverrideRecord.mostRecords) ?? 100
        try query.finish()
        let records: [OverrideRecord]
        do throws(OverrideError) {
            records = try await overrideStore.records(of: tenant, most: most)
        } catch {
            throw refusal(error)
        }
        return .json(["kept_in": .string(keptIn), "records": .array(records.map(\.json))])
    }

    /// Throws where the tenant's limits cannot take the override, or another override could not stay beside it.
    private func check(_ override: LimitOverride) throws(ControlError) {
        let tenant = override.subject.tenant
        let overrides = board.overrides
        let now = overrides[tenant].filter { $0.subject != override.subject }
        let after = LimitOverrides(now + [override], of: limits)
        let faults = after.faults(of: tenant)
        if let own = faults.first(where: { $0.change == override.change })?.error {
            switch own.code {
            case .unknown: throw ControlError(.notFound, own.message)
            case .conflict: throw ControlError(.notApplicable, own.message)
            default: throw ControlError(.invalidRequest, own.message)
            }
        }
        let before = LimitOverrides(Array(now), of: limits).faults(of: tenant)
        if let other = faults.first(where: { !before.contains($0) }) {
            let place = other.change.service.map { " for `\($0)`" } ?? ""
            throw ControlError(
                .notApplicable,
                "the \(Self.origin(other.change)) of `\(other.change.limit)`\(place) could not stay beside it: \(other.error.message)"
            )
        }
    }

    private static func origin(_ change: LimitChange) -> String {
        if case .plan(let name) = change.origin { "value that the plan `\(name)` gives" } else { "override" }
    }

    private func nothing(at subject: LimitOverride.Subject) -> ControlError {
        let places = board.overrides[subject.tenant].filter { $0.subject.limit == subject.limit }
        let whose = "the tenant has no override of `\(subject.limit)`"
        let place = subject.service.map { " for the service `\($0)`" } ?? " for all places"
        guard let other = places.first else { return ControlError(.notFound, whose + place) }
        let hint =
            other.subject.service.map { "one for the service `\($0)`; name that" }
            ?? "one for all places; name no service"
        return ControlError(.notFound, "\(whose)\(place), but \(hint)")
    }

    private func refusal(_ error: OverrideError) -> ControlError {
        switch error.code {
        case .unavailable:
            ControlError(
                .unavailable,
                "Redis does not answer just now, and overrides are kept there (\(error.detail)); those in force stay, and nothing was changed unless the answer was lost on its way: look before you try again"
            )
        case .refused:
            ControlError(
                .unavailable,
                "Redis, where overrides are kept, refused: \(error.detail); nothing was changed, and those in force stay"
            )
        case .full:
            ControlError(
                .conflict,
                "there are \(LimitOverride.mostOverrides) overrides already, which is the most there can be; remove some, or give tenants a plan"
            )
        case .past:
            ControlError(
                .invalidRequest, "`expires_at` must lie in the future; leave it out for an override that stays")
        }
    }

    private func note(
        _ what: String, _ subject: LimitOverride.Subject, _ author: LimitOverride.Author, _ more: Logger.Metadata
    ) {
        var metadata: Logger.Metadata = [
            "tenant": .string(JSON.string(subject.tenant).text), "limit": .string(subject.limit),
            "service": .string(subject.service ?? "all"), "client": .string(author.client ?? "unknown"),
        ]
        if let reason = author.reason { metadata["reason"] = .string(JSON.string(reason).text) }
        logger.notice("\(what)", metadata: metadata.merging(more) { $1 })
    }

    var keptIn: String { overrideStore.isShared ? "redis" : "memory" }

    private func changed(_ tenant: String, _ more: JSON) -> Response {
        .json(.object([.init("tenant", .string(tenant)), .init("kept_in", .string(keptIn))] + more.members))
    }
}
