/// How many units one request takes from a limit.
package enum Cost: Hashable, Sendable {
    case fixed(Int64)
    /// By request method, in capitals; methods that are not named take `other`.
    case byMethod([String: Int64], other: Int64)
    /// From a request header (lowercase name) that holds a whole number from 0 to 2^31; missing or anything else: `otherwise`.
    case header(String, otherwise: Int64)

    /// Costs are bounded so that sums of them stay exact everywhere.
    package static let maximum: Int64 = 1 << 31

    package static let one = Cost.fixed(1)

    /// The cost of a request by its method, where the request's headers have no say.
    package func units(method: String) -> Int64 {
        switch self {
        case .fixed(let units): units
        case .byMethod(let table, let other): table[method] ?? other
        case .header(_, let otherwise): otherwise
        }
    }

    /// The units that a request header's value says: decimal digits, from 0 to `maximum`; nil for anything else.
    ///
    /// Allocates nothing, whatever the bytes lie in.
    @inlinable package static func units(parsing text: some Sequence<UInt8>) -> Int64? {
        var units: Int64?
        for byte in text {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let more = (units ?? 0) * 10 + Int64(byte - UInt8(ascii: "0"))
            guard more <= maximum else { return nil }
            units = more
        }
        return units
    }
}
