package import HTTPWire

/// Some of the methods that are accepted.
package struct MethodSet: Hashable, Sendable {
    /// By `Method.rawValue`.
    private var bits: UInt64

    package static let none = MethodSet(bits: 0)
    package static let all = MethodSet(bits: .max)
    static let reading = MethodSet(["GET", "HEAD"])

    private init(bits: UInt64) { self.bits = bits }

    /// Names of other methods count for nothing.
    package init(_ names: [String]) {
        bits = 0
        for method in Method.allCases where names.contains("\(method.name)") { bits |= Self.bit(method) }
    }

    private static func bit(_ method: Method) -> UInt64 { 1 &<< UInt64(method.rawValue) }

    package var isEmpty: Bool { bits == 0 }

    package func contains(_ method: Method) -> Bool { bits & Self.bit(method) != 0 }

    mutating func formUnion(_ other: MethodSet) { bits |= other.bits }

    package var names: [String] { Method.allCases.filter { contains($0) }.map { "\($0.name)" } }

    /// The value of an Allow field; at most `longestList` bytes.
    func writeList(to cursor: inout ByteCursor) {
        var isFirst = true
        for raw in 0...Method.notify.rawValue {
            guard let method = Method(rawValue: raw), contains(method) else { continue }
            if !isFirst { cursor.write(", ") }
            cursor.write(method.name)
            isFirst = false
        }
    }

    static let longestList = Method.allCases.reduce(0) { $0 + $1.name.utf8CodeUnitCount + 2 }
}
