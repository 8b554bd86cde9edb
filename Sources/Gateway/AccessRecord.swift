import HTTPWire
import LimiterCore
import Telemetry

/// One exchange as a line of the access log.
enum AccessRecord {
    static func write(_ exchange: Exchange, to log: AccessLogWriter) {
        let worker = exchange.worker
        log.begin()
        exchange.requestID.withBytes(exchange.client.reader.head.fields) { log.field("request_id", $0) }
        log.field("client_ip", exchange.clientAddress.description)
        if exchange.hasHead {
            log.field("method", exchange.client.reader.head.method.name)
            exchange.path.withBytes(of: exchange.client.reader.head) { log.field("path", $0) }
        }
        log.field("status", exchange.status)
        if let place = exchange.place {
            let service = exchange.edition.plan.services[place.service]
            log.field("service", service.name)
            log.field("route", service.routes[place.route].name)
        }
        if !exchange.tenant.name.isEmpty {
            exchange.tenant.name.withUnsafeBytes { log.field("tenant", $0) }
        }
        if let decided = exchange.decided { writeDecision(exchange.call.decision, decided, to: log) }
        log.field("duration_ms", millisecondsOf: worker.now - exchange.startedAt)
        if exchange.upstreamNanoseconds >= 0 {
            log.field("upstream_ms", millisecondsOf: exchange.upstreamNanoseconds)
        }
        if exchange.attempts > 1 { log.field("attempts", exchange.attempts) }
        if exchange.resilience != nil { writeResilience(exchange, to: log) }
        log.field("bytes_in", exchange.bytesIn)
        log.field("bytes_out", exchange.bytesOut)
        log.end()
    }

    private static func writeResilience(_ exchange: Exchange, to log: AccessLogWriter) {
        switch exchange.trial.breakerNote {
        case .open: log.field("breaker", "open" as StaticString)
        case .halfOpen: log.field("breaker", "half_open" as StaticString)
        case nil: break
        }
        switch exchange.trial.served {
        case .stale: log.field("served", "stale" as StaticString)
        case .fallback: log.field("served", "fallback" as StaticString)
        case .upstream: break
        }
    }

    private static func writeDecision(_ decision: Decision, _ decided: LimitPlan, to log: AccessLogWriter) {
        let outcome: StaticString =
            switch decision.outcome {
            case .allowed: "allowed"
            case .denied: "denied"
            case .unavailable: "unavailable"
            }
        log.field("outcome", outcome)
        let refusing = decided.group.limits.indices.filter {
            $0 < decision.verdicts.count && !decision.verdicts[$0].isAllowed
        }
        let enforced = refusing.filter { !decided.group.limits[$0].limit.isShadow }
        let shadows = refusing.filter { decided.group.limits[$0].limit.isShadow }
        if !enforced.isEmpty {
            log.field("limited_by", enforced.map { decided.group.limits[$0].name }.joined(separator: ","))
        }
        if !shadows.isEmpty {
            log.field("shadow_limited_by", shadows.map { decided.group.limits[$0].name }.joined(separator: ","))
        }
        log.field("degraded", decision.isDegraded)
    }
}
