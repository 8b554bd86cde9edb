import Foundation

/// Windows begin and end by the clock, so that one of them may end within a test: then its budget is there a second time.
enum LongWindow {
    /// As a rate's period: an hour or more, of which at least half an hour is to come.
    static let period: String = {
        let now = Int(Date().timeIntervalSince1970)
        let seconds = stride(from: 3600, through: 86_400, by: 600).first { $0 - now % $0 >= 1800 }
        return "\(seconds ?? 86_400)s"
    }()
}
