import HTTPWire
import LimiterCore
import NIOCore

extension Respond {
    /// The last good answer, instead of what came of this request; `Age` and `Cache-Status` (RFC 9211) say so.
    static func stale(_ exchange: Exchange, _ answer: StaleAnswer, instead end: AttemptEnd) {
        guard !exchange.isEnded else { return }
        prepareOwnAnswer(exchange, status: answer.status)
        let now = exchange.worker.now
        let limits = exchange.edition.plan.writesLimitFields ? exchange.decided?.fields : nil
        exchange.client.link.append { out in
            out.append(atMost: answer.head.count + (limits?.headBound ?? 0) + RequestID.longest + 320) { cursor in
                cursor.write(answer.head)
                cursor.write("Age: ")
                cursor.write(decimal: answer.age(at: now))
                cursor.write("\r\n")
                writeCacheStatus(answer, instead: end, at: now, to: &cursor)
                limits?.writeHead(exchange.call.decision, isLegacy: exchange.edition.plan.isLegacy, to: &cursor)
                cursor.write("X-Request-Id: ")
                exchange.requestID.write(exchange.client.reader.head.fields, to: &cursor)
                cursor.write("\r\nContent-Length: ")
                cursor.write(decimal: Int64(answer.body.count))
                writeConnection(exchange, to: &cursor)
                cursor.write("\r\n\r\n")
            }
            if exchange.client.reader.head.method != .head {
                out.writeBytes(answer.body)
                exchange.bytesOut = Int64(answer.body.count)
            }
        }
        finish(exchange)
    }

    private static func writeCacheStatus(
        _ answer: StaleAnswer, instead end: AttemptEnd, at now: Int64, to cursor: inout ByteCursor
    ) {
        cursor.write("Cache-Status: weir")
        if end == .circuitOpen { cursor.write("; hit") } else { cursor.write("; fwd=stale") }
        if case .answered(let status) = end {
            cursor.write("; fwd-status=")
            cursor.write(decimal: Int64(status))
        }
        cursor.write("; ttl=")
        cursor.write(decimal: answer.freshSeconds - answer.age(at: now))
        cursor.write("; detail=")
        cursor.write(end.detail)
        cursor.write("\r\n")
    }
}
