import HTTPTypes
import Hummingbird
import HummingbirdCore
import LimiterCore

extension QuotaAPI {
    /// What a tenant used of its calendar quotas in this period and those before it.
    func usage(_ request: Request) async throws(ControlError) -> Response {
        var query = try RequestQuery(request.uri)
        let wanted = try query.text("format", maximumBytes: 16) ?? "json"
        let name = try query.text("limit", maximumBytes: 64)
        let facts = try RequestFacts(query)
        guard let format = UsageFormat(rawValue: wanted) else {
            throw ControlError(.invalidRequest, "`format` must be json or csv")
        }
        let group = try quotas(named: name, facts)
        guard !group.limits.isEmpty else { return UsageReport(tenant: facts.tenant, rows: []).response(format) }
        let answer = await usage.usage(facts.question(group, .peek))
        let rows = zip(group.limits, answer.counts).map { UsageRow(limit: $0, counts: $1, now: answer.now) }
        return UsageReport(tenant: facts.tenant, isDegraded: answer.isDegraded, rows: rows).response(format)
    }

    private func quotas(named name: String?, _ facts: RequestFacts) throws(ControlError) -> LimitGroup {
        let group = table(of: facts.tenant).tenantCounters
        let all = group.limits.indices.filter { group.limits[$0].limit.calendar != nil }
        let named = all.filter { name == nil || group.limits[$0].name == name }
        if let name, named.isEmpty {
            throw ControlError(
                .notFound,
                "there is no calendar quota `\(name)`; a tenant's are \(Self.list(all.map { group.limits[$0].name }))")
        }
        return group.selecting(named.filter { facts.fixes(group.limits[$0].limit) })
    }
}

enum UsageFormat: String {
    case json, csv
}

/// One calendar quota's use, period by period.
struct UsageRow: Sendable {
    struct Use: Sendable {
        let label: String
        /// As clocks there show them, by RFC 3339; the end is not in the period.
        let from: String
        let to: String
        let units: Int64
        let isCurrent: Bool
    }

    let limit: EffectiveLimit
    /// The latest first; periods before the first use are left out.
    let uses: [Use]

    init(limit: EffectiveLimit, counts: PeriodCounts, now: Int64) {
        self.limit = limit
        guard let calendar = limit.limit.calendar else {
            uses = []
            return
        }
        let current = calendar.span(at: now / 1_000_000).number
        // Where the store's clock was set back, the latest is yet to come.
        let latest = max(current, counts.number)
        let numbers = (0..<Int64(PeriodCounts.periods)).map { latest - $0 }
        let oldest = numbers.last { counts[$0] > 0 } ?? current
        uses = numbers.filter { $0 >= min(oldest, current) }.compactMap { number in
            let span = calendar.span(ofNumber: number)
            // Clocks skipped it.
            guard span.end > span.start else { return nil }
            return Use(
                label: calendar.label(ofNumber: number), from: calendar.time(span.start), to: calendar.time(span.end),
                units: counts[number], isCurrent: number == current)
        }
    }

    var json: JSON {
        let periods = uses.map { use -> JSON in
            .object([
                .init("period", .string(use.label)), .init("from", .string(use.from)), .init("to", .string(use.to)),
                .init("used", .integer(use.units)), .init("current", .bool(use.isCurrent)),
            ])
        }
        var members: [JSON.Member] = [.init("name", .string(limit.name)), .init("service", .optional(limit.service))]
        if let route = limit.route { members.append(.init("route", .string(route))) }
        members += [
            .init("limit", .integer(limit.limit.capacity)),
            .init("per", .string(limit.limit.calendar?.unit.rawValue ?? "")),
            .init("time_zone", .string(limit.limit.calendar?.zone.name ?? "")),
            .init("periods", .array(periods)),
        ]
        return .object(members)
    }
}

/// What a tenant used, for programs and for spreadsheets.
struct UsageReport: Sendable {
    let tenant: String
    var isDegraded = false
    let rows: [UsageRow]

    func response(_ format: UsageFormat) -> Response {
        switch format {
        case .json:
            return .json([
                "tenant": .string(tenant), "degraded": .bool(isDegraded), "usage": .array(rows.map(\.json)),
            ])
        case .csv:
            return Response(
                status: .ok, headers: [.contentType: "text/csv; charset=utf-8; header=present"],
                body: ResponseBody(byteBuffer: .init(string: csv)))
        }
    }

    /// By RFC 4180, with a header.
    private var csv: String {
        var lines = [["tenant", "limit", "service", "route", "period", "from", "to", "used", "of", "current"]]
        for row in rows {
            for use in row.uses {
                lines.append([
                    tenant, row.limit.name, row.limit.service ?? "", row.limit.route ?? "", use.label, use.from, use.to,
                    String(use.units), String(row.limit.limit.capacity), String(use.isCurrent),
                ])
            }
        }
        return lines.map { $0.map(Self.field).joined(separator: ",") + "\r\n" }.joined()
    }

    /// Quoted where it must be. What a spreadsheet would take for a formula gets a quote in front.
    private static func field(_ text: String) -> String {
        let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
        let text = isFormula ? "'" + text : text
        let mustQuote = text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        return mustQuote ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
