import Telemetry
import HTTPWire
import LimiterCore
import NIOCore

/// The last step, through which every exchange leaves: it writes the answer, and counts and logs it once.
enum Respond {
    /// What is left of a refused request's body and is still worth reading, so that the connection can stay.
    private static let longestDrain: Int64 = 64 * 1024

    // MARK: Answers of the gateway's own

    static func refuse(_ exchange: Exchange, _ problem: Problem) {
        guard !exchange.isEnded else { return }
        if problem == .storeUnavailable { exchange.noteFailure(.storeUnavailable) }
        prepareOwnAnswer(exchange, status: problem.status)
        let worker = exchange.worker
        let decision = exchange.call.decision
        let limits = exchange.decided?.fields
        let isQuota = exchange.decided != nil && problem.status == 429
        let text = exchange.refusal ?? exchange.fault.map { Problem.text(refusing: $0) } ?? problem.text
        let id = exchange.requestID

        worker.scratch.clear()
        worker.scratch.append(atMost: text.body.count + (limits?.namesBound ?? 0) + RequestID.longest + 192) { body in
            body.write(text.body)
            if isQuota, let limits {
                body.write(",\"violated-policies\":")
                limits.writeViolated(decision, to: &body)
                if let retry = decision.retryAfterMicroseconds {
                    body.write(",\"retry_after_seconds\":")
                    body.write(secondsRoundedUp: retry)
                }
                body.write(decision.isDegraded ? ",\"degraded\":true" : ",\"degraded\":false")
            }
            body.write(",\"request_id\":\"")
            id.write(exchange.client.reader.head.fields, to: &body)
            body.write("\"}")
        }
        writeOwnAnswer(exchange, bound: text.head.count + (limits?.headBound ?? 0) + MethodSet.longestList + 64) {
            out in
            out.write(text.head)
            if problem == .methodNotAllowed {
                out.write("Allow: ")
                exchange.allowedMethods.writeList(to: &out)
                out.write("\r\n")
            }
            if problem == .circuitOpen {
                out.write("Retry-After: ")
                out.write(decimal: exchange.secondsUntilHalfOpen)
                out.write("\r\n")
            }
            guard let limits else { return }
            if isQuota, let retry = decision.retryAfterMicroseconds {
                out.write("Retry-After: ")
                out.write(decimal: max(1, LimitFields.wholeSeconds(retry)))
                out.write("\r\n")
            }
            if exchange.edition.plan.writesLimitFields {
                limits.writeHead(decision, isLegacy: exchange.edition.plan.isLegacy, to: &out)
            }
        }
        finish(exchange)
    }

    static func json(_ exchange: Exchange, _ body: ByteBuffer) {
        guard !exchange.isEnded else { return }
        prepareOwnAnswer(exchange, status: 200)
        exchange.worker.scratch.clear()
        exchange.worker.scratch.writeImmutableBuffer(body)
        writeOwnAnswer(exchange, bound: 128) { out in
            out.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n")
        }
        finish(exchange)
    }

    /// What the route answers by itself.
    static func answer(_ exchange: Exchange, _ answer: FixedAnswer) {
        guard !exchange.isEnded else { return }
        prepareOwnAnswer(exchange, status: answer.status)
        exchange.worker.scratch.clear()
        exchange.worker.scratch.writeBytes(answer.body)
        let limits = exchange.edition.plan.writesLimitFields ? exchange.decided?.fields : nil
        writeOwnAnswer(exchange, bound: answer.bound(exchange) + (limits?.headBound ?? 0)) { out in
            answer.write(exchange, to: &out)
            limits?.writeHead(exchange.call.decision, isLegacy: exchange.edition.plan.isLegacy, to: &out)
        }
        finish(exchange)
    }

