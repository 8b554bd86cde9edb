/// A tenant's id as a key: equal where the bytes are, as for counters and requests. `String` takes ids for equal that only look alike.
package struct TenantKey: Hashable, Comparable, Sendable {
    package let id: String

    package init(_ id: String) { self.id = id }

    package static func == (a: TenantKey, b: TenantKey) -> Bool { a.id.utf8.elementsEqual(b.id.utf8) }

    package static func < (a: TenantKey, b: TenantKey) -> Bool { a.id.utf8.lexicographicallyPrecedes(b.id.utf8) }

    package func hash(into hasher: inout Hasher) {
        var id = id
        id.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
