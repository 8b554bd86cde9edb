import HTTPWire
import WeirConfiguration

/// What a request's method, fields and query must be for a route to take it.
struct RouteConditions: Sendable {
    private enum Test: Sendable {
        case equals([UInt8])
        case isPresent
        case isAbsent
    }

    let methods: MethodSet
    private let fields: [(name: FieldName, test: Test)]
    private let parameters: [(name: [UInt8], test: Test)]
    /// Whether every request meets them.
    let areNone: Bool

    init(_ route: Route) {
        methods = route.methods.isEmpty ? .all : MethodSet(route.methods)
        var fields: [(FieldName, Test)] = []
        var parameters: [([UInt8], Test)] = []
        for condition in route.conditions {
            let test: Test =
                switch condition.test {
                case .equals(let text): .equals(Array(text.utf8))
                case .isPresent: .isPresent
                case .isAbsent: .isAbsent
                }
            switch condition.source {
            case .header(let name):
                guard let name = FieldName(name) else { preconditionFailure("the configuration checks field names") }
                fields.append((name, test))
            case .query(let name): parameters.append((Array(name.utf8), test))
            }
        }
        self.fields = fields
        self.parameters = parameters
        areNone = methods == .all && fields.isEmpty && parameters.isEmpty
    }

    /// All but the method. Of a field or a parameter that is there more than once, the first counts.
    func hold(for head: borrowing RequestHead) -> Bool {
        for (name, test) in fields {
            let index = head.fields.firstIndex(named: name)
            switch test {
            case .isPresent: guard index != nil else { return false }
            case .isAbsent: guard index == nil else { return false }
            case .equals(let value):
                guard let index, head.fields.withValue(at: index, { $0.elementsEqual(value) }) else { return false }
            }
        }
        guard !parameters.isEmpty else { return true }
        return head.fields.withBytes(head.query) { query in
            parameters.allSatisfy { Self.holds($0.test, for: $0.name, in: query) }
        }
    }

    private static func holds(_ test: Test, for name: [UInt8], in query: UnsafeRawBufferPointer) -> Bool {
        var rest = QueryParameters(query)
        while let parameter = rest.next() {
            guard QueryParameters.isSame(UnsafeRawBufferPointer(rebasing: query[parameter.name]), name) else {
                continue
            }
            switch test {
            case .isPresent: return true
            case .isAbsent: return false
            case .equals(let value):
                return QueryParameters.isSame(UnsafeRawBufferPointer(rebasing: query[parameter.value]), value)
            }
        }
        if case .isAbsent = test { return true }
        return false
    }
}