    static func prepareOwnAnswer(_ exchange: Exchange, status: Int) {
        exchange.status = status
        exchange.isAnswered = true
        guard exchange.hasHead, !exchange.isRequestComplete else { return }
        switch exchange.client.reader.head.framing {
        case .length(let length)
        where length - exchange.client.reader.payloadBytes <= longestDrain
            && (!exchange.client.reader.head.expectsContinue || exchange.hasContinued):
            break
        default: exchange.keepsAlive = false
        }
    }

    /// `start` writes the status line and fields; `worker.scratch` holds the body.
    private static func writeOwnAnswer(_ exchange: Exchange, bound: Int, _ start: (inout ByteCursor) -> Void) {
        let worker = exchange.worker
        let length = worker.scratch.readableBytes
        exchange.client.link.append { out in
            out.append(atMost: bound + RequestID.longest + 192) { cursor in
                start(&cursor)
                cursor.write("X-Request-Id: ")
                exchange.requestID.write(exchange.client.reader.head.fields, to: &cursor)
                cursor.write("\r\nDate: ")
                cursor.write(worker.dateBytes())
                if exchange.status != 204 {
                    cursor.write("\r\nContent-Length: ")
                    cursor.write(decimal: Int64(length))
                }
                writeConnection(exchange, to: &cursor)
                cursor.write("\r\n\r\n")
            }
            if !exchange.hasHead || exchange.client.reader.head.method != .head {
                out.writeImmutableBuffer(worker.scratch)
                exchange.bytesOut = Int64(length)
            }
        }
    }

    /// Begins with the line end of the field before.
    static func writeConnection(_ exchange: Exchange, to cursor: inout ByteCursor) {
        if !exchange.keepsAlive {
            cursor.write("\r\nConnection: close")
        } else if exchange.client.reader.head.version == .http10 {
            cursor.write("\r\nConnection: keep-alive")
        }
    }

    // MARK: Answers of upstreams

    static func passOnHead(_ exchange: Exchange, _ upstream: UpstreamConnection) {
        let worker = exchange.worker
        let version = exchange.client.reader.head.version
        exchange.isAnswered = true
        exchange.status = upstream.reader.head.status
        exchange.upstreamStatus = exchange.status
        // What failed before this answer came has been counted.
        exchange.cause = nil
        if exchange.status >= 500 { exchange.cause = .upstreamStatus }
        exchange.upstreamNanoseconds = worker.now - exchange.sentAt
        worker.metrics.recordUpstream(nanoseconds: exchange.upstreamNanoseconds)
        if !exchange.isRequestComplete || worker.isDraining { exchange.keepsAlive = false }
        frame(exchange, upstream, version)
        let changes = exchange.route?.response
        changes?.withhold(in: &upstream.reader.head.fields)
        if exchange.resilience != nil { exchange.beginRecording(upstream, changes) }
        let limits = exchange.edition.plan.writesLimitFields ? exchange.decided?.fields : nil
        if exchange.edition.plan.writesLimitFields {
            upstream.reader.head.fields.withhold(replaced)
        }
        upstream.reader.head.fields.remove(.xRequestID)
        let hasDate = upstream.reader.head.fields.contains(.date)
        exchange.client.link.append { out in
            upstream.reader.head.writeStatusLine(into: &out)
            changes?.write(upstream.reader.head.fields, exchange, into: &out)
            upstream.reader.head.fields.write(into: &out)
            out.append(atMost: (limits?.headBound ?? 0) + RequestID.longest + 192) { cursor in
                limits?.writeHead(exchange.call.decision, isLegacy: exchange.edition.plan.isLegacy, to: &cursor)
                if !hasDate {
                    cursor.write("Date: ")
                    cursor.write(worker.dateBytes())
                    cursor.write("\r\n")
                }
                if exchange.wrapsInChunks { cursor.write("Transfer-Encoding: chunked\r\n") }
                cursor.write("X-Request-Id: ")
                exchange.requestID.write(exchange.client.reader.head.fields, to: &cursor)
                writeConnection(exchange, to: &cursor)
                cursor.write("\r\n\r\n")
            }
        }
    }

