/// A set of HTTP status codes, 100 to 599.
package struct StatusSet: Hashable, Sendable {
    private var words = [UInt64](repeating: 0, count: 8)

    package init() {}

    package init(_ statuses: some Sequence<Int>) { for status in statuses { insert(status) } }

    /// What says that the server is not well; 501 and 505 say that the request is not.
    package static let serverFailures = StatusSet([500, 502, 503, 504])

    package mutating func insert(_ status: Int) {
        precondition((100...599).contains(status))
        words[(status - 100) >> 6] |= 1 << UInt64((status - 100) & 63)
    }

    package func contains(_ status: Int) -> Bool {
        guard (100...599).contains(status) else { return false }
        return words[(status - 100) >> 6] & 1 << UInt64((status - 100) & 63) != 0
    }

    package mutating func formUnion(_ other: StatusSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Reads `503` or `5xx`; nil: it is neither.
    package static func statuses(_ text: String) -> ClosedRange<Int>? {
        if text.utf8.count == 3, text.hasSuffix("xx"), let hundreds = Int(text.prefix(1)), (1...5).contains(hundreds) {
            return hundreds * 100...hundreds * 100 + 99
        }
        guard let status = Int(text), (100...599).contains(status) else { return nil }
        return status...status
    }
}
