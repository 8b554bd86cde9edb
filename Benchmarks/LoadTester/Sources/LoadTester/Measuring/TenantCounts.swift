/// How one tenant's requests ended, warm-up excluded.
struct TenantCounts: Sendable {
    var admitted: UInt32 = 0
    var refused: UInt32 = 0
    var other: UInt32 = 0
    var failed: UInt32 = 0

    var total: Int { Int(admitted) + Int(refused) + Int(other) + Int(failed) }

    mutating func count(_ outcome: Observation.Outcome) {
        switch outcome {
        case .admitted: admitted += 1
        case .refused: refused += 1
        case .unknown: other += 1
        }
    }

    mutating func add(_ part: TenantCounts) {
        admitted += part.admitted
        refused += part.refused
        other += part.other
        failed += part.failed
    }
}
