import HTTPWire
import LimiterCore
import NIOCore
import Telemetry
import WeirConfiguration

/// Spans of an exchange: one of its own, and one of each attempt to get an answer of an upstream, by OpenTelemetry's semantic
/// conventions for HTTP.
extension Exchange {
    /// Takes part in the trace that the request belongs to.
    func beginTrace(_ plan: TracingPlan) {
        trace = ExchangeTrace(
            client.reader.head.fields, isTrustedProxy: client.isTrustedProxy, plan, &worker.ids)
    }

    /// Call it before `gate` says whom the attempt is for. An attempt before it has ended by now.
    func attemptBegins() {
        if trace != nil { attemptEnds(cause) }
        upstreamStatus = 0
        guard trace != nil else { return }
        trace?.attempt = worker.ids.span()
        trace?.attempts += 1
        trace?.attemptStartedAt = worker.now
    }

    /// The attempt that is under way has ended, if there is one; `cause` nil: well.
    func attemptEnds(_ cause: FailureCause?) {
        guard let ended = trace, ended.attempt != 0 else { return }
        trace?.attempt = 0
        guard ended.context.isSampled, let spans = worker.spans else { return }
        var context = ended.context
        context.span = ended.attempt
        spans.begin(
            context, parent: ended.context.span, .client,
            worker.wallTimes(from: ended.attemptStartedAt))
        spans.name(client.reader.head.method.name, nil)
        spans.attribute("http.request.method", client.reader.head.method.name)
        if let gate {
            spans.attribute("server.address", gate.upstream.host)
            spans.attribute("server.port", Int64(gate.upstream.port))
            writeURL(of: gate, to: spans)
        }
        if ended.attempts > 1 { spans.attribute("http.request.resend_count", ended.attempts - 1) }
        if upstreamStatus > 0 { spans.attribute("http.response.status_code", Int64(upstreamStatus)) }
        if let cause { spans.attribute("error.type", cause.name) }
        spans.end(isError: cause != nil)
    }

    /// Without the query, which may hold what is nobody's business.
    private func writeURL(of gate: UpstreamGate, to spans: SpanWriter) {
        var url: [UInt8] = []
        swap(&url, &spans.scratch)
        url.removeAll(keepingCapacity: true)
        url.append(contentsOf: gate.upstream.usesTLS ? "https://".utf8 : "http://".utf8)
        url.append(contentsOf: gate.authority)
        if route?.forward?.path != nil, forwardedPath.readableBytes > 0 {
            url.append(contentsOf: forwardedPath.readableBytesView)
        } else {
            withPath { url.append(contentsOf: $0) }
        }
        url.withUnsafeBytes { spans.attribute("url.full", $0) }
        spans.scratch = url
    }

    /// The exchange has ended, and so has its last attempt.
    func traceEnds() {
        attemptEnds(cause)
        guard let trace, trace.context.isSampled, let spans = worker.spans else { return }
        let route = place.map { edition.plan.services[$0.service].routes[$0.route].name }
        spans.begin(trace.context, parent: trace.parent, .server, worker.wallTimes(from: startedAt))
        if trace.keepsState {
            _ = client.reader.head.fields.withReceivedValue(named: Self.tracestate) {
                if $0.count <= TraceState.longest { spans.state($0) }
            }
        }
        spans.name(client.reader.head.method.name, route)
        spans.attribute("http.request.method", client.reader.head.method.name)
        if let route { spans.attribute("http.route", route) }
        spans.attribute("http.response.status_code", Int64(status))
        spans.attribute("url.scheme", "http" as StaticString)
        spans.attribute(
            "network.protocol.version", client.reader.head.version == .http10 ? "1.0" : "1.1" as StaticString)
        withPath { spans.attribute("url.path", $0) }
        withHost { Self.write(host: $0, to: spans) }
        write(.clientIP, as: "client.address", to: spans)
        write(.header(Self.userAgent), as: "user_agent.original", to: spans)
        write(.service, as: "weir.service", to: spans)
        write(.tenant, as: "weir.tenant", to: spans)
        write(.requestID, as: "weir.request_id", to: spans)
        if isRefused(byShadows: false) {
            spans.attribute("weir.limited_by") { add in forEachRefusing(shadows: false, add) }
        }
        if decided != nil { spans.attribute("weir.degraded", call.decision.isDegraded) }
        if status >= 500, let cause { spans.attribute("error.type", cause.name) }
        spans.end(isError: status >= 500 || cause == .truncated)
    }

    private static let tracestate = FieldName("tracestate")!
    private static let userAgent = FieldName("user-agent")!

    private func write(_ text: AccessLine.Text, as key: StaticString, to spans: SpanWriter) {
        var scratch: [UInt8] = []
        swap(&scratch, &spans.scratch)
        withText(text, &scratch) { spans.attribute(key, $0) }
        spans.scratch = scratch
    }

    /// Name and port apart.
    private static func write(host: UnsafeRawBufferPointer, to spans: SpanWriter) {
        let colon = host.lastIndex(of: UInt8(ascii: ":"))
        let bracket = host.lastIndex(of: UInt8(ascii: "]"))
        guard let colon, bracket.map({ $0 < colon }) ?? true,
            let port = UnsafeRawBufferPointer(rebasing: host[(colon + 1)...]).decimal
        else { return spans.attribute("server.address", host) }
        spans.attribute("server.address", UnsafeRawBufferPointer(rebasing: host[..<colon]))
        spans.attribute("server.port", port)
    }
}
