import HTTPWire
import LimiterCore
import Tokens

/// The limits of one kind of request, with what is needed to ask them and to say their answer prepared.
final class LimitPlan: Sendable {
    enum Value: Sendable {
        case tenant
        case method
        case clientIP
        case header(FieldName)
        case claim([UInt8])
    }

    enum VariableCost: Sendable {
        /// By `Method.rawValue`.
        case byMethod([Int64])
        case header(FieldName, otherwise: Int64)
    }

    let group: LimitGroup
    let fields: LimitFields
    /// How to find the group's dimensions in a request, in their order.
    let values: [Value]
    let variableCosts: [(index: Int, cost: VariableCost)]

    var isEmpty: Bool { group.limits.isEmpty }

    init(_ group: LimitGroup) {
        self.group = group
        fields = LimitFields(group)
        values = group.dimensions.map { dimension in
            switch dimension {
            case .tenant: .tenant
            case .method: .method
            case .clientIP: .clientIP
            case .header(let name): .header(Self.name(name))
            case .claim(let name): .claim(Array(name.utf8))
            case .service, .route: preconditionFailure("the group's routes fix these")
            }
        }
        variableCosts = group.variableCosts.compactMap { index in
            switch group.limits[index].limit.cost {
            case .fixed: nil
            case .byMethod:
                (
                    index,
                    .byMethod(
                        Method.allCases.map { group.limits[index].limit.cost.units(method: "\($0.name)") })
                )
            case .header(let name, let otherwise): (index, .header(Self.name(name), otherwise: otherwise))
            }
        }
    }

    private static func name(_ text: String) -> FieldName {
        guard let name = FieldName(text) else { preconditionFailure("the configuration checks field names") }
        return name
    }

    /// Makes `call` ask for this request: one value a dimension, and the costs that depend on the request.
    func fill(
        _ call: LimitCall, _ operation: LimitCall.Operation, from head: borrowing RequestHead, tenant: Tenant,
        claims: Claims? = nil, client: ClientAddress
    ) {
        call.prepare(group, operation)
        for value in values {
            switch value {
            case .tenant: tenant.name.withUnsafeBytes { call.appendValue($0) }
            case .method: head.method.name.withUTF8Buffer { call.appendValue(UnsafeRawBufferPointer($0)) }
            case .clientIP: call.appendValue(client)
            case .header(let name):
                if let index = head.fields.firstIndex(named: name) {
                    head.fields.withValue(at: index) { call.appendValue($0) }
                } else {
                    call.appendValue(UnsafeRawBufferPointer(start: nil, count: 0))
                }
            case .claim(let name):
                if let text = claims?.text(named: name) {
                    text.withUnsafeBytes { call.appendValue($0) }
                } else {
                    call.appendValue(UnsafeRawBufferPointer(start: nil, count: 0))
                }
            }
        }
        for (index, cost) in variableCosts {
            switch cost {
            case .byMethod(let units): call.costs[index] = units[Int(head.method.rawValue)]
            case .header(let name, let otherwise):
                call.costs[index] =
                    head.fields.firstIndex(named: name).flatMap { position in
                        head.fields.withValue(at: position) { Cost.units(parsing: $0) }
                    } ?? otherwise
            }
        }
    }
}
