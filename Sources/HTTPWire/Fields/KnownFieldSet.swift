/// Some of the fields that the gateway looks at.
package struct KnownFieldSet: ExpressibleByArrayLiteral, Sendable {
    /// One a field, by its raw value.
    let bits: UInt64

    package init(arrayLiteral fields: KnownField...) {
        bits = fields.reduce(0) { $0 | 1 &<< UInt64($1.rawValue) }
    }

    func contains(_ field: KnownField) -> Bool { bits & 1 &<< UInt64(field.rawValue) != 0 }
}
