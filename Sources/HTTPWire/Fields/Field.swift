/// Offsets from the first byte of a head.
package struct ByteRange: Hashable, Sendable {
    package var start: UInt32
    package var end: UInt32

    @inlinable
    package init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    @inlinable package var count: Int { Int(end) - Int(start) }
    @inlinable package var isEmpty: Bool { start == end }
    @inlinable package var range: Range<Int> { Int(start)..<Int(end) }

    package static let empty = ByteRange(0, 0)
}

/// One field line of a head: where its name and its value are, and what is known about it.
package struct Field: Sendable {
    package let name: ByteRange
    /// Without the blanks around it.
    package let value: ByteRange
    package let known: KnownField
    @usableFromInline var flags: UInt8

    @usableFromInline static let removedFlag: UInt8 = 1
    @usableFromInline static let withheldFlag: UInt8 = 2

    init(name: ByteRange, value: ByteRange, known: KnownField, isRemoved: Bool) {
        self.name = name
        self.value = value
        self.known = known
        flags = isRemoved ? Self.removedFlag : 0
    }

    /// Not to be forwarded, and not found by lookups.
    @inlinable package var isRemoved: Bool {
        get { flags & Self.removedFlag != 0 }
        set { flags = newValue ? flags | Self.removedFlag : flags & ~Self.removedFlag }
    }

    /// Not to be forwarded, though lookups find it: it is written anew, or left out, by whoever withheld it.
    @inlinable package var isWithheld: Bool {
        get { flags & Self.withheldFlag != 0 }
        set { flags = newValue ? flags | Self.withheldFlag : flags & ~Self.withheldFlag }
    }

    var isWritten: Bool { flags & (Self.removedFlag | Self.withheldFlag) == 0 }
}
