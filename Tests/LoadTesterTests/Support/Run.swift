import LoadTester

/// A plan against one port of this machine, run to its report.
func report(
    on port: Int, path: String = "/", scheme: String = "http", requests: Int? = 100, phases: [String] = ["hold:60s"],
    assertions: String? = nil, _ change: (inout LoadPlan) throws -> Void = { _ in }
) async throws -> Report {
    let phases = try phases.map { try Phase(parsing: $0) }
    var plan = LoadPlan(
        targets: [try Target(parsing: "\(scheme)://127.0.0.1:\(port)\(path)")], requests: try Requests(),
        phases: phases, seed: 1)
    plan.requestCount = requests
    plan.connections = 4
    if phases.contains(where: { !$0.pieces.isEmpty }) { plan.pace = .open(.even) }
    try change(&plan)
    let conditions = try assertions.map { try Condition.parse($0, "--assert", known: Report.figures) } ?? []
    return Report(try await LoadTest(plan).run(), assertions: conditions)
}

/// A limit whose clock window does not end while a test runs: they are a year long.
let yearly = "10/52w"
