import Foundation
import HummingbirdCore

/// The path and query of a question, taken piece by piece; what nobody takes of the query is refused by name.
struct RequestQuery {
    private let parts: [Substring]
    private(set) var items: [(name: String, value: String)] = []
    /// What was asked for so far.
    private(set) var known: [String] = []

    init(_ uri: URI) throws(ControlError) {
        parts = uri.path.split(separator: "/")
        for item in (uri.query ?? "").split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(pair[0]), let value = Self.decoded(pair.count > 1 ? pair[1] : "") else {
                throw ControlError(.invalidRequest, "the query is not percent-encoded UTF-8")
            }
            items.append((name, value))
        }
    }

    private static func decoded(_ text: Substring) -> String? { text.replacing("+", with: " ").removingPercentEncoding }

    /// The part of `/v1/tenants/{tenant}/…` with this index.
    func part(_ index: Int, _ what: String) throws(ControlError) -> String {
        guard parts.indices.contains(index), let text = String(parts[index]).removingPercentEncoding else {
            throw ControlError(.invalidRequest, "the \(what) in the path is not percent-encoded UTF-8")
        }
        return text
    }

    func tenant() throws(ControlError) -> String {
        let tenant = try part(2, "tenant")
        guard (1...RequestFacts.maximumTenantBytes).contains(tenant.utf8.count) else {
            throw ControlError(.invalidRequest, "a tenant has 1 to 256 bytes, not \(tenant.utf8.count)")
        }
        return tenant
    }

    /// nil where it is missing; an empty one is refused.
    mutating func text(_ name: String, maximumBytes: Int) throws(ControlError) -> String? {
        known.append(name)
        let values = items.filter { $0.name == name }
        items.removeAll { $0.name == name }
        guard let value = values.first?.value else { return nil }
        guard values.count == 1 else {
            throw ControlError(.invalidRequest, "`\(name)` is in the query \(values.count) times; once is enough")
        }
        guard (1...maximumBytes).contains(value.utf8.count) else {
            throw ControlError(
                .invalidRequest, "`\(name)` must have 1 to \(maximumBytes) bytes, not \(value.utf8.count)")
        }
        return value
    }

    mutating func whole(_ name: String, in range: ClosedRange<Int>) throws(ControlError) -> Int? {
        guard let text = try text(name, maximumBytes: 32) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw ControlError(
                .invalidRequest,
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    /// Throws where something is left that nobody took.
    func finish() throws(ControlError) {
        guard let unknown = items.first?.name else { return }
        let hint = known.isEmpty ? "it takes none" : "known are \(known.joined(separator: ", "))"
        throw ControlError(.invalidRequest, "`\(unknown)` is not known in the query; \(hint)")
    }
}
