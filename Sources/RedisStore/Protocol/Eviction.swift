/// What a server does when its memory is full, as `INFO memory` says.
struct Eviction: Hashable {
    let policy: String
    /// 0: the server takes what it needs, and evicts nothing.
    let maximumBytes: Int64

    /// nil: the answer does not say.
    init?(_ information: String) {
        guard let policy = InfoText.value(of: "maxmemory_policy", in: information),
            let bytes = InfoText.value(of: "maxmemory", in: information).flatMap({ Int64($0) })
        else { return nil }
        self.policy = String(policy)
        maximumBytes = bytes
    }

    /// With 200 tenants in use and 60,000 keys of a flood, `volatile-ttl` lost nearly every counter that was in use, the random ones a
    /// third, `allkeys-lru` one or two, `volatile-lru` none.
    private static let harmlessPolicies: Set = ["noeviction", "volatile-lru", "volatile-lfu"]

    /// For the log; nil: no counter that is in use gets lost.
    var warning: String? {
        guard maximumBytes > 0, !Self.harmlessPolicies.contains(policy) else { return nil }
        return
            "Redis evicts counters that are in use when its memory is full (maxmemory-policy \(policy)), and a counter that is lost is a budget given back; set noeviction, or volatile-lru where all windows are short"
    }
}

/// Lines of `INFO`.
enum InfoText {
    static func value(of name: String, in text: String) -> Substring? {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line[..<colon] == name else { continue }
            return line[line.index(after: colon)...]
        }
        return nil
    }
}
