/// What a token that was believed says of its bearer. Immutable, made once a token, so that a request that carries it again allocates nothing.
package final class Claims: Sendable {
    /// A claim's value as limits, fields and rules use it.
    package enum Value: Hashable, Sendable {
        /// A string as it is; a whole number in decimal; true or false.
        case text([UInt8])
        /// Those elements of an array that have such a text.
        case list([[UInt8]])
    }

    /// As the claim that names it says, a string or a whole number; not empty, at most `longestTenant` bytes, none of them
    /// a control character or a comma.
    package let tenant: [UInt8]
    /// Of `scope` (RFC 8693 §4.2, separated by spaces), or `scp` or `scope` as arrays.
    package let scopes: [[UInt8]]
    /// When it is valid, leeway included, in milliseconds since 1970.
    package let from: Int64
    package let until: Int64
    private let values: [(name: [UInt8], value: Value)]

    package static let longestTenant = 256

    /// nil: it names no tenant.
    init?(_ payload: [JSONMember], tenantClaim: [UInt8], from: Int64, until: Int64) {
        values = payload.compactMap { member in Self.value(member.value).map { (member.name, $0) } }
        self.from = from
        self.until = until
        let named = payload.first { $0.name == tenantClaim }?.value
        switch named {
        case .string(let text): tenant = text
        case .number(let number): tenant = number.integer.map { Array(String($0).utf8) } ?? []
        default: tenant = []
        }
        scopes = Self.scopes(payload["scope"]) + Self.scopes(payload["scp"])
        guard !tenant.isEmpty, tenant.count <= Self.longestTenant,
            tenant.allSatisfy({ $0 > 0x1f && $0 != 0x7f && $0 != UInt8(ascii: ",") }), tenant.first != 0x20,
            tenant.last != 0x20
        else { return nil }
    }

    /// nil: there is no such claim, or it is an object, null, or a number that is not whole.
    package func value(named name: [UInt8]) -> Value? {
        for entry in values where entry.name.count == name.count && entry.name == name { return entry.value }
        return nil
    }

    /// The same where it is one text, and not a list of them.
    package func text(named name: [UInt8]) -> [UInt8]? {
        if case .text(let text)? = value(named: name) { text } else { nil }
    }

    /// Whether a claim is one of these texts, or as a list has one of them.
    package func has(_ name: [UInt8], oneOf texts: [[UInt8]]) -> Bool {
        switch value(named: name) {
        case nil: false
        case .text(let text)?: texts.contains(text)
        case .list(let list)?: list.contains { texts.contains($0) }
        }
    }

    private static func value(_ value: JSONValue) -> Value? {
        if case .array(let list) = value { return .list(list.compactMap { text($0) }) }
        return text(value).map { .text($0) }
    }

    private static func text(_ value: JSONValue) -> [UInt8]? {
        switch value {
        case .string(let text): text
        case .bool(let flag): Array((flag ? "true" : "false").utf8)
        case .number(let number): number.integer.map { Array(String($0).utf8) }
        case .null, .array, .object: nil
        }
    }

    private static func scopes(_ value: JSONValue?) -> [[UInt8]] {
        switch value {
        case .string(let text)?: text.split(separator: 0x20).map { Array($0) }
        case .array(let list)?: list.compactMap(\.string)
        default: []
        }
    }
}
