import HTTPWire
import LimiterCore
import NIOCore

/// What a tenant may know of its own limits, prepared.
struct BudgetPlan: Sendable {
    let limits: LimitPlan
    /// Each row's start, up to its changing numbers.
    let rows: [[UInt8]]
    /// Whether tenant and configuration alone name the counter.
    let isKnown: [Bool]

    init(_ group: LimitGroup) {
        limits = LimitPlan(group)
        isKnown = group.limits.map { limit in
            limit.limit.per.allSatisfy { $0 == .tenant || $0.isFixedByRoute }
        }
        rows = group.limits.map { limit in
            let service = limit.service.map { Self.quoted($0) } ?? "null"
            return Array(
                #"{"name":"\#(limit.name)","service":\#(service),"algorithm":"\#(limit.limit.algorithm.name)",\#(Self.window(limit.limit)),"limit":"#
                    .utf8)
        }
    }

    private static func window(_ limit: Limit) -> String {
        guard let period = limit.calendar else { return "\"window_seconds\":\(limit.rate.periodSeconds)" }
        return "\"window_seconds\":null,\"period\":\"\(period.unit)\",\"time_zone\":\"\(period.zone.name)\""
    }

    private static func quoted(_ text: String) -> String {
        var buffer = ByteBuffer()
        var bytes = Array(text.utf8)
        buffer.append(atMost: bytes.count * 6 + 2) { cursor in
            cursor.write("\"")
            bytes.withUnsafeMutableBytes { cursor.write(jsonEscaping: UnsafeRawBufferPointer($0)) }
            cursor.write("\"")
        }
        return String(buffer: buffer)
    }
}

/// Answers a caller that asks for its own budget, from a copy that is at most a second old, so that asking costs the store
/// one question a second and tenant at most.
enum Budget {
    static func step(_ exchange: Exchange) -> Step {
        let edition = exchange.edition
        if let body = edition.budgets.find(exchange.tenant, at: exchange.worker.now) {
            Respond.json(exchange, body)
            return .waiting
        }
        if let query = edition.budgets.pending(exchange.tenant) {
            query.askers.append(exchange.ticket())
            return .waiting
        }
        let query = BudgetQuery(exchange.tenant, edition, worker: exchange.worker)
        query.askers.append(exchange.ticket())
        edition.budgets.begin(query)
        query.ask(exchange)
        return .waiting
    }
}

/// One question for one tenant's budget, and who waits for its answer.
final class BudgetQuery: DecisionReceiver {
    let tenant: Tenant
    private let edition: Edition
    private let worker: Worker
    private let plan: BudgetPlan
    var askers: [Exchange.Ticket] = []

    init(_ tenant: Tenant, _ edition: Edition, worker: Worker) {
        self.tenant = tenant
        self.edition = edition
        self.worker = worker
        plan = edition.tenantLimits.budget(of: tenant)
    }

    func ask(_ exchange: Exchange) {
        let call = LimitCall()
        let limits = plan.limits
        limits.fill(
            call, .peek, from: exchange.client.reader.head, tenant: tenant, client: exchange.clientAddress)
        call.receiver = self
        if limits.isEmpty {
            call.answer()
        } else {
            worker.store.decide(call)
        }
    }

    func decided(_ call: LimitCall) {
        worker.readClock()
        let body = call.decision.outcome == .unavailable ? nil : makeBody(call)
        edition.budgets.end(self, body, at: worker.now)
        for asker in askers where asker.isCurrent {
            if let body {
                Respond.json(asker.exchange, body)
            } else {
                Respond.refuse(asker.exchange, .storeUnavailable)
            }
            asker.exchange.client.link.flush()
        }
        askers = []
    }

    private func makeBody(_ call: LimitCall) -> ByteBuffer {
        var body = ByteBuffer()
        let bound = plan.rows.reduce(tenant.name.count * 6 + 64) { $0 + $1.count + 160 }
        body.append(atMost: bound) { cursor in
            cursor.write("{\"tenant\":\"")
            tenant.name.withUnsafeBytes { cursor.write(jsonEscaping: $0) }
            cursor.write(call.decision.isDegraded ? "\",\"degraded\":true" : "\",\"degraded\":false")
            cursor.write(",\"limits\":[")
            for index in plan.rows.indices {
                if index > 0 { cursor.write(",") }
                cursor.write(plan.rows[index])
                writeNumbers(call.decision.verdicts[index], isKnown: plan.isKnown[index], to: &cursor)
            }
            cursor.write("]}")
        }
        return body
    }

    private func writeNumbers(_ verdict: Verdict, isKnown: Bool, to cursor: inout ByteCursor) {
        cursor.write(decimal: verdict.limit)
        guard isKnown else {
            cursor.write(",\"used\":null,\"remaining\":null,\"reset_after_seconds\":null}")
            return
        }
        cursor.write(",\"used\":")
        cursor.write(decimal: verdict.limit - verdict.remaining)
        cursor.write(",\"remaining\":")
        cursor.write(decimal: verdict.remaining)
        cursor.write(",\"reset_after_seconds\":")
        cursor.write(secondsRoundedUp: verdict.fullMicroseconds)
        cursor.write("}")
    }
}

/// One worker's copies of budgets.
struct BudgetCache {
    private struct Entry {
        let body: ByteBuffer
        let madeAt: Int64
    }

    private static let lifetime: Int64 = 1_000_000_000
    private static let mostEntries = 1024

    /// A tenant has another budget where a token gives it another plan.
    private struct Key: Hashable {
        let tenant: [UInt8]
        let plan: Int

        init(_ tenant: Tenant) { (self.tenant, plan) = (tenant.name, tenant.plan) }
    }

    private var entries: [Key: Entry] = [:]
    private var queries: [Key: BudgetQuery] = [:]

    func find(_ tenant: Tenant, at now: Int64) -> ByteBuffer? {
        guard let entry = entries[Key(tenant)], now - entry.madeAt < Self.lifetime else { return nil }
        return entry.body
    }

    func pending(_ tenant: Tenant) -> BudgetQuery? { queries[Key(tenant)] }

    /// Other limits are in force: what was asked before is answered to those who asked, and not kept.
    mutating func forget() {
        entries = [:]
        queries = [:]
    }

    mutating func begin(_ query: BudgetQuery) { queries[Key(query.tenant)] = query }

    mutating func end(_ query: BudgetQuery, _ body: ByteBuffer?, at now: Int64) {
        let key = Key(query.tenant)
        guard queries[key] === query else { return }
        queries[key] = nil
        guard let body else { return }
        if entries.count >= Self.mostEntries { entries = entries.filter { now - $0.value.madeAt < Self.lifetime } }
        if entries.count < Self.mostEntries { entries[key] = Entry(body: body, madeAt: now) }
    }
}
