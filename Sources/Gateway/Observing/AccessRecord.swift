import HTTPWire
import LimiterCore
import Telemetry
import WeirConfiguration

/// One exchange as a line of the access log.
enum AccessRecord {
    static func write(_ exchange: Exchange, to log: AccessLogWriter) {
        let line = exchange.edition.plan.accessLine
        guard isTaken(exchange, line.sampler) else { return }
        switch line.format {
        case .json: writeObject(exchange, line, to: log)
        case .combined: writeCombined(exchange, line, to: log)
        }
    }

    /// What failed or was refused is always written. The rest by its trace, or else by its id, so that all replicas that see a request
    /// write it, or none.
    private static func isTaken(_ exchange: Exchange, _ sampler: Sampler) -> Bool {
        guard sampler.isNeeded else { return true }
        switch exchange.status {
        case 401, 403, 429, 500...: return true
        default: break
        }
        if let trace = exchange.traceID { return sampler.takes(trace.hash) }
        var hash: UInt64 = 0
        exchange.requestID.withBytes(exchange.client.reader.head.fields) { hash = Sampler.hash($0) }
        return sampler.takes(hash)
    }

    // MARK: JSON

    private static func writeObject(_ exchange: Exchange, _ line: AccessLine, to log: AccessLogWriter) {
        log.beginObject()
        for column in line.columns {
            switch column.source {
            case .time: log.field(column.name, timeOf: SystemTime.epochMicroseconds)
            case .status: log.field(column.name, exchange.status)
            case .duration: log.field(column.name, millisecondsOf: exchange.worker.now - exchange.startedAt)
            case .upstreamDuration:
                if exchange.upstreamNanoseconds >= 0 {
                    log.field(column.name, millisecondsOf: exchange.upstreamNanoseconds)
                }
            case .upstreamStatus:
                if exchange.upstreamStatus > 0 { log.field(column.name, exchange.upstreamStatus) }
            case .bytesIn: log.field(column.name, exchange.bytesIn)
            case .bytesOut: log.field(column.name, exchange.bytesOut)
            case .outcome: if exchange.decided != nil { log.field(column.name, exchange.outcome) }
            case .degraded: if exchange.decided != nil { log.field(column.name, exchange.call.decision.isDegraded) }
            case .limitedBy: writeRefusing(exchange, shadows: false, column.name, to: log)
            case .shadowLimitedBy: writeRefusing(exchange, shadows: true, column.name, to: log)
            case .attempts: if exchange.attempts > 1 { log.field(column.name, exchange.attempts) }
            case .breaker:
                if exchange.resilience != nil, let note = exchange.trial.breakerNote {
                    log.field(column.name, note == .open ? "open" : "half_open")
                }
            case .served:
                if exchange.resilience != nil, exchange.trial.served != .upstream {
                    log.field(column.name, exchange.trial.served == .stale ? "stale" : "fallback")
                }
            case .text(let text):
                var scratch = take(&log.scratch)
                exchange.withText(text, &scratch) { bytes in
                    withForm(column.form, bytes, line, exchange) { log.field(column.name, $0) }
                }
                log.scratch = scratch
            }
        }
        log.endObject()
    }

    private static func writeRefusing(
        _ exchange: Exchange, shadows: Bool, _ name: MemberName, to log: AccessLogWriter
    ) {
        guard exchange.isRefused(byShadows: shadows) else { return }
        log.field(name) { add in exchange.forEachRefusing(shadows: shadows, add) }
    }

    /// So that it can be written while others are read.
    private static func take(_ scratch: inout [UInt8]) -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &scratch)
        return taken
    }

    private static func withForm(
        _ form: AccessLine.Form, _ bytes: UnsafeRawBufferPointer, _ line: AccessLine, _ exchange: Exchange,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        if case .asItIs = form { return body(bytes) }
        var redacted = take(&exchange.worker.redacted)
        redacted.removeAll(keepingCapacity: true)
        switch form {
        case .asItIs: break
        case .network: exchange.clientAddress.network.appendText(to: &redacted)
        case .withoutValues: Redaction.hideValues(of: bytes, named: nil, into: &redacted)
        case .withoutSomeValues: Redaction.hideValues(of: bytes, named: line.parameters, into: &redacted)
        case .word: Redaction.word(for: bytes, into: &redacted)
        }
        redacted.withUnsafeBytes(body)
        exchange.worker.redacted = redacted
    }

    // MARK: Combined

    /// `client - tenant [time] "GET /path?query HTTP/1.1" status bytes "referer" "user agent"`
    private static func writeCombined(_ exchange: Exchange, _ line: AccessLine, to log: AccessLogWriter) {
        log.begin()
        write(.clientIP, line.combined.clientIP, isWord: true, exchange, line, to: log)
        log.append(" - ")
        write(.tenant, line.combined.tenant, isWord: true, exchange, line, to: log)
        log.append(" ")
        log.append(commonTimeOf: SystemTime.epochMicroseconds)
        log.append(" \"")
        if exchange.hasHead {
            write(.method, .asItIs, isWord: true, exchange, line, to: log)
            log.append(" ")
            write(.path, line.combined.path, isWord: true, exchange, line, to: log)
            if exchange.client.reader.head.query.count > 1 {
                log.append("?")
                write(.query, line.combined.query, isWord: true, exchange, line, to: log)
            }
            log.append(exchange.client.reader.head.version == .http10 ? " HTTP/1.0" : " HTTP/1.1")
        } else {
            log.append("-")
        }
        log.append("\" ")
        log.append(decimal: Int64(exchange.status))
        log.append(" ")
        log.append(decimal: exchange.bytesOut)
        log.append(" \"")
        write(.header(referer), line.combined.referer, isWord: false, exchange, line, to: log)
        log.append("\" \"")
        write(.header(userAgent), line.combined.userAgent, isWord: false, exchange, line, to: log)
        log.append("\"")
        log.end()
    }

    private static let referer = FieldName("referer")!
    private static let userAgent = FieldName("user-agent")!

    /// `-` where there is no value.
    private static func write(
        _ text: AccessLine.Text, _ form: AccessLine.Form, isWord: Bool, _ exchange: Exchange, _ line: AccessLine,
        to log: AccessLogWriter
    ) {
        var isThere = false
        var scratch = take(&log.scratch)
        exchange.withText(text, &scratch) { bytes in
            isThere = !bytes.isEmpty
            withForm(form, bytes, line, exchange) { log.append(escaping: $0, isWord: isWord) }
        }
        log.scratch = scratch
        if !isThere { log.append("-") }
    }
}

/// What the limits said, for the log and traces.
extension Exchange {
    var outcome: StaticString {
        switch call.decision.outcome {
        case .allowed: "allowed"
        case .denied: "denied"
        case .unavailable: "unavailable"
        }
    }

    func isRefused(byShadows shadows: Bool) -> Bool {
        var isRefused = false
        forEachRefusing(shadows: shadows) { _ in isRefused = true }
        return isRefused
    }

    /// The names of the limits that refuse, or would.
    func forEachRefusing(shadows: Bool, _ body: (String) -> Void) {
        guard let decided else { return }
        for index in decided.group.limits.indices
        where index < call.decision.verdicts.count && !call.decision.verdicts[index].isAllowed {
            let limit = decided.group.limits[index]
            if limit.limit.isShadow == shadows { body(limit.name) }
        }
    }
}
