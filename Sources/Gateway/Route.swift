import HTTPWire
import LimiterCore

/// Finds the route: by host, and by the path in the one form in which it is also limited and forwarded.
enum Routing {
    private static let budgetPath: StaticString = "/.well-known/rate-limit"

    static func step(_ exchange: Exchange) -> Step {
        let client = exchange.client
        do throws(WireError) {
            try exchange.path.resolve(client.reader.head)
        } catch {
            exchange.keepsAlive = false
            exchange.fault = error.code
            return .respond(Problem(refusing: error.status))
        }
        if case .length(let length) = client.reader.head.framing, length > exchange.edition.longestBody {
            return .respond(.bodyTooLarge)
        }
        if isBudget(exchange) {
            guard client.reader.head.method == .get || client.reader.head.method == .head else {
                return .respond(.methodNotAllowed)
            }
            exchange.asksForBudget = true
            return .next
        }
        exchange.place = find(exchange)
        return exchange.place == nil ? .respond(.noRoute) : .next
    }

    private static func isBudget(_ exchange: Exchange) -> Bool {
        exchange.path.withBytes(of: exchange.client.reader.head) {
            $0.count == budgetPath.utf8CodeUnitCount
                && $0.elementsEqual(
                    UnsafeRawBufferPointer(start: budgetPath.utf8Start, count: budgetPath.utf8CodeUnitCount))
        }
    }

    private static func find(_ exchange: Exchange) -> RouteTable.Place? {
        exchange.path.withBytes(of: exchange.client.reader.head) { path in
            exchange.client.reader.head.fields.withValue(of: .host) {
                exchange.edition.plan.routes.find(host: $0, path: path)
            }
                ?? exchange.edition.plan.routes.find(host: UnsafeRawBufferPointer(start: nil, count: 0), path: path)
        }
    }
}
