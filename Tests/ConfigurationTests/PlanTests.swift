import LimiterCore
import Testing
import WeirConfiguration

/// A shop whose tenants have plans; `plans` and `rest` are put in.
private func shop(
    plans: String, keys: String = "", identity: String = "", rest: String = ""
) -> String {
    """
    gateway: {trusted_proxies: [10.0.0.0/8]}
    identity:
      header: X-Tenant
      \(identity)
      api_keys:
        keys:
          - {tenant: acme, sha256: "\(String(repeating: "0a", count: 32))"\(keys)}
          - {tenant: globex, sha256: "\(String(repeating: "0b", count: 32))"}
    \(plans)
    \(rest)
    limits:
      - {name: global, per: tenant, rate: 100/minute}
      - {name: all, per: everyone, rate: 1000/minute}
      - {name: flood, per: client_ip, rate: 50/s, guard: true}
    services:
      - name: product
        routes: [{path: /product}]
        upstreams: [http://127.0.0.1:1]
        limits: [{name: global, rate: 1000/minute}]
      - name: payment
        upstreams: [http://127.0.0.1:1]
        limits: [{name: payment, per: tenant, rate: 10/minute, algorithm: token_bucket, cost: 3}]
        routes:
          - {path: /payment}
          - {path: /payment/refunds, name: refunds, limits: [{name: payment, rate: 4/minute}]}
    """
}

private let pro = """
    plans:
      - name: free
        limits: [{name: global, rate: 20/minute}]
      - name: pro
        limits:
          - {name: global, rate: 500/minute}
          - {name: global, service: product, rate: 5000/minute}
          - {name: payment, rate: 60/minute, burst: 30}
          - {name: payment, service: payment, route: refunds, burst: 9}
    """

@Suite struct PlanTests {
    private func limits(_ yaml: String) throws -> LimitTable {
        try Configuration.parse(yaml, file: "weir.yaml").limits
    }

    /// `global` of product and of payment, and `payment` of both routes of payment.
    private func capacities(_ table: LimitTable) -> [Int64] {
        [
            table.services[0].routes[0].limits[0].limit.capacity, table.services[1].routes[0].limits[0].limit.capacity,
            table.services[1].routes[0].limits[2].limit.capacity, table.services[1].routes[1].limits[2].limit.capacity,
        ]
    }

    @Test func aTenantsPlanIsThatOfItsKeyOrWhatTenantsSayOrTheDefault() throws {
        let limits = try limits(
            shop(
                plans: pro, keys: ", plan: pro", identity: "default_plan: free",
                rest: "tenants: [{name: initech, plan: pro}, {name: acme, plan: pro}]"))
        #expect(limits.plan(of: "acme")?.name == "pro")
        #expect(limits.plan(of: "initech")?.name == "pro")
        #expect(limits.plan(of: "globex")?.name == "free", "its key names none")
        #expect(limits.plan(of: "somebody")?.name == "free")
        #expect(capacities(limits.table(of: "acme")) == [5000, 500, 30, 9])
        #expect(capacities(limits.table(of: "globex")) == [20, 20, 10, 4])
        #expect(capacities(limits) == [1000, 100, 10, 4])
    }

    @Test func withoutADefaultOthersHaveWhatTheLimitsSay() throws {
        let limits = try limits(shop(plans: pro, keys: ", plan: pro"))
        #expect(limits.plan(of: "globex") == nil)
        #expect(limits.table(of: "globex") === limits)
    }

