import LimiterCore

/// Reads what services and routes say about upstreams that fail, and checks in the end that the services which they name
/// are there.
final class ResilienceReader {
    /// Of services and of routes.
    static let keys = ["timeouts", "retries", "breaker", "on_failure", "stale", "concurrency"]

    let faults: Faults
    /// The longest that a connection may take to be made.
    private let connect: Duration
    private var fallbacks: [Fallback] = []
    /// Where each service, or a route of it, asks for last good answers, and where it says how they are kept.
    private var uses: [String: Bool] = [:]
    private var declarations: [(service: String, place: Position)] = []

    private struct Fallback {
        var from: String
        var to: String
        var place: Position
    }

    init(faults: Faults, connect: Duration) {
        self.faults = faults
        self.connect = connect
    }

    /// `section` is the service's that is named, or one of its routes'.
    func read(_ section: Section, of service: String) -> Resilience {
        var found = Resilience()
        found.timeouts = readTimeouts(section)
        found.retries = toggle(section, "retries", readRetries)
        found.breaker = toggle(section, "breaker", readBreaker)
        found.onFailure = readAnswers(section, of: service)
        found.stale = readStale(section)
        found.concurrency = toggle(section, "concurrency") { section, key in
            guard let rules = section.section(key, keys: ["max"]) else { return nil }
            if !rules.has("max") { faults.add("`\(key)` says no `max`; add one, like `max: 200`", rules.position) }
            return rules.integer("max", in: 1...1_000_000)
        }
        if found.onFailure?.contains(.stale) == true { uses[service] = true }
        if found.stale != nil, let place = section.place(of: "stale") { declarations.append((service, place)) }
        return found
    }

    /// Names of services that others fall back to.
    var fallbackServices: Set<String> { Set(fallbacks.map(\.to)) }

    /// All services have been read.
    func finish(_ services: [String]) {
        var next: [String: Set<String>] = [:]
        for fallback in fallbacks where checkName(fallback, services) {
            next[fallback.from, default: []].insert(fallback.to)
        }
        for fallback in fallbacks where fallback.from != fallback.to && leads(fallback.to, to: fallback.from, next) {
            faults.add(
                "the services `\(fallback.from)` and `\(fallback.to)` are each other's fallback, which would help neither; remove one",
                fallback.place)
            return
        }
        for declaration in declarations where uses[declaration.service] != true {
            faults.add(
                "`stale` keeps answers that nothing asks for; add `on_failure: stale` to the service or the route",
                declaration.place)
        }
    }

    private func checkName(_ fallback: Fallback, _ services: [String]) -> Bool {
        guard fallback.from != fallback.to else {
            faults.add("the service `\(fallback.to)` cannot be its own fallback; name another", fallback.place)
            return false
        }
        guard !services.contains(fallback.to) else { return true }
        let hint =
            Spelling.nearest(fallback.to, in: services).map { "did you mean `\($0)`?" }
            ?? "there are \(services.joined(separator: ", "))"
        faults.add("there is no service `\(fallback.to)` to fall back to; \(hint)", fallback.place)
        return false
    }

    private func leads(_ start: String, to end: String, _ next: [String: Set<String>]) -> Bool {
        var seen: Set<String> = []
        var open = [start]
        while let service = open.popLast() {
            if service == end { return true }
            guard seen.insert(service).inserted else { continue }
            open += next[service] ?? []
        }
        return false
    }

    // MARK: Parts

    /// `off`, or a mapping.
    private func toggle<Rules>(
        _ section: Section, _ key: String, _ read: (Section, String) -> Rules?
    ) -> Toggle<Rules>? {
        guard section.has(key) else { return nil }
        if let value = section.peek(key), case .scalar("off", _) = value.content { return .off }
        return read(section, key).map(Toggle.on)
    }

    private func readTimeouts(_ section: Section) -> AttemptTimeouts? {
        guard let times = section.section("timeouts", keys: ["connect", "try", "total"]) else { return nil }
        let range = Duration.milliseconds(1)...Duration.seconds(3600)
        var timeouts = AttemptTimeouts()
        timeouts.connect = times.duration("connect", in: range)
        timeouts.attempt = times.duration("try", in: range)
        timeouts.total = times.duration("total", in: range)
        if let time = timeouts.connect, time > connect, let place = times.place(of: "connect") {
            faults.add(
                "`\(times.title("connect"))` is \(DurationText.describe(time)), but `gateway.timeouts.connect` ends it after \(DurationText.describe(connect)); raise that one too",
                place)
        }
        if let total = timeouts.total, let time = [timeouts.connect, timeouts.attempt].compactMap({ $0 }).max(),
            time > total, let place = times.place(of: "total")
        {
            faults.add(
                "`\(times.title("total"))` is \(DurationText.describe(total)), less than the \(DurationText.describe(time)) that a part of it may take; raise it",
                place)
        }
        return timeouts
    }

    private func readAnswers(_ section: Section, of service: String) -> [FailureAnswer]? {
        guard let place = section.place(of: "on_failure"), let value = section.value("on_failure") else { return nil }
        if case .scalar("fail", _) = value.content { return [] }
        let list = if case .list(let list) = value.content { list } else { [value] }
        var answers: [FailureAnswer] = []
        for element in list {
            switch element.content {
            case .scalar("stale", _): answers.append(.stale)
            case .mapping:
                let title = section.title("on_failure")
                guard let named = Section(element, title, keys: ["fallback"], faults),
                    let (name, position) = named.text("fallback", "a service's name")
                else { continue }
                fallbacks.append(Fallback(from: service, to: name, place: position))
                answers.append(.fallback(name))
            default:
                faults.add(
                    "\(element.kind) is no value of `\(section.title("on_failure"))`; use fail, stale, {fallback: <service>}, or a list of the last two",
                    element.position)
            }
        }
        if list.isEmpty { faults.add("`\(section.title("on_failure"))` is empty; write `fail` for that", place) }
        if Set(answers).count < answers.count || answers.count > 2 {
            faults.add("`\(section.title("on_failure"))` may name `stale` once and one fallback", place)
        }
        return answers
    }

    private func readStale(_ section: Section) -> StaleRules? {
        let keys = ["max_entries", "max_bytes", "max_body", "max_age", "vary", "shared"]
        guard let stale = section.section("stale", keys: keys) else { return nil }
        var rules = StaleRules()
        if let entries = stale.integer("max_entries", in: 1...1_000_000) { rules.maximumEntries = entries }
        if let bytes = stale.bytes("max_bytes", in: 1024...(1 << 36)) { rules.maximumBytes = Int(bytes) }
        if let bytes = stale.bytes("max_body", in: 0...(64 << 20)) { rules.maximumBodyBytes = Int(bytes) }
        if let age = stale.duration("max_age", in: Duration.seconds(1)...Duration.seconds(86_400 * 30)) {
            rules.maximumAge = age
        }
        if let shared = stale.bool("shared") { rules.isShared = shared }
        if let list = stale.list("vary", of: "header names like Accept-Language") {
            rules.vary = list.compactMap { element in
                guard case .scalar(let name, _) = element.content, HeaderName.isValid(name) else {
                    faults.add(
                        "\(element.kind) in `\(stale.title("vary"))` cannot be a header's name; use letters, digits and hyphens",
                        element.position)
                    return nil
                }
                return name.lowercased()
            }
        }
        if rules.maximumBodyBytes > rules.maximumBytes {
            faults.add(
                "`\(stale.title("max_body"))` is more than all answers may have together, `max_bytes`; lower it",
                stale.place(of: "max_body") ?? stale.place(of: "max_bytes") ?? stale.position)
        }
        return rules
    }
}
