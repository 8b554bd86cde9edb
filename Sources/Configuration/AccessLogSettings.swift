package enum AccessLogSettings: Hashable, Sendable {
    case off
    case standardOutput
    case file(String)
}
