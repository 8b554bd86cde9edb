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
            guard MethodSet.reading.contains(client.reader.head.method) else {
                exchange.allowedMethods = .reading
                return .respond(.methodNotAllowed)
            }
            exchange.asksForBudget = true
            return .next
        }
        switch find(exchange) {
        case .found(let place):
            exchange.place = place
            if let route = exchange.edition.plan.services[place.service].routes[place.route].extra {
                take(route, exchange)
            }
            return .next
        case .notAllowed(let methods):
            exchange.allowedMethods = methods
            return .respond(.methodNotAllowed)
        case .none: return .respond(.noRoute)
        }
    }

    private static func take(_ route: RoutePlan, _ exchange: Exchange) {
        exchange.route = route
        guard let places = route.parameters else { return }
        exchange.path.withBytes(of: exchange.client.reader.head) { exchange.parameters.locate(places, in: $0) }
    }

    private static func isBudget(_ exchange: Exchange) -> Bool {
        exchange.path.withBytes(of: exchange.client.reader.head) {
            $0.count == budgetPath.utf8CodeUnitCount
                && $0.elementsEqual(
                    UnsafeRawBufferPointer(start: budgetPath.utf8Start, count: budgetPath.utf8CodeUnitCount))
        }
    }

    private static func find(_ exchange: Exchange) -> RouteTable.Outcome {
        let client = exchange.client
        return exchange.path.withBytes(of: client.reader.head) { path in
            client.reader.head.fields.withValue(of: .host) {
                exchange.edition.plan.routes.find(host: $0, path: path, for: client.reader.head)
            }
                ?? exchange.edition.plan.routes.find(
                    host: UnsafeRawBufferPointer(start: nil, count: 0), path: path, for: client.reader.head)
        }
    }
}
