import HTTPWire
import Telemetry
import WeirConfiguration

/// Whose traces are continued, and which of those that begin here are recorded.
struct TracingPlan: Sendable {
    let sampler: Sampler
    let trustsEveryone: Bool

    init(_ settings: TracingSettings) {
        sampler = Sampler(share: settings.sample)
        trustsEveryone = settings.trust == .everyone
    }
}

/// Where one exchange is in its trace.
struct ExchangeTrace {
    /// The span of the exchange.
    var context: TraceContext
    /// The span of whoever asked; 0: the trace begins here.
    let parent: UInt64
    /// Whether the `tracestate` that came is passed on.
    let keepsState: Bool
    /// The span of the attempt that is under way; 0: none is.
    var attempt: UInt64 = 0
    var attemptStartedAt: Int64 = 0
    /// Attempts that have begun.
    var attempts: Int64 = 0

    /// Continues the trace that the fields name, or begins one.
    init(
        _ fields: borrowing HeadFields, isTrustedProxy: Bool, _ plan: TracingPlan, _ ids: inout IDGenerator
    ) {
        if plan.trustsEveryone || isTrustedProxy, let caller = TraceContext(of: fields) {
            parent = caller.span
            context = TraceContext(trace: caller.trace, span: ids.span(), flags: caller.flags)
            keepsState = Self.isState(fields)
        } else {
            let trace = ids.trace()
            parent = 0
            context = TraceContext(
                trace: trace, span: ids.span(), flags: plan.sampler.takes(trace.low) ? 1 : 0)
            keepsState = false
        }
    }

    private static func isState(_ fields: borrowing HeadFields) -> Bool {
        guard fields.contains(.tracestate) else { return false }
        var members = 0
        var index = fields.firstIndex(of: .tracestate)
        while let place = index {
            guard let more = fields.withValue(at: place, { TraceState.members(in: $0) }) else { return false }
            members += more
            index = fields.firstIndex(of: .tracestate, from: place + 1)
        }
        return members <= TraceState.mostMembers
    }

    // MARK: To the upstream

    /// Of what `write` adds, in bytes.
    static let bound = 13 + TraceContext.length + 2

    func removeFields(_ fields: inout HeadFields) {
        fields.remove(.traceparent)
        if !keepsState { fields.remove(.tracestate) }
    }

    func write(to cursor: inout ByteCursor) {
        cursor.write("traceparent: 00-")
        cursor.write(hexadecimal: context.trace.high)
        cursor.write(hexadecimal: context.trace.low)
        cursor.write("-")
        cursor.write(hexadecimal: attempt)
        cursor.write("-")
        cursor.write(hexadecimal: UInt64(context.flags), digits: 2)
        cursor.write("\r\n")
    }
}

extension TraceContext {
    /// What the one `traceparent` of a request says; nil where there is none that can be read, or several.
    init?(of fields: borrowing HeadFields) {
        guard let index = fields.firstReceived(.traceparent),
            fields.firstReceived(.traceparent, from: index + 1) == nil,
            let context = fields.withValue(at: index, { TraceContext(parsing: $0) })
        else { return nil }
        self = context
    }
}

extension HeadFields {
    /// The field may have been removed since.
    fileprivate func firstReceived(_ known: KnownField, from start: Int = 0) -> Int? {
        for index in start..<max(start, count) where self[index].known == known { return index }
        return nil
    }
}
