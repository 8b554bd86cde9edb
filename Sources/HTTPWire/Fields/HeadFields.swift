package import NIOCore

/// The fields of a head, in the order in which they came, over the bytes of that head.
///
/// Lookups skip removed fields. A value is not copied: it is borrowed or changed in place.
package struct HeadFields: ~Copyable, Sendable {
    /// The whole head, from its first byte to the end of the empty line. It shares the storage of the buffer that it was
    /// read from: as long as it is held, appending to that buffer copies. `RequestHead.clear()` lets go.
    package internal(set) var bytes: ByteBuffer
    package internal(set) var entries: [Field]
    /// One bit a known field that is there and not removed.
    private var present: UInt64
    /// The first byte of the first field line.
    var start: Int

    init() {
        bytes = ByteBuffer()
        entries = []
        present = 0
        start = 0
    }

    mutating func clear() {
        bytes = ByteBuffer()
        entries.removeAll(keepingCapacity: true)
        present = 0
        start = 0
    }

    mutating func reserve(_ count: Int) { entries.reserveCapacity(count) }

    @inline(__always)
    mutating func append(_ field: Field) {
        entries.append(field)
        if !field.isRemoved { present |= 1 &<< UInt64(field.known.rawValue) }
    }

    @inlinable package var count: Int { entries.count }

    @inlinable package subscript(index: Int) -> Field { entries[index] }

    // MARK: Finding

    /// Costs no search.
    package func contains(_ known: KnownField) -> Bool { present & 1 &<< UInt64(known.rawValue) != 0 }

    /// The first such field at or after `start`; there may be more, so go on from the next index where it matters.
    package func firstIndex(of known: KnownField, from start: Int = 0) -> Int? {
        guard contains(known) else { return nil }
        var index = start
        while index < entries.count {
            if entries[index].known == known, !entries[index].isRemoved { return index }
            index += 1
        }
        return nil
    }

    package func firstIndex(named name: FieldName, from start: Int = 0) -> Int? {
        if name.known != .other { return firstIndex(of: name.known, from: start) }
        return bytes.withUnsafeReadableBytes { bytes -> Int? in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
            var index = start
            while index < entries.count {
                let field = entries[index]
                if field.known == .other, !field.isRemoved,
                    name.matches(base + Int(field.name.start), field.name.count, anyUnderscore: false)
                {
                    return index
                }
                index += 1
            }
            return nil
        }
    }

    // MARK: Reading

    /// The bytes are valid only within `body`.
    @inlinable
    package func withBytes<Result>(_ range: ByteRange, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeReadableBytes { body(UnsafeRawBufferPointer(rebasing: $0[range.range])) }
    }

    /// The value of the field at `index`; the bytes are valid only within `body`.
    @inlinable
    package func withValue<Result>(at index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withBytes(entries[index].value, body)
    }

    @inlinable
    package func withName<Result>(at index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withBytes(entries[index].name, body)
    }

    /// The value of the first such field; nil where there is none.
    @inlinable
    package func withValue<Result>(of known: KnownField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard let index = firstIndex(of: known) else { return nil }
        return withValue(at: index, body)
    }

    // MARK: Removing

    package mutating func remove(at index: Int) {
        entries[index].isRemoved = true
        let known = entries[index].known
        let bit: UInt64 = 1 &<< UInt64(known.rawValue)
        guard present & bit != 0, !entries.contains(where: { $0.known == known && !$0.isRemoved }) else { return }
        present &= ~bit
    }

    /// All such fields.
    package mutating func remove(_ known: KnownField) { remove(KnownFieldSet(known)) }

    /// All of these that are there.
    package mutating func remove(_ some: KnownFieldSet) {
        guard present & some.bits != 0 else { return }
        for index in entries.indices where some.contains(entries[index].known) { entries[index].isRemoved = true }
        present &= ~some.bits
    }

    /// All such fields, and those whose names differ from it by underscores for hyphens.
    package mutating func remove(named name: FieldName) {
        bytes.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            for index in entries.indices {
                let field = entries[index]
                if name.matches(base + Int(field.name.start), field.name.count, anyUnderscore: true) {
                    entries[index].isRemoved = true
                }
            }
        }
        if name.known != .other { present &= ~(1 &<< UInt64(name.known.rawValue)) }
    }

    // MARK: Withholding

    /// All such fields are still found, and not written; also those whose names differ by underscores for hyphens.
    package mutating func withhold(named name: FieldName) {
        bytes.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            for index in entries.indices {
                let field = entries[index].name
                if name.matches(base + Int(field.start), field.count, anyUnderscore: true) {
                    entries[index].isWithheld = true
                }
            }
        }
    }

    package mutating func withhold(_ known: KnownField) { withhold(KnownFieldSet(known)) }

    /// All of these that are there.
    package mutating func withhold(_ some: KnownFieldSet) {
        guard present & some.bits != 0 else { return }
        for index in entries.indices where some.contains(entries[index].known) { entries[index].isWithheld = true }
    }
}
