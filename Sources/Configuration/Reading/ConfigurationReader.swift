import LimiterCore

/// Makes a configuration of a document, section by section, and goes on after a fault, so that all are found.
struct ConfigurationReader {
    let faults: Faults
    /// Of the configuration whose place this one takes; nil: of none.
    var previous: LimitTable?

    /// nil, or a configuration that must not be used, where there are faults.
    func read(_ root: YAMLValue) -> Configuration? {
        let keys = [
            "gateway", "control", "store", "usage", "tracing", "logging", "dns", "identity", "plans", "tenants",
            "limits",
            "services",
        ]
        let notBuilt = ["grpc": "remove it, and ask over HTTP: POST /v1/check on the control port"]
        guard let file = Section(root, "", keys: keys, notBuilt: notBuilt, faults) else { return nil }
        let gateway = readGateway(file)
        let hasFaultyProxies = !faults.isEmpty && file.has("trusted_proxies", in: "gateway")
        let control = readControl(file)
        checkPorts(file, gateway, control)
        let store = readStore(file)
        let usage = readUsage(file)
        let dns = readDNS(file)
        let tracing = readTracing(file)
        let logging = readLogging(file)
        let plans = PlanReader(faults: faults)
        let declaredPlans = plans.read(file)
        var assignments = PlanAssignments(known: declaredPlans.map(\.name))
        var faultsBefore = faults.count
        let identity = readIdentity(
            file, hasTrustedProxies: hasFaultyProxies || !gateway.trustedProxies.isEmpty, &assignments)
        AccessLogReader(faults: faults).check(gateway.accessLog, identity, file)
        // Where the identity is faulty, limits per tenant are no fault of their own.
        let hasTenants = !identity.isAnonymous || faults.count > faultsBefore
        assignments.read(file, hasTenants: hasTenants, faults)
        let facts: AuthorizationReader.Facts = faults.count > faultsBefore ? .everything : .init(identity)
        faultsBefore = faults.count
        let limits = LimitReader(faults: faults, hasTenants: hasTenants, hasTokens: facts.hasTokens)
        var global = LimitScope()
        limits.read(file, into: &global)
        let services = ServiceReader(
            faults: faults, limits: limits, authorization: AuthorizationReader(faults: faults, facts: facts),
            transformations: TransformationReader(
                faults: faults, reserved: FieldTarget.Reserved(identity), hasTokens: facts.hasTokens),
            resilience: ResilienceReader(faults: faults, connect: gateway.timeouts.connect)
        ).read(file, global)
        // Where limits are faulty, what plans change of them is no fault of its own.
        guard faults.count == faultsBefore else { return nil }
        var table = LimitTable(global: global, services: services.map(\.limits), after: previous)
        var made = plans.make(declaredPlans, of: table)
        guard faults.isEmpty else { return nil }
        assignments.apply(to: &made)
        table = table.serving(made)
        if let store, let refusal = Configuration.refusal(of: table, in: store.redis) {
            faults.add(refusal, file.place(of: "redis", in: "store") ?? .start)
        }
        var configuration = Configuration(
            gateway: gateway, control: control, store: store, identity: identity, services: services.map(\.service),
            limits: table)
        configuration.usage = usage
        configuration.files = faults.files
        configuration.dns = dns
        configuration.tracing = tracing
        configuration.logging = logging
        return configuration
    }

    private func checkPorts(_ file: Section, _ gateway: GatewaySettings, _ control: ControlSettings) {
        guard gateway.listen.port != 0, gateway.listen.port == control.listen.port,
            gateway.listen.host == control.listen.host || gateway.listen.isEverywhere || control.listen.isEverywhere
        else { return }
        faults.add(
            "gateway and control would both listen on port \(control.listen.port); give one of them another",
            file.place(of: "control") ?? file.place(of: "gateway") ?? .start)
    }
}

extension ListenAddress {
    fileprivate var isEverywhere: Bool { host == "0.0.0.0" || host == "::" }
}
