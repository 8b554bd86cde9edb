import LimiterCore

/// When an attempt is repeated, and when a service is left alone.
extension ResilienceReader {
    func readRetries(_ section: Section, _ key: String) -> RetryRules? {
        let keys = ["attempts", "on", "methods", "backoff", "max_backoff", "budget", "max_body"]
        guard let retries = section.section(key, keys: keys) else { return nil }
        var rules = RetryRules()
        if let attempts = retries.integer("attempts", in: 2...10) { rules.attempts = attempts }
        if let list = retries.list("on", of: "failures like [connect, reset, 503]") {
            readCauses(list, retries, &rules)
        }
        if let list = retries.list("methods", of: "methods like [GET, PUT]") {
            rules.methods = readMethods(list, retries)
        }
        let range = Duration.milliseconds(1)...Duration.seconds(60)
        if let backoff = retries.duration("backoff", in: range) { rules.backoff = backoff }
        if let most = retries.duration("max_backoff", in: range) {
            rules.maximumBackoff = most
            if most < rules.backoff {
                faults.add(
                    "`\(retries.title("max_backoff"))` is less than `backoff`, which is \(DurationText.describe(rules.backoff)); raise it",
                    retries.place(of: "max_backoff") ?? retries.position)
            }
        }
        rules.maximumBackoff = max(rules.maximumBackoff, rules.backoff)
        if let percent = readShare(retries, "budget", in: 0...100) { rules.budgetPercent = percent }
        if let bytes = retries.bytes("max_body", in: 0...(16 << 20)) { rules.maximumBodyBytes = Int(bytes) }
        return rules
    }

    private func readCauses(_ list: [YAMLValue], _ section: Section, _ rules: inout RetryRules) {
        rules.failures = []
        rules.statuses = StatusSet()
        let title = section.title("on")
        if list.isEmpty {
            faults.add(
                "`\(title)` is empty; write `retries: off` for that", section.place(of: "on") ?? section.position)
        }
        for element in list {
            if case .scalar(let text, _) = element.content, let failure = RetryRules.Failure(rawValue: text) {
                rules.failures.insert(failure)
            } else if let statuses = readStatuses(element), statuses.lowerBound >= 400 {
                for status in statuses { rules.statuses.insert(status) }
            } else {
                faults.add(
                    "\(element.kind) is no value of `\(title)`; use connect, reset, timeout, and statuses from 400 on, like 503 or 5xx",
                    element.position)
            }
        }
    }

    private func readMethods(_ list: [YAMLValue], _ section: Section) -> Set<String> {
        var methods: Set<String> = []
        for element in list {
            guard case .scalar(let text, _) = element.content, RetryRules.repeatable.contains(text) else {
                faults.add(
                    "\(element.kind) in `\(section.title("methods"))` is not a method that can be repeated; there are \(RetryRules.repeatable.sorted().joined(separator: ", "))",
                    element.position)
                continue
            }
            methods.insert(text)
        }
        return methods
    }

    func readBreaker(_ section: Section, _ key: String) -> BreakerRules? {
        let keys = [
            "window", "min_requests", "error_ratio", "consecutive_failures", "slow", "failures", "open", "max_open",
            "probes",
        ]
        guard let breaker = section.section(key, keys: keys) else { return nil }
        var rules = BreakerRules()
        if let window = breaker.duration("window", in: Duration.milliseconds(100)...Duration.seconds(600)) {
            rules.window = window
        }
        if let least = breaker.integer("min_requests", in: 1...1_000_000) { rules.minimumRequests = least }
        if let percent = readShare(breaker, "error_ratio", in: 1...100) { rules.errorPercent = percent }
        rules.consecutiveFailures = breaker.integer("consecutive_failures", in: 1...1_000_000)
        if breaker.has("slow") { rules.slow = readSlow(breaker) }
        if let list = breaker.list("failures", of: "statuses like [500, 503] or [5xx]") {
            rules.failures = readFailures(list, breaker)
        }
        let range = Duration.milliseconds(10)...Duration.seconds(3600)
        if let open = breaker.duration("open", in: range) { rules.open = open }
        if let longest = breaker.duration("max_open", in: range) {
            rules.longestOpen = longest
            if longest < rules.open {
                faults.add(
                    "`\(breaker.title("max_open"))` is less than `open`, which is \(DurationText.describe(rules.open)); raise it",
                    breaker.place(of: "max_open") ?? breaker.position)
            }
        }
        rules.longestOpen = max(rules.longestOpen, rules.open)
        if let probes = breaker.integer("probes", in: 1...1000) { rules.probes = probes }
        return rules
    }

    private func readSlow(_ breaker: Section) -> BreakerRules.Slow? {
        guard let slow = breaker.section("slow", keys: ["over", "ratio"]) else { return nil }
        for key in ["over", "ratio"] where !slow.has(key) {
            faults.add("`\(slow.name)` says no `\(key)`; write it like {over: 2s, ratio: 80%}", slow.position)
        }
        guard let over = slow.duration("over", in: Duration.milliseconds(1)...Duration.seconds(3600)),
            let percent = readShare(slow, "ratio", in: 1...100)
        else { return nil }
        return BreakerRules.Slow(over: over, percent: percent)
    }

    private func readFailures(_ list: [YAMLValue], _ section: Section) -> StatusSet {
        var failures = StatusSet()
        for element in list {
            if let statuses = readStatuses(element) {
                for status in statuses { failures.insert(status) }
            } else {
                faults.add(
                    "\(element.kind) in `\(section.title("failures"))` is not a status; write them like 503 or 5xx",
                    element.position)
            }
        }
        return failures
    }

    private func readStatuses(_ value: YAMLValue) -> ClosedRange<Int>? {
        if case .scalar(let text, _) = value.content { StatusSet.statuses(text) } else { nil }
    }

    private func readShare(_ section: Section, _ key: String, in range: ClosedRange<Int>) -> Int? {
        section.read(key, "a share like 20%") { text throws(ConfigurationError) in
            try Percentage.parse(text, section.title(key), in: range)
        }
    }
}
