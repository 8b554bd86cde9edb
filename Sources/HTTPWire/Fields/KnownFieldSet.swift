/// Some of the fields that the gateway looks at.
package struct KnownFieldSet: ExpressibleByArrayLiteral, Sendable {
    /// One a field, by its raw value.
    let bits: UInt64

    init(_ field: KnownField) { bits = 1 &<< UInt64(field.rawValue) }

    package init(arrayLiteral fields: KnownField...) {
        bits = fields.reduce(0) { $0 | KnownFieldSet($1).bits }
    }

    func contains(_ field: KnownField) -> Bool { bits & KnownFieldSet(field).bits != 0 }
}
