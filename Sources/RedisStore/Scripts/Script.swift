/// The scripts that run in Redis. Each begins with `#!lua`, so that it may touch declared keys only.
enum Script: Int, CaseIterable {
    case decide
    case lease
    case heartbeat
    case periods

    var text: String {
        switch self {
        case .decide: Self.decisionText
        case .lease: Self.leaseText
        case .heartbeat: Self.heartbeatText
        case .periods: Self.periodsText
        }
    }
}