    @Test(arguments: [
        ("{name: globl, rate: 1/s}", "there is no limit `globl`; those that are per tenant are global, payment"),
        ("{name: global, rate: 1/s, service: shop}", "there is no service `shop`; the services are product, payment"),
        (
            "{name: payment, rate: 5/s, service: product}",
            "no limit `payment` that is per tenant applies to requests to `product`; those that do are global"
        ),
        (
            "{name: payment, rate: 5/s, service: payment, route: /pay}",
            "no route `/pay`; its routes are /payment, refunds"
        ),
        ("{name: all, rate: 5/s}", "the limit `all` is not kept per tenant, so it has one value for all"),
        ("{name: flood, rate: 5/s}", "the limit `flood` is decided before anybody knows whose a request is"),
        ("{name: global, rate: 5/s, burst: 9}", "`burst` belongs to `algorithm: token_bucket`"),
        ("{name: payment, rate: 2/minute}", "a request costs 3, and the limit `payment` never allows more than 2"),
        ("{name: payment, burst: 0}", "a burst must be at least 1"),
        ("{name: global, rate: 9000000000000/53weeks}", "cannot be counted exactly"),
        ("{name: global, rate: fast}", "`fast` is not a rate"),
        ("{name: global, rate: 5/hour, service: payment}", "the limit `global` is counted over all services"),
        ("{name: global}", "nothing changes here; add a `rate`"),
        ("{rate: 5/s}", "the limit has no name"),
        ("{name: global, rate: 5/s, route: refunds}", "a route is one of a service's; add `service`"),
        ("{name: global, rate: 5/s, per: everyone}", "a plan cannot change `per`"),
        ("{name: global, rate: 5/s, algorithm: token_bucket}", "a plan cannot change `algorithm`"),
        ("{name: global, rate: 5/s, shadow: true}", "a plan cannot change `shadow`"),
        ("{name: payment, rat: 5/s, burst: 9}", "did you mean `rate`?"),
    ])
    func whatAPlanCannotChangeIsAFaultAtItsLine(limit: String, says: String) {
        let found = faults(of: shop(plans: "plans:\n  - name: pro\n    limits:\n      - \(limit)"))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == 12, "\(found)")
        #expect(found.first?.message.contains(says) == true, "\(found)")
    }

    @Test(arguments: [
        ("plans: [{limits: []}]", "", "", 9, "the plan has no name"),
        ("plans: [{name: Pro}]", "", "", 9, "`Pro` cannot be a plan's name"),
        ("plans:\n  - {name: pro}\n  - {name: pro}", "", "", 11, "the plan `pro` is there already, on line 10"),
        ("plans: [{name: pro, price: 3}]", "", "", 9, "`price` is not a key of `plans`"),
        (
            "plans:\n  - name: pro\n    limits:\n      - {name: global, rate: 1/s}\n      - {name: global, rate: 2/s}",
            "", "",
            13, "the plan gives `global` a value here already, on line 12"
        ),
        ("plans: [{name: pro}]", ", plan: prp", "", 7, "there is no plan `prp`; did you mean `pro`?"),
        ("plans: [{name: pro}]", ", plan: gold", "", 7, "there is no plan `gold`; there are pro"),
        ("", ", plan: gold", "", 7, "there is no plan `gold`; there are none; add it under `plans`"),
        ("plans: [{name: pro}]", "", "tenants: [{name: acme}]", 10, "a tenant has no `plan`"),
        ("plans: [{name: pro}]", "", "tenants: [{plan: pro}]", 10, "a tenant has no `name`"),
        (
            "plans: [{name: pro}]", "", "tenants:\n  - {name: x, plan: pro}\n  - {name: x, plan: pro}", 12,
            "the tenant `x` is there already, on line 11"
        ),
        (
            "plans: [{name: pro}, {name: free}]", ", plan: pro", "tenants: [{name: acme, plan: free}]", 10,
            "the tenant `acme` has the plan `free` here and `pro` in weir.yaml:7; a tenant has one plan"
        ),
    ])
    func plansAndWhoHasThemAreChecked(plans: String, keys: String, rest: String, line: Int, says: String) {
        let found = faults(of: shop(plans: plans, keys: keys, rest: rest))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == line, "\(found)")
        #expect(found.first?.message.contains(says) == true, "\(found)")
    }

    @Test func withoutAnIdentityNobodyHasAPlan() {
        let services = "\nservices: [{name: a, routes: [{path: /}], upstreams: [http://127.0.0.1:1]}]"
        let plans = "plans: [{name: pro}]\n"
        #expect(faults(of: plans + "tenants: [{name: acme, plan: pro}]" + services).map(\.line) == [2])
        #expect(faults(of: plans + "identity: {default_plan: pro}" + services).map(\.line) == [2])
    }

    @Test func keysOfAFileHavePlansToo() throws {
        let scratch = try Scratch()
        let hash = String(repeating: "0c", count: 32)
        _ = try scratch.write("keys.yaml", "- {tenant: acme, sha256: \"\(hash)\", plan: free}\n")
        let yaml = shop(plans: pro, keys: ", plan: pro").replacing("api_keys:", with: "api_keys:\n    file: keys.yaml")
        let path = try scratch.write("weir.yaml", yaml)
        let error = #expect(throws: ConfigurationErrors.self) { try Configuration.load(path: path) }
        #expect(error?.errors.count == 1)
        #expect(
            error?.description.contains("keys.yaml:1: the tenant `acme` has the plan `free` here and `pro` in") == true)
    }
}
