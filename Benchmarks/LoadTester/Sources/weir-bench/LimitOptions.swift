import ArgumentParser
import LoadTester

/// What the tester is told about the limit.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The limit that the target is to keep: 100/minute (a sliding window), 10/minute,token_bucket or 10/minute,burst=20. \
            The report then says by how much it was broken.
            """, valueName: "limit"))
    var limit: String?

    @Option(
        help: ArgumentHelp("Whose the limit is: tenant (a counter each) or everyone (one for all).", valueName: "scope")
    )
    var limitPer = "tenant"

    @Option(
        help: ArgumentHelp(
            "By how much the limiter's clock may differ from this machine's. (default: 1ms on loopback, 50ms elsewhere)",
            valueName: "time"))
    var clockSkew: String?

    @Option(
        help: ArgumentHelp(
            "So many tenants more, each of which spends its budget and then tries its Retry-After: a little earlier, and at the time.",
            valueName: "count"))
    var probes = 0

    @Option(help: ArgumentHelp("What they are called.", valueName: "pattern"))
    var probeName = "probe-{run}-{n}"

    func makeClaim(targets: [Target], tenants: Tenants) throws(LoadError) -> LimitClaim? {
        guard ["tenant", "everyone"].contains(limitPer) else {
            throw LoadError(.usage, "--limit-per: `\(limitPer)` is neither tenant nor everyone")
        }
        guard let limit else {
            guard probes == 0 else { throw LoadError(.usage, "--probes needs --limit") }
            return nil
        }
        let skew = try clockSkew.map { text throws(LoadError) in try TimeText.parse(text, "--clock-skew") }
        var claim = LimitClaim(
            promise: try Promise(parsing: limit),
            skew: skew ?? (targets.allSatisfy(\.isLoopback) ? 1_000_000 : 50_000_000))
        claim.isShared = limitPer == "everyone"
        guard (0...1000).contains(probes) else { throw LoadError(.usage, "--probes must be between 0 and 1000") }
        guard probes == 0 || !(claim.isShared || tenants.isAnonymous) else {
            throw LoadError(
                .usage, "--probes needs a limit per tenant and --tenants: a probe must have a counter of its own")
        }
        guard probes <= 1 || probeName.contains("{n}") else {
            throw LoadError(.usage, "--probe-name: `\(probeName)` has no {n}, so all probes would have one name")
        }
        return claim
    }

    func probeNames(run: String) -> [String] {
        probes == 0
            ? []
            : (1...probes).map { probeName.replacing("{n}", with: String($0)).replacing("{run}", with: run) }
    }
}
