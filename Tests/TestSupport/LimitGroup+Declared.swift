package import LimiterCore

/// Limits as tests declare them, without a configuration file.
package struct DeclaredLimits {
    package let table: LimitTable

    /// One service `api` with one route `/`, under these global limits.
    package init(_ declarations: LimitDeclaration...) throws { try self.init(declarations) }

    package init(_ declarations: [LimitDeclaration]) throws {
        var scope = LimitScope()
        for declaration in declarations { try scope.declare(declaration) }
        let service = scope.service("api")
        table = LimitTable(
            global: scope,
            services: [LimitTable.ServiceLimits(name: "api", scope: service, routes: [("/", service.route("/"))])])
    }

    package var group: LimitGroup { table.services[0].routes[0] }
}

extension LimitDeclaration {
    package static func window(
        _ name: String, _ rate: String, per: [Dimension] = [.tenant],
        _ change: (inout LimitDeclaration) -> Void = { _ in }
    ) throws -> LimitDeclaration {
        var declaration = LimitDeclaration(name: name)
        declaration.rate = try Rate(parsing: rate)
        declaration.per = per
        change(&declaration)
        return declaration
    }

    /// `rate`: per hour, day, week, month or year.
    package static func calendar(
        _ name: String, _ rate: String, per: [Dimension] = [.tenant],
        _ change: (inout LimitDeclaration) -> Void = { _ in }
    ) throws -> LimitDeclaration {
        try window(name, rate, per: per) {
            $0.algorithm = .calendar
            change(&$0)
        }
    }

    /// Replaces a limit's rate, and inherits all else.
    package static func replacing(_ name: String, _ rate: String) throws -> LimitDeclaration {
        var declaration = LimitDeclaration(name: name)
        declaration.rate = try Rate(parsing: rate)
        return declaration
    }

    package static func bucket(
        _ name: String, _ rate: String, burst: Int64? = nil, per: [Dimension] = [.tenant],
        _ change: (inout LimitDeclaration) -> Void = { _ in }
    ) throws -> LimitDeclaration {
        try window(name, rate, per: per) {
            $0.algorithm = .tokenBucket
            $0.burst = burst
            change(&$0)
        }
    }
}

/// Asks a store that answers before `decide` returns.
package final class ImmediateReceiver: DecisionReceiver {
    package private(set) var decisions: [Decision] = []

    package init() {}

    package func decided(_ call: LimitCall) { decisions.append(call.decision) }
}

extension LimitStore {
    /// Asks once, with `values` for the group's dimensions in order; nil while no answer has come.
    package func ask(
        _ group: LimitGroup, _ operation: LimitCall.Operation = .decide, _ values: [String] = ["acme"],
        cost: Int64? = nil
    ) -> Decision? {
        let receiver = ImmediateReceiver()
        let call = LimitCall()
        call.prepare(group, operation)
        call.reportsReset = true
        for index in group.dimensions.indices { call.appendValue(values[index]) }
        if let cost { for index in call.costs.indices { call.costs[index] = cost } }
        call.receiver = receiver
        decide(call)
        return receiver.decisions.last
    }
}
