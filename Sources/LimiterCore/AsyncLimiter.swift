/// A question that is asked once, from the control plane: the facts as values rather than as bytes of a request.
package struct LimitQuestion: Sendable {
    package var group: LimitGroup
    package var operation: LimitCall.Operation
    package var tenant: String
    package var method: String
    package var clientIP: ClientAddress?
    /// Lowercase names.
    package var headers: [String: String]
    package var claims: [String: String]
    /// Instead of every limit's own cost; at most `Cost.maximum`.
    package var cost: Int64?

    package init(_ group: LimitGroup, _ operation: LimitCall.Operation, tenant: String) {
        self.group = group
        self.operation = operation
        self.tenant = tenant
        method = ""
        clientIP = nil
        headers = [:]
        claims = [:]
        cost = nil
    }

    func makeCall() -> LimitCall {
        let call = LimitCall()
        call.prepare(group, operation)
        call.reportsReset = true
        for dimension in group.dimensions {
            switch dimension {
            case .tenant: call.appendValue(tenant)
            case .method: call.appendValue(method)
            case .clientIP:
                if let address = clientIP { call.appendValue(address) } else { call.appendValue("") }
            case .header(let name): call.appendValue(headers[name] ?? "")
            case .claim(let name): call.appendValue(claims[name] ?? "")
            case .service, .route: preconditionFailure("the group's routes fix these")
            }
        }
        for index in group.limits.indices { call.costs[index] = units(of: group.limits[index].limit) }
        return call
    }

    /// What the request takes from `limit`.
    private func units(of limit: Limit) -> Int64 {
        if let cost { return cost }
        guard case .header(let name, let otherwise) = limit.cost else { return limit.cost.units(method: method) }
        return headers[name].flatMap { Cost.units(parsing: $0.utf8) } ?? otherwise
    }
}

/// Asks a store that belongs to an event loop from anywhere.
///
/// `@unchecked Sendable`: the store is touched only inside `run`, which executes on the store's loop.
package final class AsyncLimiter: @unchecked Sendable {
    private let store: any LimitStore
    private let run: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// `run` executes its argument on the event loop that the store belongs to.
    package init(store: any LimitStore, run: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        self.store = store
        self.run = run
    }

    package func decide(_ question: LimitQuestion) async -> Decision {
        await withCheckedContinuation { continuation in
            run {
                let call = question.makeCall()
                call.receiver = Receiver(continuation)
                self.store.decide(call)
            }
        }
    }

    private final class Receiver: DecisionReceiver {
        private let continuation: CheckedContinuation<Decision, Never>

        init(_ continuation: CheckedContinuation<Decision, Never>) { self.continuation = continuation }

        func decided(_ call: LimitCall) { continuation.resume(returning: call.decision) }
    }
}
