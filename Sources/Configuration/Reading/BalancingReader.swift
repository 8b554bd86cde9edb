/// Reads how the upstreams of a service share its requests.
struct BalancingReader {
    let faults: Faults
    /// Whether requests may have one.
    let hasTenants: Bool

    /// Of a service.
    static let keys = ["balance", "health", "ejection", "connections"]

    func read(_ service: Section) -> BalancingSettings {
        var settings = BalancingSettings()
        if let rule = readRule(service) { settings.rule = rule }
        settings.health = readHealth(service)
        settings.ejection = readEjection(service)
        settings.connections = readConnections(service)
        return settings
    }

    private func readRule(_ service: Section) -> BalancingSettings.Rule? {
        guard let value = service.value("balance") else { return nil }
        guard case .mapping = value.content else {
            return service.choice("balance", [("least_requests", .leastRequests), ("round_robin", .roundRobin)])
        }
        let faultsBefore = faults.count
        guard let section = Section(value, service.title("balance"), keys: ["hash"], faults) else { return nil }
        guard section.has("hash") else {
            guard faults.count == faultsBefore else { return nil }
            faults.add(
                "`\(section.name)` should be least_requests, round_robin, or like {hash: tenant}", section.position)
            return nil
        }
        return section.read("hash", "tenant, client_ip or header:<name>") { text throws(ConfigurationError) in
            switch text {
            case "tenant":
                guard hasTenants else {
                    throw ConfigurationError(
                        "`hash: tenant` needs tenants, and without an `identity` requests have none; add one, or hash by client_ip"
                    )
                }
                return .hash(.tenant)
            case "client_ip": return .hash(.clientIP)
            default:
                let name = String(text.dropFirst("header:".count)).lowercased()
                guard text.hasPrefix("header:"), HeaderName.isValid(name) else {
                    throw ConfigurationError(
                        "`\(text)` is nothing to hash requests by; use tenant, client_ip or header:<name>")
                }
                return .hash(.header(name))
            }
        }
    }

    private func readHealth(_ service: Section) -> BalancingSettings.Health? {
        let keys = ["path", "interval", "timeout", "unhealthy_after", "healthy_after", "status"]
        guard let section = service.section("health", keys: keys) else { return nil }
        var health = BalancingSettings.Health()
        if !section.has("path") {
            faults.add("`\(section.name)` has no path; add one, like `path: /healthz`", section.position)
        }
        let path = section.read("path", "a path like /healthz") { text throws(ConfigurationError) in
            guard text.hasPrefix("/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.contains("#") else {
                throw ConfigurationError("`\(text)` is not a path to ask; write it like /healthz")
            }
            return text
        }
        if let path { health.path = path }
        let times = Duration.milliseconds(10)...Duration.seconds(3600)
        if let interval = section.duration("interval", in: times) { health.interval = interval }
        if let timeout = section.duration("timeout", in: times) { health.timeout = timeout }
        if let count = section.integer("unhealthy_after", in: 1...100) { health.unhealthyAfter = count }
        if let count = section.integer("healthy_after", in: 1...100) { health.healthyAfter = count }
        if let statuses = readStatuses(section) { health.statuses = statuses }
        return health
    }

    private func readStatuses(_ section: Section) -> [ClosedRange<Int>]? {
        guard let value = section.value("status") else { return nil }
        let elements = if case .list(let list) = value.content { list } else { [value] }
        let ranges: [ClosedRange<Int>] = elements.compactMap { element in
            if case .scalar(let text, _) = element.content {
                let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
                if let first = bounds.first, let last = bounds.last, bounds.count <= 2, let first, let last,
                    200 <= first, first <= last, last <= 599
                {
                    return first...last
                }
            }
            faults.add(
                "\(element.kind) in `\(section.title("status"))` is not a status; write them like 200, or 200-299",
                element.position)
            return nil
        }
        if elements.isEmpty {
            faults.add(
                "`\(section.title("status"))` names no status, so that nothing would be healthy; write it like 200-299",
                value.position)
        }
        return ranges
    }

    private func readEjection(_ service: Section) -> BalancingSettings.Ejection? {
        var ejection = BalancingSettings.Ejection()
        guard let value = service.value("ejection") else { return ejection }
        if case .scalar("off", _) = value.content { return nil }
        let keys = ["consecutive_failures", "duration", "most"]
        guard case .mapping = value.content else {
            faults.add(
                "`\(service.title("ejection"))` should be off, or a mapping with keys like `\(keys[0])`, but is \(value.kind)",
                value.position)
            return ejection
        }
        guard let section = service.section("ejection", keys: keys) else { return ejection }
        if let count = section.integer("consecutive_failures", in: 1...1000) { ejection.consecutiveFailures = count }
        let times = Duration.milliseconds(10)...BalancingSettings.Ejection.longest
        if let duration = section.duration("duration", in: times) { ejection.duration = duration }
        let most = section.read("most", "a part of the upstreams like 50%") { text throws(ConfigurationError) in
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()), (0...100).contains(percent) else {
                throw ConfigurationError(
                    "`\(text)` is no value of `\(section.title("most"))`; write a part of the upstreams from 0% to 100%"
                )
            }
            return percent
        }
        if let most { ejection.most = most }
        return ejection
    }

    private func readConnections(_ service: Section) -> BalancingSettings.Connections {
        var connections = BalancingSettings.Connections()
        guard let section = service.section("connections", keys: ["max", "waiting"]) else { return connections }
        connections.maximum = section.integer("max", in: 1...100_000)
        connections.waiting = section.integer("waiting", in: 0...1_000_000)
        return connections
    }
}