    private static let replaced: KnownFieldSet = [
        .rateLimit, .rateLimitPolicy, .rateLimitLimit, .rateLimitRemaining, .rateLimitReset, .xRateLimitLimit,
        .xRateLimitRemaining, .xRateLimitReset,
    ]

    /// How this client learns where the body ends.
    private static func frame(_ exchange: Exchange, _ upstream: UpstreamConnection, _ version: Version) {
        switch upstream.reader.head.framing {
        case .none, .length: break
        case .chunked:
            guard version == .http10 else { return }
            upstream.reader.head.fields.remove(.transferEncoding)
            exchange.endsWithConnection = true
        case .untilClose:
            if version == .http10 { exchange.endsWithConnection = true } else { exchange.wrapsInChunks = true }
        }
        if exchange.endsWithConnection { exchange.keepsAlive = false }
    }

    // MARK: Ends

    /// The answer of the upstream has been passed on to its end.
    static func complete(_ exchange: Exchange) {
        if exchange.wrapsInChunks { exchange.client.link.append { $0.writeLastChunk() } }
        if AttemptOutcome(status: exchange.upstreamStatus) == .answered { exchange.report(.succeeded) }
        if exchange.resilience != nil { exchange.keepRecording() }
        finish(exchange)
    }

    /// The answer cannot be finished: the client must see that it is not whole.
    static func breakOff(_ exchange: Exchange) {
        guard !exchange.isEnded else { return }
        exchange.keepsAlive = false
        account(exchange)
        exchange.leaveUpstream()
        exchange.client.breakOff(resetting: exchange.endsWithConnection)
    }

    /// The client has left before its answer was whole.
    static func abandon(_ exchange: Exchange) {
        guard !exchange.isEnded else { return }
        if !exchange.isAnswered { exchange.status = 499 }
        account(exchange)
        exchange.leaveUpstream()
    }

    static func finish(_ exchange: Exchange) {
        guard !exchange.isEnded else { return }
        account(exchange)
        exchange.leaveUpstream()
        exchange.client.exchangeEnded()
    }

    private static func countTraffic(_ exchange: Exchange, _ place: RouteTable.Place) {
        let traffic = exchange.edition.traffic
        if !exchange.isInFlight { traffic.began(service: place.service) }
        traffic.ended(
            service: place.service, route: place.route,
            WorkerTraffic.End(
                status: exchange.status, nanoseconds: exchange.worker.now - exchange.startedAt,
                upstreamNanoseconds: exchange.upstreamNanoseconds, bytesIn: exchange.bytesIn,
                bytesOut: exchange.bytesOut),
            at: exchange.worker.now)
    }

    private static func account(_ exchange: Exchange) {
        exchange.isEnded = true
        if exchange.hasHead { exchange.bytesIn = exchange.client.reader.payloadBytes }
        exchange.worker.metrics.countRequest(
            service: exchange.place.map { exchange.edition.plan.services[$0.service].metricsIndex } ?? -1,
            status: exchange.status)
        if let place = exchange.place { countTraffic(exchange, place) }
        if let cause = exchange.cause, exchange.status >= 500 || cause == .truncated { exchange.logFailure(cause) }
        if exchange.trace != nil { exchange.traceEnds() }
        if let log = exchange.worker.log { AccessRecord.write(exchange, to: log) }
        if let version = exchange.version { exchange.countVersion(version) }
        if let mirrored = exchange.mirrored { exchange.endMirroring(mirrored) }
        if exchange.resilience != nil { exchange.endAttempts() }
    }
}

extension ByteCursor {
    /// With three decimals, rounded up to the millisecond.
    mutating func write(secondsRoundedUp microseconds: Int64) {
        let milliseconds = (microseconds + 999) / 1000
        write(decimal: milliseconds / 1000)
        write(byte: UInt8(ascii: "."))
        for divisor in [100, 10, 1] as [Int64] {
            write(byte: UInt8(ascii: "0") + UInt8(milliseconds / divisor % 10))
        }
    }
}
